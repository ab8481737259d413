"""Reads what an OpenAI-compatible server sends back: an answer, a refusal of this one request, or a fault to try again.

Reasoning is understood in the three forms that vLLM's versions use: `reasoning` (0.11.2 and later), `reasoning_content`
(before), or raw <think> tags in the content. All become one text with tags, so that nothing downstream must know.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from tracemill.errors import RecipeError
from tracemill.serving.asks import Refusal, Reply, Route

_TOO_LONG = re.compile(r"context length|maximum model length|max_model_len|too long|longer than|exceed", re.IGNORECASE)
_NO_ROOM_AT_ALL = re.compile(r"max_tokens=?\s*\d* cannot be greater than max_model_len", re.IGNORECASE)
_REFUSED = {400, 413, 422}
_NOT_LET_IN = {401, 403}


class ServerFault(Exception):
    """The server did not answer as it should; the same request may succeed in a moment or elsewhere."""


def read_reply(route: Route, status: int, data: Any, seconds: float) -> Reply | Refusal:
    """The answer in a response. Raises ServerFault to try again, RecipeError when no request can ever succeed there."""
    if status in _REFUSED:
        return _refusal(_message(data))
    if status in _NOT_LET_IN:
        raise RecipeError(f"the server answers {status}: the connection's key is missing or wrong")
    if status != 200 or not isinstance(data, Mapping):
        raise ServerFault(f"HTTP {status}: {_message(data)}")
    try:
        if route == "/classify":
            return _classified(data, seconds)
        return _generated(route, data, seconds)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ServerFault(f"an answer without the documented fields ({type(error).__name__}: {error})") from error


def _refusal(message: str) -> Refusal:
    if _NO_ROOM_AT_ALL.search(message):
        raise RecipeError(
            f"the server refuses every request: {message} Lower sampling.max_tokens or raise max_model_len"
        )
    return Refusal("too_long" if _TOO_LONG.search(message) else "refused", message[:500])


def _message(data: Any) -> str:
    """What the server says went wrong: {"error": {"message": ...}}, {"message": ...}, {"detail": ...} or plain text."""
    if isinstance(data, Mapping):
        inner = data.get("error", data)
        if isinstance(inner, Mapping):
            return str(inner.get("message") or inner.get("detail") or dict(inner))
        return str(inner)
    return str(data)[:500]


def _generated(route: Route, data: Mapping[str, Any], seconds: float) -> Reply:
    choice, usage = data["choices"][0], data.get("usage") or {}
    text = choice["text"] if route == "/v1/completions" else with_tags(choice["message"])
    return Reply(
        text=text,
        finish_reason=choice.get("finish_reason"),
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
        seconds=seconds,
        values=_prompt_logprobs(choice),
    )


def with_tags(message: Mapping[str, Any]) -> str:
    """A chat message as one text; reasoning that the server took apart is put back between <think> tags."""
    content = message.get("content") or ""
    reasoning = message.get("reasoning") or message.get("reasoning_content")
    if not reasoning:
        return str(content)
    return f"<think>{reasoning}</think>{content}" if content else f"<think>{reasoning}"


def _prompt_logprobs(choice: Mapping[str, Any]) -> tuple[float, ...]:
    """Sum and number of the prompt tokens' natural log-probabilities, if asked for; the first token has none."""
    tokens = choice.get("prompt_logprobs")
    if tokens is None:
        return ()
    found = [float(next(iter(token.values()))["logprob"]) for token in tokens if token]
    return (math.fsum(found), float(len(found)))


def _classified(data: Mapping[str, Any], seconds: float) -> Reply:
    values = tuple(float(value) for value in data["data"][0]["probs"])
    return Reply("", None, (data.get("usage") or {}).get("prompt_tokens"), 0, seconds, values)
