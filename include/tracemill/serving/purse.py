"""Keeps the money and the rates of a model behind an API, for all tasks that ask it on one store.

    clients/MODEL/ID.json        one client: when it was last here, and what it has spent in all

Each client writes its own file, so nobody waits for anybody. What all have spent is the sum over the files; the rate
that one may use is the whole rate divided by those that are here. A client that was killed has written what it spent
two seconds before at the latest.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field

from tracemill.errors import RecipeError
from tracemill.objects import ObjectStore
from tracemill.serving.api import Api
from tracemill.serving.keys import keys_below
from tracemill.serving.pacing import Rate

_LETTERS = 3  # of a token, rather too few than too many: a limit of money must hold without a count, too
_HERE = 30.0  # seconds for which a client counts after it was last heard of
_GONE = 120.0  # seconds after which a client's file will not change any more, and is not read again
_EVERY = 10.0  # seconds between two signs of life, if nothing was spent


@dataclass
class Purse:
    """What one client of a model spends. `settle` reads and writes the store and may be called from another thread."""

    store: ObjectStore
    model: str
    api: Api
    spent: float = 0.0
    others: float = 0.0
    requests: Rate | None = None
    tokens: Rate | None = None
    _id: str = field(default_factory=lambda: uuid.uuid4().hex)
    _seen: dict[str, tuple[float, float]] = field(default_factory=dict)
    _said: tuple[float, float] = (float("-inf"), 0.0)

    def __post_init__(self) -> None:
        api = self.api
        self.requests = Rate(api.requests_per_minute) if api.requests_per_minute else None
        self.tokens = Rate(api.tokens_per_minute) if api.tokens_per_minute else None

    @property
    def total(self) -> float:
        """What was spent on this store, as far as is known."""
        return self.spent + self.others

    def pay(
        self, prompt_tokens: int | None, completion_tokens: int | None, now: float, letters: tuple[int, int] = (0, 0)
    ) -> None:
        """Count an answer's tokens; where the provider does not say how many, by the letters of request and answer."""
        prompt = letters[0] // _LETTERS if prompt_tokens is None else prompt_tokens
        completion = letters[1] // _LETTERS if completion_tokens is None else completion_tokens
        if self.tokens:
            self.tokens.take(prompt + completion, now)
        if self.api.paid:
            self.spent += self.api.paid.of(prompt, completion)

    def check(self) -> None:
        """Raise RecipeError when the limit is spent."""
        limit = self.api.limit
        if limit is not None and self.total >= limit:
            currency = self.api.price.currency if self.api.price else ""
            raise RecipeError(
                f"model {self.model!r}: the limit of {limit:g} {currency} is spent ({self.total:.2f}). What was "
                "answered is kept; raise api.limit and run again to go on"
            )

    def is_open(self, now: float) -> bool:
        """Whether the rates allow one more request now."""
        return all(rate is None or rate.is_open(now) for rate in (self.requests, self.tokens))

    def settle(self) -> None:
        """Write what this client spent, read what others did, and share the rates among those who are here."""
        at, known = self._said
        if self.spent != known or time.monotonic() - at >= _EVERY:
            record = json.dumps({"at": time.time(), "spent": self.spent})
            self.store.write_bytes(f"clients/{self.model}/{self._id}.json", record.encode())
            self._said = (time.monotonic(), self.spent)
        now = time.time()
        for key in keys_below(self.store, f"clients/{self.model}"):
            if self._id not in key and now - self._seen.get(key, (now, 0.0))[0] < _GONE:
                self._seen[key] = self._read(key)
        self.others = sum(spent for _, spent in self._seen.values())
        here = 1 + sum(now - at < _HERE for at, _ in self._seen.values())
        for rate in (self.requests, self.tokens):
            if rate:
                rate.share = 1 / here

    def _read(self, key: str) -> tuple[float, float]:
        try:
            record = json.loads(self.store.read_bytes(key))
            return float(record["at"]), float(record["spent"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return 0.0, 0.0
