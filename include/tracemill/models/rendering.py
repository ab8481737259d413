"""Shows the prompt that a model really gets, and refuses a prefix that its chat template contradicts.

A template may open the thought itself, close it at once (a hybrid model that was not told to think), or do neither. A
`prefix` of "<think>" on top of that gives `<think></think><think>` or `<think><think>`: text that no such model was
trained on. Only the rendered prompt tells, so it is asked of the server once, before the first request. Where none can
be asked (a provider, an endpoint that is no engine) that is said instead.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tracemill.errors import RecipeError
from tracemill.models.request import Ask

Post = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
_FIELDS = ("messages", "continue_final_message", "add_generation_prompt", "chat_template", "chat_template_kwargs")
_CONTRADICTIONS = (
    (re.compile(r"</think>\s*<think>\s*$"), "the template closes the thought that the prefix opens again"),
    (re.compile(r"<think>\s*<think>\s*$"), "the template and the prefix both open the thought"),
)
SHOWN = 400  # characters of each end
_log = logging.getLogger(__name__)
_progress = logging.getLogger("tracemill.progress")  # shown to people also where nothing else is
_told: set[str] = set()  # models of whose prompt this process has told people


class NotShown(Exception):
    """Nobody tells how a prompt is rendered; the text says why."""


async def rendered(post: Post, model: str, ask: Ask) -> str:
    """The prompt of a chat request as the server's template renders it."""
    chat = {name: ask.body[name] for name in _FIELDS if name in ask.body}
    chat.setdefault("add_generation_prompt", True)
    effort = ask.body.get("reasoning_effort")
    if effort is not None:  # /tokenize does not take it; vLLM 0.32 hands it to the template in this way
        given = chat.get("chat_template_kwargs") or {}
        chat["chat_template_kwargs"] = {"enable_thinking": effort != "none", **given, "reasoning_effort": effort}
    tokens = (await post("/tokenize", {"model": model, "add_special_tokens": False, **chat}))["tokens"]
    return str((await post("/detokenize", {"model": model, "tokens": tokens}))["prompt"])


def tell(model: str, text: str) -> None:
    """Say how that model's prompt is rendered: to people the first time, else in the log."""
    say = _log if model in _told else _progress
    _told.add(model)
    say.info("%s: %s", model, text)


def check(model: str, prompt: str) -> None:
    """Raise RecipeError when the end of the prompt contradicts itself."""
    for pattern, what in _CONTRADICTIONS:
        if pattern.search(prompt):
            raise RecipeError(
                f"model {model!r}: {what}: the prompt ends in {prompt[-80:]!r}. Remove teacher.prefix, or tell the "
                "template to think with sampling.chat_template_kwargs ({thinking: true} or {enable_thinking: true})"
            )


def shown(prompt: str) -> str:
    """The prompt for a log: both ends, the middle left out."""
    if len(prompt) <= 2 * SHOWN:
        return prompt
    return f"{prompt[:SHOWN]} [... {len(prompt) - 2 * SHOWN:,} characters ...] {prompt[-SHOWN:]}"
