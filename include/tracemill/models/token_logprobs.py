"""What a model thought likely at each token that it said: the chosen one and the likeliest few, beside the answer.

What distillation on logits needs and no text holds. Natural logarithms before temperature and top-p (vLLM's
--logprobs-mode raw_logprobs, its default). The chosen token's is kept in single precision, the others' in half.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracemill.models.request import Reply, Route

MOST = 20  # of the likeliest: as many as OpenAI's API gives
ROOM = ("--max-logprobs", str(MOST + 1))  # vLLM counts a chosen token that is none of the likeliest among them
_ID = "token_id:"  # how vLLM writes a token's number (return_tokens_as_token_ids)
_NOBODY = np.iinfo(np.uint32).max
_Said = tuple[str, float, list[tuple[str, float]]]  # the chosen token, its log-probability, the likeliest with theirs


def record(most: int) -> np.dtype[np.void]:
    """One token: its number and log-probability, and the `most` likeliest, in order; none is 2**32 - 1 and NaN."""
    likeliest = [("tokens", "<u4", (most,)), ("logprobs", "<f2", (most,))]
    return np.dtype([("token", "<u4"), ("logprob", "<f4"), *likeliest])


def asked_for(most: int, route: Route) -> dict[str, Any]:
    """The fields of a request for the `most` likeliest at each token. A chat may give the chosen one for another."""
    numbers = {"return_tokens_as_token_ids": True, "return_token_ids": True}
    if route == "/v1/completions":
        return {**numbers, "logprobs": most}
    return {**numbers, "logprobs": True, "top_logprobs": most + 1}


def with_logprobs(reply: Reply, data: Mapping[str, Any], most: int) -> Reply:
    """The reply with what the server thought likely; as it is when that is not there for every token, by number."""
    try:
        choice = data["choices"][0]
        said = list(_said(choice["logprobs"]))
        numbers = [int(number) for number in choice["token_ids"]]
        found = np.zeros(len(said), record(most))
        found["tokens"] = _NOBODY
        found["logprobs"] = np.nan
        for row, (token, logprob, others) in zip(found, said, strict=True):
            row["token"] = _number(token)
            row["logprob"] = logprob
            best = sorted(others, key=lambda other: -other[1])[:most]
            row["tokens"][: len(best)] = [_number(name) for name, _ in best]
            row["logprobs"][: len(best)] = [value for _, value in best]
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        return reply
    if found["token"].tolist() != numbers or len(said) != reply.completion_tokens:
        return reply
    return replace(reply, logprobs=found.tobytes())


def logprobs_of(reply: Reply, most: int) -> NDArray[np.void]:
    """One record a token of the answer (see `record`); none where they are not known."""
    return np.frombuffer(reply.logprobs or b"", record(most))


def _said(logprobs: Mapping[str, Any]) -> Iterator[_Said]:
    """The tokens in the form of a chat (`content`) or of a completion (lists side by side)."""
    if "content" in logprobs:
        for one in logprobs["content"]:
            others = [(str(other["token"]), float(other["logprob"])) for other in one["top_logprobs"]]
            yield str(one["token"]), float(one["logprob"]), others
        return
    columns = (logprobs["tokens"], logprobs["token_logprobs"], logprobs["top_logprobs"])
    for token, logprob, likeliest in zip(*columns, strict=True):
        yield str(token), float(logprob), [(str(name), float(value)) for name, value in likeliest.items()]


def _number(token: str) -> int:
    if not token.startswith(_ID):
        raise ValueError(f"{token!r} is no token's number")
    return int(token.removeprefix(_ID))
