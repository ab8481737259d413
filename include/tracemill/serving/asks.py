"""What is asked of a model and what it answers, and the key under which an answer is never paid for twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Route = Literal["/v1/chat/completions", "/v1/completions", "/classify"]


@dataclass(frozen=True)
class Ask:
    """One request for one sample: `body` is the HTTP body without the model's name; `sample` tells equal ones apart.

    The body holds prompt and sampling, seed included, so the key covers them; it must be plain JSON data.
    """

    route: Route
    body: Mapping[str, Any]
    sample: int = 0

    def key(self, identity: str) -> str:
        """SHA-256 (hex) of model weights, route, prompt, sampling and sample index."""
        parts = {"model": identity, "route": self.route, "body": self.body, "sample": self.sample}
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Reply:
    """What came back: text with any chain of thought in <think> tags, or `values` (class scores, log-probabilities).

    `seconds` from sending to the whole answer. `finish_reason` "length" means that the text was cut.
    """

    text: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float = 0.0
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """One request that the server will never answer as it stands; the row it was for is quarantined."""

    reason: Literal["too_long", "refused", "timeout"]
    detail: str


Answer = Reply | Refusal


@dataclass
class Spent:
    """What a batch of requests cost: answers from the store, answers paid for, their tokens, refusals."""

    reused: int = 0
    paid: int = 0
    refused: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def pay(self, answer: Answer) -> None:
        """Count one answer that came over the wire."""
        if isinstance(answer, Refusal):
            self.refused += 1
            self.reasons[answer.reason] = self.reasons.get(answer.reason, 0) + 1
            return
        self.paid += 1
        self.prompt_tokens += answer.prompt_tokens or 0
        self.completion_tokens += answer.completion_tokens or 0
