"""Keeps the money and the rates of a model behind an API, for all tasks that ask it on one store.

    clients/MODEL/ID.json        one client: when it was last here, and what it has spent in all

Each client writes its own file, so nobody waits for anybody. What all have spent is the sum over the files; the rate
that one may use is the whole rate divided by those that are here. A client that was killed has written what it spent
two seconds before at the latest.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tracemill.engine.keys import keys_below
from tracemill.engine.objects import ObjectStore
from tracemill.errors import LimitSpent, StoreError
from tracemill.models.api import Api
from tracemill.models.pacing import Rate
from tracemill.models.prices import amount
from tracemill.models.request import Ask

_BYTES = 3  # of a token, rather too few than too many: a limit of money must hold without a count, too
_UNLIMITED = 32768  # tokens that an answer is taken to have at most where the recipe names no limit
_HERE = 30.0  # seconds for which a client counts after it was last heard of
_GONE = 120.0  # seconds after which a client's file will not change any more, and is not read again
_EVERY = 10.0  # seconds between two signs of life, if nothing was spent


@dataclass(frozen=True)
class Note:
    """What one client wrote of itself: when (seconds of the epoch), what it spent, what it holds for what is in flight.

    `reserved` is what it may spend of a whole run's money before it is heard of again.
    """

    at: float
    spent: float
    held: float
    reserved: float = 0.0

    @property
    def is_here(self) -> bool:
        """Whether it was heard of just now."""
        return time.time() - self.at < _HERE


@dataclass
class Purse:
    """What one client of a model spends. `settle` reads and writes the store and may be called from another thread."""

    store: ObjectStore
    model: str
    api: Api
    spent: float = 0.0
    others: float = 0.0
    held: float = 0.0
    others_held: float = 0.0
    reserved: float = 0.0
    requests: Rate | None = None
    tokens: Rate | None = None
    _id: str = field(default_factory=lambda: uuid.uuid4().hex)
    _seen: dict[str, Note] = field(default_factory=dict)
    _said: tuple[float, ...] = (float("-inf"), 0.0, 0.0, 0.0)
    _answers: int = 0
    _flying: int = 0
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        api = self.api
        self.requests = Rate(api.requests_per_minute) if api.requests_per_minute else None
        self.tokens = Rate(api.tokens_per_minute) if api.tokens_per_minute else None

    @property
    def name(self) -> str:
        """What its note is called."""
        return self._id

    @property
    def is_flying(self) -> bool:
        """Whether it has any request in flight."""
        return self._flying > 0

    @property
    def total(self) -> float:
        """What was spent on this store, as far as is known."""
        return self.spent + self.others

    def pay(
        self, prompt_tokens: int | None, completion_tokens: int | None, now: float, size: tuple[int, int] = (0, 0)
    ) -> None:
        """Count an answer's tokens; where the provider does not say how many, by the bytes of request and answer."""
        prompt = size[0] // _BYTES if prompt_tokens is None else prompt_tokens
        completion = size[1] // _BYTES if completion_tokens is None else completion_tokens
        if self.tokens:
            self.tokens.take(prompt + completion, now)
        if self.api.paid:
            self.spent += self.api.paid.of(prompt, completion)
            self._answers += 1

    def worth(self, ask: Ask) -> float:
        """What a request in flight may cost: as much as those before on average; the first as much as it can."""
        if self.api.paid is None:
            return 0.0
        if self._answers:
            return self.spent / self._answers
        return self.api.paid.of(ask.size // _BYTES, ask.body.get("max_tokens") or _UNLIMITED)

    def affords(self, worth: float) -> bool:
        """Whether what is left of the limit pays for one more request beside those in flight; for one it always does.

        Whether the limit is spent already is `check`'s to say.
        """
        limit = self.api.limit
        if limit is None or not self._flying or self.total >= limit:
            return True
        return self.total + self.held + self.others_held + worth <= limit

    @contextlib.contextmanager
    def holding(self, worth: float) -> Iterator[None]:
        """Hold the money for a request while it is in flight, and take it from the rate. Raises as `check`."""
        self.check()
        if self.requests:
            self.requests.take(1, time.monotonic())
        self.held += worth
        self._flying += 1
        try:
            yield
        finally:
            self._flying -= 1
            self.held = self.held - worth if self._flying else 0.0

    def check(self) -> None:
        """Raise LimitSpent when the limit is spent."""
        limit = self.api.limit
        if limit is not None and self.total >= limit:
            currency = self.api.price.currency if self.api.price else ""
            raise LimitSpent(
                f"model {self.model!r}: the limit of {limit:g} {currency} is spent ({amount(self.total)}). What was "
                "answered is kept; raise api.limit and run again to go on",
                limit,
                self.model,
            )

    def is_open(self, now: float) -> bool:
        """Whether the rates allow one more request now."""
        return all(rate is None or rate.is_open(now) for rate in (self.requests, self.tokens))

    def write(self) -> None:
        """Write what this client spent, if anything changed or nobody heard of it for a while."""
        with self._writing:
            at, *known = self._said
            now = (self.spent, self.held, self.reserved)
            if [*now] != known or time.monotonic() - at >= _EVERY:
                record = json.dumps({"at": time.time(), "spent": now[0], "held": now[1], "reserved": now[2]})
                self.store.write_bytes(f"clients/{self.model}/{self._id}.json", record.encode())
                self._said = (time.monotonic(), *now)

    def settle(self) -> None:
        """Write what this client spent, read what others did, and share the rates among those who are here."""
        self.write()
        self._seen = notes(self.store, f"clients/{self.model}", self._seen, but=self._id)
        self.others = sum(note.spent for note in self._seen.values())
        present = [note.held for note in self._seen.values() if note.is_here]
        self.others_held = sum(present)
        for rate in (self.requests, self.tokens):
            if rate:
                rate.share = 1 / (1 + len(present))


def notes(store: ObjectStore, place: str, known: Mapping[str, Note], but: str) -> dict[str, Note]:
    """What clients wrote below `place`, by key, without the one called `but`; of those who were gone at the last look,
    or whose note is not there just now, what is known.

    Raises StoreError for a note that cannot be read: what it says would be spent again.
    """
    now = time.time()
    found = dict(known)
    for key in keys_below(store, place):
        if not key.endswith(f"/{but}.json") and (key not in known or now - known[key].at < _GONE):
            with contextlib.suppress(FileNotFoundError):  # it is being replaced
                found[key] = _read(store, key)
    return found


def _read(store: ObjectStore, key: str) -> Note:
    text = store.read_bytes(key)
    try:
        record = json.loads(text)
        more = (float(record.get(name, 0.0)) for name in ("held", "reserved"))
        return Note(float(record["at"]), float(record["spent"]), *more)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{store.root}/{key} does not say what its client spent ({error}): remove it to count that as nothing"
        ) from error
