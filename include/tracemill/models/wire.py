"""Reads what an OpenAI-compatible server sends back: an answer, a refusal of this one request, or a fault to retry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tracemill.errors import RecipeError
from tracemill.models.complaints import meaning_of, message_of
from tracemill.models.continuation import packed
from tracemill.models.finish import ending, named
from tracemill.models.messages import with_tags
from tracemill.models.ranks import IMPOSSIBLE
from tracemill.models.request import Refusal, Reply, Route
from tracemill.models.usage import count, tokens_of

_REFUSED = {400, 413, 422, 451}
_NO_MONEY = "the account has no balance left: top it up, then clear this task (nothing that was answered is lost)"
_PASSING = {408, 409, 425, 429, 499}  # statuses of clients' faults that pass by themselves
# No request can succeed there, whoever tries again: what the user must do.
_NEVER = {
    401: "the connection's key is missing or wrong",
    402: _NO_MONEY,
    403: "the connection's key is missing or wrong, or may not use this model",
    405: "this address does not take such requests: check that the endpoint is the server's base URL",
    501: "the server does not offer this kind of request",
}


class ServerFault(Exception):
    """The server did not answer as it should; the same request may succeed in a moment or elsewhere.

    `alive`: the server itself answered (an HTTP status), so that it may have been this very request that it cannot do.
    `wait`: seconds that it asks everybody to wait (HTTP 429 or 503 with Retry-After). `foreign`: what answered seems to
    be no model server at all (a web page, a redirection).
    """

    def __init__(
        self,
        text: str,
        *,
        alive: bool = False,
        wait: float | None = None,
        throttled: bool = False,
        foreign: bool = False,
    ) -> None:
        super().__init__(text)
        self.alive = alive
        self.wait = wait
        self.throttled = throttled
        self.foreign = foreign


class Forbidden(RecipeError):
    """HTTP 403 without a word why: the key, or what lies in front of the server and dislikes this one prompt."""


def read_reply(
    route: Route, status: int, data: Any, seconds: float, wait: float | None = None, budget: int | None = None
) -> Reply | Refusal:
    """The answer in a response. Raises ServerFault to try again, RecipeError when no request can ever succeed there.

    `budget`: the tokens that were asked for as an answer.
    """
    refusal = _refusal(status, data, budget)
    if refusal:
        return refusal
    if status in _NEVER:
        kind = Forbidden if status == 403 else RecipeError
        raise kind(f"the server answers {status}: {_NEVER[status]} ({message_of(data)[:300]})")
    if status != 200 or not isinstance(data, Mapping):
        throttled = status == 429 or (status == 503 and wait is not None)
        said = f"HTTP {status}: {message_of(data)}"
        foreign = status < 500 and status not in _PASSING
        raise ServerFault(said, alive=not throttled, wait=wait, throttled=throttled, foreign=foreign)
    try:
        if route == "/classify":
            return _classified(data, seconds)
        if route == "/v1/embeddings":
            return _embedded(data, seconds)
        return _generated(route, data, seconds)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError) as error:
        said = message_of(data) if "error" in data else f"{type(error).__name__}: {error}"
        foreign = "error" not in data and "choices" not in data
        raise ServerFault(f"an answer without the documented fields ({said})", alive=True, foreign=foreign) from error


def _refusal(status: int, data: Any, budget: int | None) -> Refusal | None:
    """What an error says of its own request, if it says so. Raises RecipeError for what it says of every request."""
    if not (400 <= status < 500 or (status == 200 and isinstance(data, Mapping) and data.get("error"))):
        return None  # before any text is made of the data: it is an answer, of hundreds of thousands of characters
    said = message_of(data)
    meaning = meaning_of(data, budget) if status != 401 else None
    if meaning == "no_money":
        raise RecipeError(f"the server answers {status}: {_NO_MONEY} ({said[:300]})")
    if meaning == "filtered" and status != 402:
        return Refusal("content_filter", said[:500])
    if status in _REFUSED and meaning == "too_many_tokens":
        raise RecipeError(
            f"the server refuses every request: {said[:500]} Lower sampling.max_tokens or raise max_model_len"
        )
    if status == 413 or (status in _REFUSED and meaning == "too_long"):
        return Refusal("too_long", ("too long: " + said if status == 413 else said)[:500])
    return Refusal("refused", said[:500]) if status in _REFUSED else None


def _generated(route: Route, data: Mapping[str, Any], seconds: float) -> Reply:
    choice = data["choices"][0]
    usage = data.get("usage") or {}
    reason = choice.get("finish_reason")
    if ending(reason) == "fault":
        raise ServerFault(f"the answer was broken off (finish_reason {reason!r})", alive=True)
    text = choice["text"] if route == "/v1/completions" else with_tags(choice["message"])
    if not text and route != "/v1/completions" and choice["message"].get("refusal"):
        reason = "content_filter"
    if not isinstance(text, str):
        raise TypeError(f"a text of type {type(text).__name__}")
    prompt_tokens, completion_tokens = tokens_of(usage, text)
    return Reply(
        text=whole_characters(text),
        finish_reason=named(reason),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        seconds=seconds,
        values=_prompt_logprobs(choice),
        served_model=data.get("model") if isinstance(data.get("model"), str) else None,
        token_ids=_token_ids(data, choice) if named(reason) == "length" else None,
    )


def _token_ids(data: Mapping[str, Any], choice: Mapping[str, Any]) -> bytes | None:
    """The numbers of the prompt's and the answer's tokens, where the server gave both."""
    prompt = data.get("prompt_token_ids") or choice.get("prompt_token_ids")
    answer = choice.get("token_ids")
    if not isinstance(prompt, list) or not isinstance(answer, list):
        return None
    return packed(prompt, answer)


def whole_characters(text: str) -> str:
    """The text with U+FFFD for halves of characters (lone surrogates), which no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _prompt_logprobs(choice: Mapping[str, Any]) -> tuple[float, ...]:
    """Sum and number of the prompt tokens' natural log-probabilities, if asked for; the first token has none.

    The sum is NaN where one of them is no number, or the word for an impossible token: in a mean over thousands that
    would pass for a likely one.
    """
    tokens = choice.get("prompt_logprobs")
    if tokens is None:
        return ()
    found = [float(next(iter(token.values()))["logprob"]) for token in tokens if token]
    is_known = all(IMPOSSIBLE < one < math.inf for one in found)
    return math.fsum(found) if is_known else math.nan, float(len(found))


def _classified(data: Mapping[str, Any], seconds: float) -> Reply:
    values = tuple(float(value) for value in data["data"][0]["probs"])
    return Reply("", "stop", count((data.get("usage") or {}).get("prompt_tokens")), 0, seconds, values)


def _embedded(data: Mapping[str, Any], seconds: float) -> Reply:
    """All vectors of the request one after the other, in the order of its texts."""
    rows = sorted(data["data"], key=lambda row: int(row["index"]))
    values = tuple(float(value) for row in rows for value in row["embedding"])
    return Reply("", "stop", count((data.get("usage") or {}).get("prompt_tokens")), 0, seconds, values)
