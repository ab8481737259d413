"""Asks a model through its provider's batch API: half the price, an answer within a day, and nothing paid for twice.

    batches/MODEL/NEAR/MARK.json     one batch: what it asks for and how far it is

A record is written before anything is sent, and once more with the batch's id before anything waits. Who finds a
record without an id looks for a batch with its mark at the provider: so a kill at any moment costs nothing. Answers
land in the sample store under the key that they have however they were asked; what a batch leaves open is asked in
a next one.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.engine.keys import keys_below
from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import AnswersPending, LimitSpent, RecipeError, ServingError
from tracemill.models.api import Api
from tracemill.models.api import Batch as Settings
from tracemill.models.batch_api import Batch, BatchApi
from tracemill.models.budget import Budget
from tracemill.models.endpoints import Endpoint
from tracemill.models.fleet import named_endpoints
from tracemill.models.model import Model
from tracemill.models.payload import encoded
from tracemill.models.request import Answer, Ask, Refusal, Reply
from tracemill.models.wire import ServerFault, read_reply

ROUTES = {"/v1/chat/completions", "/v1/completions"}
_MOST = 50_000  # requests of a batch; OpenAI's limit, as is the next
_LARGEST = 180 * 2**20  # bytes of a batch's file (200 MB are allowed)
_CHARACTERS = 2.0  # of a token, at least: for what a prompt may cost at most
Keep = Callable[[str, dict[str, Reply]], object]  # the mark of a batch, and what it brought
_log = logging.getLogger(__name__)


class Record(BaseModel):
    """What the store knows of a batch: `keys` it asks for, its id once there is one, refusals once it was collected.

    `reserved` is what it may cost at most; while it is open that much of the limit is spoken for.
    """

    model_config = ConfigDict(frozen=True)
    mark: str
    route: str
    keys: tuple[str, ...]
    at: float
    batch: str | None = None
    state: Literal["intent", "open", "collected"] = "intent"
    reserved: float = 0.0
    refused: dict[str, Refusal] = {}


@dataclass
class Batches:
    """The batches of one model for one shard (`near`)."""

    model: Model
    store: ObjectStore
    resources: Resources
    near: str
    records: dict[str, Record] = field(default_factory=dict)
    budget: Budget | None = None  # of the whole run

    @property
    def api(self) -> Api:
        """The model's API. Raises RecipeError for a model that has none."""
        if self.model.api is None:
            raise RecipeError(f"model {self.model.name!r} is behind no API: it has no batches")
        return self.model.api

    @property
    def _settings(self) -> Settings:
        return self.api.batch or Settings()

    def known(self) -> dict[str, Refusal]:
        """The refusals that batches brought which were collected before; replies are in the sample store."""
        self.records = {record.mark: record for record in self._read(f"batches/{self.model.name}/{self.near}")}
        return {key: refusal for record in self.records.values() for key, refusal in record.refused.items()}

    def submit(self, asks: Mapping[str, Ask], spent: float) -> None:
        """Ask for what no open batch asks for yet. `spent`: money that is gone already."""
        asked = {key for record in self._unfinished() for key in record.keys}
        left = {key: ask for key, ask in asks.items() if key not in asked}
        with self._provider() as provider:
            for record in list(self._unfinished()):
                if record.batch is None:
                    self._send(provider, record, [self._line(key, asks[key]) for key in record.keys if key in asks])
            for record, lines in self._cut(left, spent):
                self._send(provider, record, lines)

    def collect(self, keep: Keep) -> dict[str, Answer] | None:
        """The answers of all batches once none of them works any more; None before. `keep` stores replies for good.

        Raises RecipeError with the provider's words when it refuses a batch, ServingError when one brought nothing.
        """
        with self._provider() as provider:
            stand = {record.mark: provider.look(str(record.batch)) for record in self._unfinished()}
            if any(batch.ending is None for batch in stand.values()):
                return None
            found: dict[str, Answer] = {}
            for mark, batch in stand.items():
                found |= self._collected(provider, self.records[mark], batch, keep)
            return found

    def wait_or_leave(self) -> None:
        """Sleep until the next look; under a scheduler raise AnswersPending instead, so that no worker is held."""
        records = [self._key(record.mark) for record in self._unfinished()]
        if self.resources.away is not None:
            raise AnswersPending(self.model.name, records)
        _log.info("%s: %d batches are at work at %s", self.model.name, len(records), self.api.provider)
        time.sleep(self._settings.poll)

    def settle(self) -> None:
        """Forget the refusals: the shard has them now, and who asks again means it."""
        for record in list(self.records.values()):
            if record.state == "collected" and record.refused:
                self._note(record.model_copy(update={"refused": {}, "keys": ()}))

    def _unfinished(self) -> list[Record]:
        return [record for record in self.records.values() if record.state != "collected"]

    def _send(self, provider: BatchApi, record: Record, lines: Sequence[bytes]) -> None:
        """Make the batch of a record, or find the one that was made before somebody died."""
        is_new = record.mark not in self.records
        if is_new:
            self._note(record)
        batch = None if is_new else provider.find(record.mark)
        if batch is None and not lines:  # all of it was answered elsewhere meanwhile
            self._note(record.model_copy(update={"state": "collected", "keys": (), "reserved": 0.0}))
            return
        if batch is None:
            batch = provider.submit(b"".join(lines), record.route, record.mark, self._settings.window)
            _log.info("%s: batch %s asks for %d answers", self.model.name, batch, len(lines))
        self._note(record.model_copy(update={"batch": batch, "state": "open"}))

    def _cut(self, asks: Mapping[str, Ask], spent: float) -> Iterable[tuple[Record, list[bytes]]]:
        """The asks in parts that a provider takes and the limit pays for: each one's record, and its lines."""
        part: dict[str, bytes] = {}
        size = 0
        money = 0.0
        route = ""
        rooms = self._rooms(spent)
        room = min((left for left, _, _ in rooms), default=None)
        for key, ask in sorted(asks.items(), key=lambda item: item[1].route):
            line = self._line(key, ask)
            cost = self._at_most(ask)
            if part and (len(part) == _MOST or size + len(line) > _LARGEST or ask.route != route):
                yield self._record(part, route, money), list(part.values())
                part = {}
                size = 0
                money = 0.0
            if room is not None:
                if cost > room:
                    break
                room -= cost
            part[key] = line
            size = size + len(line)
            money = money + cost
            route = ask.route
        if part:
            yield self._record(part, route, money), list(part.values())
        elif asks and not self._unfinished():
            raise self._nothing_left(*min(rooms)[1:])

    def _record(self, part: Mapping[str, bytes], route: str, money: float) -> Record:
        told = "|".join((self.model.name, self.near, str(len(self.records)), *sorted(part)))
        mark = hashlib.sha256(told.encode()).hexdigest()[:40]  # two copies of one task agree on it
        return Record(mark=mark, route=route, keys=tuple(part), at=time.time(), reserved=money)

    def _rooms(self, spent: float) -> list[tuple[float, float, str]]:
        """What nobody has spent or reserved of each limit there is, with the limit and whose it is (see LimitSpent)."""
        rooms = []
        if self.api.limit is not None:
            reserved = self._reserved(f"batches/{self.model.name}")
            rooms.append((self.api.limit - spent - reserved, self.api.limit, self.model.name))
        if self.budget and self.budget.limit is not None:
            rooms.append((self.budget.limit - self.budget.spent() - self._reserved("batches"), self.budget.limit, ""))
        return rooms

    def _reserved(self, place: str) -> float:
        return sum(record.reserved for record in self._read(place) if record.state != "collected")

    def _nothing_left(self, limit: float, whose: str) -> LimitSpent:
        name = "api.limit" if whose else "cost_limit"
        text = (
            f"model {self.model.name!r}: what is left of the limit of {limit:g} does not pay for one more request of "
            f"this batch. What was answered is kept; raise {name} and run again to go on"
        )
        return LimitSpent(text, limit, whose)

    def _at_most(self, ask: Ask) -> float:
        price = self.api.paid
        most = ask.body.get("max_tokens")
        is_limited = self.api.limit is not None or (self.budget and self.budget.limit is not None)
        if price is None or not is_limited:
            return 0.0
        if most is None:
            raise RecipeError(f"model {self.model.name!r}: a batch under a limit of money needs sampling.max_tokens")
        return price.of(int(len(str(ask.body)) / _CHARACTERS), int(most))

    def _line(self, key: str, ask: Ask) -> bytes:
        idle = ask.idle if self.api.is_unlisted else frozenset()
        asked = {name: value for name, value in ask.body.items() if name not in idle}
        body, _ = self.api.adapted({"model": self._endpoint.model, **asked})
        return encoded({"custom_id": key, "method": "POST", "url": ask.route, "body": body}) + b"\n"

    def _collected(self, provider: BatchApi, record: Record, batch: Batch, keep: Keep) -> dict[str, Answer]:
        """What a batch brought, kept, and only then noted down as collected. Raises as `collect`."""
        found: dict[str, Answer] = {}
        faults: list[str] = []
        for file in batch.files:
            for line in provider.lines(file):
                key = str(line.get("custom_id"))
                if key in record.keys:
                    with suppress(_Unanswered):
                        found[key] = _answer(record.route, line, faults)
        keep(record.mark, {key: answer for key, answer in found.items() if isinstance(answer, Reply)})
        said = "; ".join(faults[:2]) or batch.said
        refused = {key: answer for key, answer in found.items() if isinstance(answer, Refusal)}
        self._note(record.model_copy(update={"state": "collected", "refused": refused, "keys": (), "reserved": 0.0}))
        if batch.ending == "failed":
            raise RecipeError(f"model {self.model.name!r}: {self.api.provider} refuses the batch {batch.id}: {said}")
        if batch.ending == "cancelled":
            raise RecipeError(
                f"model {self.model.name!r}: the batch {batch.id} was cancelled; run again to ask the rest"
            )
        if not found:
            raise ServingError(f"model {self.model.name!r}: the batch {batch.id} brought no answer: {said}")
        return found

    @cached_property
    def _endpoint(self) -> Endpoint:
        return named_endpoints(self.model, self.resources)[0]

    def _provider(self) -> BatchApi:
        return BatchApi(self._endpoint)

    def _key(self, mark: str) -> str:
        return f"batches/{self.model.name}/{self.near}/{mark}.json"

    def _note(self, record: Record) -> None:
        self.store.write_bytes(self._key(record.mark), record.model_dump_json().encode())
        self.records[record.mark] = record

    def _read(self, prefix: str) -> list[Record]:
        """The records below a prefix. Raises RecipeError for what is none: to go on might be to pay twice."""
        found = []
        for key in keys_below(self.store, prefix):
            try:
                found.append(Record.model_validate_json(self.store.read_bytes(key)))
            except ValidationError as error:
                raise RecipeError(f"{key} on the store is no record of a batch that this tracemill knows") from error
        return found


class _Unanswered(Exception):
    """A line of a batch that says that its request was not answered; it may be in the next one."""


def _answer(route: Any, line: Mapping[str, Any], faults: list[str]) -> Reply | Refusal:
    """What one line of an output or error file says. Raises _Unanswered, with the reason in `faults`."""
    response = line.get("response")
    if not isinstance(response, Mapping):
        faults.append(str(line.get("error")))
        raise _Unanswered
    try:
        return read_reply(route, int(response.get("status_code") or 0), response.get("body"), 0.0)
    except ServerFault as fault:
        faults.append(str(fault))
        raise _Unanswered from fault


def suits(ask: Ask) -> bool:
    """Whether a batch can ask this: the numbers of tokens and their ranks come from engines alone."""
    return ask.route in ROUTES and not ask.goes_on and ask.ranked is None and not ask.logprobs


def is_over(model: Model, store: ObjectStore, resources: Resources, records: Iterable[str]) -> bool:
    """Whether none of these batches works any more: what a deferred task waits for."""
    with BatchApi(named_endpoints(model, resources)[0]) as provider:
        for key in records:
            record = Record.model_validate_json(store.read_bytes(key))
            if record.batch is not None and provider.look(record.batch).ending is None:
                return False
    return True
