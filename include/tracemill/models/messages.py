"""Reads a chat message, whole or by pieces, as one text in which the thought stands between <think> tags.

Reasoning is understood in the forms that servers use: `reasoning` (vLLM 0.11.2 and later, OpenRouter),
`reasoning_content` (before, and DeepSeek), `reasoning_details` (OpenRouter), content in parts of type "thinking"
(Mistral, Anthropic), or raw <think> tags in the content. All become one text, so that nothing downstream must know.
Some proxies send the thought twice, in a field and at the head of the content: it is one thought.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

# How models frame a thought in their text, with which a proxy may send again what it sent in a field.
_FRAMES = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
)


def with_tags(message: Mapping[str, Any]) -> str:
    """A whole message as one text. Raises TypeError or KeyError for one in a form that nobody reads."""
    found = pieces(message)
    content = found.get("content", "")
    reasoning = found.get("reasoning") or found.get("reasoning_content")
    if not reasoning:
        return content
    once = _without_copy(content, reasoning)
    if once is not None:
        return once
    return f"<think>{reasoning}</think>{content}" if content else f"<think>{reasoning}"


def pieces(message: Mapping[str, Any]) -> dict[str, str]:
    """The texts in a message or a delta: `content`, `reasoning`, `reasoning_content`, `refusal`; none that is blank.

    Raises TypeError or KeyError as `with_tags`: what cannot be read must not be left out.
    """
    found = {name: message.get(name) for name in ("content", "reasoning", "reasoning_content", "refusal")}
    if isinstance(found["content"], list):
        thinking, found["content"] = _parts(found["content"])
        found["reasoning"] = found["reasoning"] or thinking
    if not found["reasoning"] and not found["reasoning_content"]:
        details = message.get("reasoning_details") or ()
        found["reasoning"] = "".join(part.get("text") or part.get("summary") or "" for part in details)
    for name, text in found.items():
        if text is not None and not isinstance(text, str):
            raise TypeError(f"{name} of type {type(text).__name__}")
    return {name: text for name, text in found.items() if text}


def _without_copy(content: str, reasoning: str) -> str | None:
    """The content with its thought between <think> tags, where it begins with that very thought (but for blank space).

    That may stand between tags, or before the closing one where a template opened it, or be cut before its end. None
    for any other content.
    """
    head = content.lstrip()
    if not any(head.startswith(opened) or closed in content for opened, closed in _FRAMES):
        return None  # before anything is made of a thought of hundreds of thousands of letters
    said, thought = ("".join(text.split()) for text in (content, reasoning))
    for opened, closed in _FRAMES:
        bare = said.removeprefix(opened)
        if bare.startswith(thought + closed):
            rest = content[_place(content, len(said) - len(bare) + len(thought) + len(closed)) :]
            return content if closed == "</think>" else f"<think>{reasoning}</think>{rest}"
        if bare == thought and bare != said:
            return content if opened == "<think>" else f"<think>{reasoning}"
    return None


def _place(text: str, letters: int) -> int:
    """Where that many letters of a text, blank space not counted, are over."""
    places = (place for place, letter in enumerate(text, start=1) if not letter.isspace())
    return next(islice(places, letters - 1, None))


def _parts(content: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    """Thinking and text of a content in parts. Raises TypeError or KeyError for parts of another kind."""
    thinking: list[str] = []
    said: list[str] = []
    for part in content:
        if part["type"] == "thinking":
            inner = part["thinking"]
            thinking.append(inner if isinstance(inner, str) else _parts(inner)[1])
        elif part["type"] in ("text", "output_text"):
            said.append(part["text"])
        else:
            raise KeyError(f"a part of type {part['type']!r}")
    return "".join(thinking), "".join(said)
