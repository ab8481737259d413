"""Reads conversations in the two spellings that data sets use, and takes known instructions off a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tracemill.ingest.columns import items, parsed
from tracemill.ingest.source import RowError, asks_nothing

Turn = dict[str, str]
ROLES = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "developer": "system",
}

THOUGHT = "thinking"  # of a turn of `messages`: the chain that its row has beside the content
_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "thought")
_CALLS = ("tool_calls", "function_call")

# System turns that name no task, of any source.
COMMON = re.compile(r"(?:You are (?:a|an) (?:helpful |AI |harmless |and )*assistant)?\.?", re.IGNORECASE)
# What OpenThoughts and Bespoke-Stratos (and Sky-T1 before them) tell every model, in several spellings.
LONG_THINKING = re.compile(
    r"Your role as an assistant involves thoroughly exploring questions through a systematic long thinking process.*"
    r"(?:through|following) the above guidelines[:.]?"
)

# What OpenThoughts and Bespoke-Stratos put before a problem, without a separator (open_thoughts/prompt.py).
INSTRUCTIONS = (
    ("Return your final response within \\boxed{}. ", "math"),
    (
        "Generate an executable Python function generated from the given prompt. The function should take stdin as "
        "input "
        "and print the output. Simply call the function after the definition.",
        "code",
    ),
    (
        "Generate an executable Python function generated from the given prompt. Return the function body without "
        "invoking it at the final solution.",
        "code",
    ),
)


def messages(value: dict[str, Any], name: str) -> list[Turn]:
    """Turns as [{role, content}], whichever spelling the source has, or as its JSON text. Raises RowError otherwise.

    A chain of thought beside the content is kept as THOUGHT; a turn that calls a tool is a tool's.
    """
    turns = []
    for turn in items({name: parsed(value, name)}, name):
        if not isinstance(turn, dict):
            raise RowError("bad_value", f"column {name!r}: a turn should be an object, is {type(turn).__name__}")
        role = _either(turn, "role", "from")
        content = _text_of(_either(turn, "content", "value"))
        if not isinstance(role, str) or not isinstance(content, str):
            raise RowError(
                "bad_value", f"column {name!r}: a turn has no role and content that are text; it has {', '.join(turn)}"
            )
        plain = role.strip().lower()
        if any(turn.get(call) for call in _CALLS):
            plain = "tool"
        thoughts = next((turn[key] for key in _THOUGHTS if isinstance(turn.get(key), str) and turn[key].strip()), None)
        turns.append({"role": ROLES.get(plain, plain), "content": content, **({THOUGHT: thoughts} if thoughts else {})})
    if not turns:
        raise RowError("null_value", f"column {name!r} has no turns")
    return turns


def _text_of(content: Any) -> Any:
    """A content in parts, [{type: text, text}], as one text; any other content, such as an image's, as it is."""
    parts = content if isinstance(content, list) and content else [None]
    texts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in parts]
    whole = all(isinstance(text, str) for text in texts)
    return "\n".join(str(text) for text in texts) if whole else content


def _either(turn: dict[str, Any], name: str, other: str) -> Any:
    found = turn.get(name)
    return turn.get(other) if found is None else found


def conversation(
    turns: Sequence[Turn], boilerplate: Sequence[re.Pattern[str]] = ()
) -> tuple[str, tuple[Turn, ...] | None]:
    """The problem that turns pose: its text, and the turns themselves where there is more than one user turn.

    System turns are part of it: they hold the task as often as not ("translate into French"). Only blank ones are
    left out, those that say nothing (COMMON), and those that `boilerplate`, the source's own, matches as a whole, white
    space folded. Raises RowError when nothing is asked, and for turns of tools: `am` would make them a user's.
    """
    if others := {turn["role"] for turn in turns} - {"system", "user", "assistant"}:
        raise RowError(
            "bad_value", f"turns of {', '.join(sorted(others))}: what a tool says is nobody's problem or answer"
        )
    kept = tuple(
        {"role": turn["role"], "content": turn["content"]}
        for turn in turns
        if turn["role"] != "system" or not _says_nothing(turn["content"], boilerplate)
    )
    if all(asks_nothing(turn["content"]) for turn in kept if turn["role"] == "user"):
        raise RowError("blank_prompt", "no user turn asks anything")
    alone = len(kept) == 1
    return asked(kept), None if alone else kept


def asked(turns: Sequence[Turn]) -> str:
    """What the turns ask, system turns included, joined by a blank line: the text for dedup and decontamination."""
    return "\n\n".join(turn["content"] for turn in turns if turn["role"] in ("user", "system"))


def unasked(turns: Sequence[Turn] | None) -> str:
    """The turns that ask nothing (assistants' and tools') with their roles, white space folded: two conversations may
    differ in nothing else.
    """
    found = [turn for turn in turns or () if turn["role"] not in ("user", "system")]
    return "\n".join(f"{turn['role']}: {' '.join((turn['content'] or '').split())}" for turn in found)


def _says_nothing(system: str, boilerplate: Sequence[re.Pattern[str]]) -> bool:
    folded = " ".join(system.split())
    return not folded or any(pattern.fullmatch(folded) for pattern in (COMMON, *boilerplate))


def after_system(system: str | None, turns: Sequence[Turn]) -> list[Turn]:
    """The turns after a system prompt that the source keeps in a column of its own."""
    return [{"role": "system", "content": system}, *turns] if system else list(turns)


def without_closing(turns: Sequence[Turn]) -> tuple[list[Turn], list[Turn]]:
    """The turns before the assistant turns at the end, and those: each answers the same question."""
    asked_until = max((place for place, turn in enumerate(turns, 1) if turn["role"] != "assistant"), default=0)
    return list(turns[:asked_until]), list(turns[asked_until:])


def thought_of(turn: Turn) -> str | None:
    """The chain that stands beside the turn's content, unless the content has it too."""
    return None if "<think>" in turn["content"] else turn.get(THOUGHT)


def without_instruction(prompt: str) -> tuple[str, str | None]:
    """The problem itself, and the category that the instruction before it gives away."""
    for instruction, category in INSTRUCTIONS:
        if prompt.startswith(instruction):
            return prompt.removeprefix(instruction).strip(), category
    return prompt, None
