"""What is asked of a model and what it answers, and the key under which an answer is never paid for twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tracemill.models.continuation import BEGUN
from tracemill.models.finish import UNKNOWN

Route = Literal["/v1/chat/completions", "/v1/completions", "/classify", "/v1/embeddings"]


@dataclass(frozen=True)
class Ask:
    """One request for one sample: `body` is the HTTP body without the model's name; `sample` tells equal ones apart.

    The body holds prompt and sampling, seed included, so the key covers them; it must be plain JSON data. Three things
    are in no key, as they change no answer: `keeps_tokens` asks for the numbers of the tokens with a cut answer,
    `goes_on` says that this request continues one, whose `tokens` those are (None: nobody knows them), and `idle` names
    fields of the body that say nothing and that nobody wrote, so that not every address need be sent them. `shape` is
    the JSON schema that an answer is to keep to where the server can see to it: in the key, as it changes what is said;
    an answer that was paid for without it (`plain`) is taken all the same. `ranked` is the end of a prompt whose
    tokens' ranks are kept, beside those of the whole prompt; `logprobs`: how many of the likeliest tokens are kept at
    each token of the answer. An answer without what is wanted is none, so both are in the key.
    """

    route: Route
    body: Mapping[str, Any]
    sample: int = 0
    keeps_tokens: bool = False
    goes_on: bool = False
    tokens: bytes | None = None
    idle: frozenset[str] = frozenset()
    shape: Mapping[str, Any] | None = None
    ranked: str | None = None
    logprobs: int = 0

    @property
    def plain(self) -> Ask:
        """The same request for an answer in any form."""
        return replace(self, shape=None)

    @property
    def beginning(self) -> bytes:
        """What requests with a common beginning share: the samples of one prompt are best asked of one server."""
        said = self.body.get("messages", self.body.get("prompt", ""))
        return repr(said)[:4096].encode("utf-8", "surrogatepass")

    @property
    def size(self) -> int:
        """The bytes of what is said, about: by them it is paid for where a provider counts no tokens."""
        said = [self.body[name] for name in ("messages", "prompt", "input", BEGUN) if name in self.body]
        return sum(len(repr(one).encode("utf-8", "surrogatepass")) for one in said)

    def canary(self) -> Ask:
        """A request of this kind that any server can answer in a moment: it tells a broken server from a bad prompt."""
        turns = [{"role": "user", "content": "1"}]
        if self.route == "/classify":
            return Ask(self.route, {"messages": [*turns, {"role": "assistant", "content": "1"}]})
        if self.route == "/v1/embeddings":
            return Ask(self.route, {"input": ["1"]})
        asked: dict[str, Any] = {"messages": turns} if self.route == "/v1/chat/completions" else {"prompt": "1"}
        return Ask(self.route, {**asked, "max_tokens": 1})

    def probe(self) -> Ask:
        """This request with a prompt that nobody can mind: what a server refuses now, it refuses whatever the row."""
        turns = self.body.get("messages")
        if self.route != "/v1/chat/completions" or not isinstance(turns, list) or not turns or self.goes_on:
            return self.canary()
        begun = [turns[-1]] if turns[-1].get("role") == "assistant" else []
        said = {**self.body, "messages": [{"role": "user", "content": "1"}, *begun]}
        return Ask(self.route, said, idle=self.idle)

    def key(self, identity: str) -> str:
        """SHA-256 (hex) of model weights, route, prompt, sampling and sample index."""
        parts = {"model": identity, "route": self.route, "body": self.body, "sample": self.sample}
        parts |= {"shape": self.shape} if self.shape else {}
        parts |= {"ranked": len(self.ranked)} if self.ranked is not None else {}
        parts |= {"logprobs": self.logprobs} if self.logprobs else {}
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Reply:
    """What came back: text with any chain of thought in <think> tags, or `values` (class scores, log-probabilities).

    `seconds` from sending to the whole answer. `finish_reason` is one of models.finish: only "stop" is a whole answer.
    `served_model` is what the server called itself. `token_ids`: of a cut answer that may be continued, the numbers of
    its prompt's tokens and of its own, little-endian in four bytes each, where the server gave them. `ranks`: of a
    prompt that was to be ranked, those of its tokens from the second on, little-endian in two bytes each (see
    ranks.py). `logprobs`: what the model thought likely at each token, where that was asked for (see
    token_logprobs.py). `server`: which server of a run it was, by the name under which that one writes down its cost;
    `engine`: the version of the engine that it ran.
    """

    text: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float = 0.0
    values: tuple[float, ...] = ()
    served_model: str | None = None
    token_ids: bytes | None = None
    ranks: bytes | None = None
    logprobs: bytes | None = None
    server: str | None = None
    engine: str | None = None


@dataclass(frozen=True)
class Unended(Reply):
    """A reply of `endpoint` without a finish reason and without a count of tokens, while nobody knows yet whether that
    server ever gives them: half of an answer, or the whole one of a server that never does.
    """

    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Packed:
    """A reply that waits to be used: one "≤" in a text makes Python hold two bytes a letter, an emoji four."""

    text: bytes
    rest: Reply

    @classmethod
    def of(cls, reply: Reply) -> Packed:
        """Pack one."""
        return cls(reply.text.encode(), replace(reply, text=""))

    def reply(self) -> Reply:
        """The reply again."""
        return replace(self.rest, text=self.text.decode())


@dataclass(frozen=True)
class Refusal:
    """One request that the server will never answer as it stands; the row it was for is quarantined.

    `poison`: it ended or broke the server every time it was asked, while others were answered. `unmeasured`: it was
    answered, but not with finite numbers. `content_filter`: the provider will not have this prompt.
    """

    reason: Literal["too_long", "refused", "content_filter", "poison", "unmeasured"]
    detail: str


Answer = Reply | Refusal


@dataclass
class Spent:
    """What a batch of requests cost: answers from the store, answers paid for, their tokens, refusals.

    `endings` counts the paid answers by finish reason, `ending_tokens` what those cost. Requests that were closed as
    nobody needed them any more are "cancelled" there and nowhere else; their tokens are an estimate unless they came in
    pieces, as a server tells no count of what it threw away. `uncounted`: paid answers whose tokens nobody told. What
    is `reused` was paid before, by whoever asked for it then: its tokens are counted by themselves.
    """

    reused: int = 0
    reused_prompt_tokens: int = 0
    reused_completion_tokens: int = 0
    reused_uncounted: int = 0
    paid: int = 0
    refused: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    endings: dict[str, int] = field(default_factory=dict)
    ending_tokens: dict[str, int] = field(default_factory=dict)
    uncounted: int = 0

    def find(self, reply: Reply) -> None:
        """Count one answer that the sample store had."""
        self.reused += 1
        self.reused_uncounted += None in (reply.prompt_tokens, reply.completion_tokens)
        self.reused_prompt_tokens += reply.prompt_tokens or 0
        self.reused_completion_tokens += reply.completion_tokens or 0

    def pay(self, answer: Answer) -> None:
        """Count one answer that came over the wire."""
        if isinstance(answer, Refusal):
            self.refused += 1
            self.reasons[answer.reason] = self.reasons.get(answer.reason, 0) + 1
            return
        self.paid += 1
        self.uncounted += None in (answer.prompt_tokens, answer.completion_tokens)
        self.prompt_tokens += answer.prompt_tokens or 0
        self.completion_tokens += answer.completion_tokens or 0
        if not answer.values:
            self.end(answer.finish_reason or UNKNOWN, answer.completion_tokens or 0)

    def end(self, reason: str, tokens: int) -> None:
        """Count a generation by the reason for which it ended."""
        self.endings[reason] = self.endings.get(reason, 0) + 1
        self.ending_tokens[reason] = self.ending_tokens.get(reason, 0) + tokens
