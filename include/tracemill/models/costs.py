"""What model servers held of their devices and used of them, as they wrote it down, and what a token of theirs took.

    costs/servers/MODEL/SERVER.json      one server's life: what it held and used until then, written anew as it lives

A server writes a file of its own, and each time the whole of it. So nobody waits for anybody, nothing can be counted
twice, and a kill -9 loses the seconds since it was last written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.engine.keys import keys_below
from tracemill.engine.objects import ObjectStore
from tracemill.models.prices import GpuPrice

PLACE = "costs/servers"
# What a token that is read counts beside one that is written, where an engine does not say how long it reads: one pass
# over the weights reads a whole prompt, and writes one token of each answer.
READ_WEIGHT = 0.1
Unit = Literal["GPU", "processor"]


@dataclass(frozen=True)
class TokenTime:
    """Device-seconds that a server used for each token that it read, and for each that it wrote."""

    read: float
    wrote: float

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """The device-seconds of so many tokens."""
        return prompt_tokens * self.read + completion_tokens * self.wrote


class ServerLife(BaseModel):
    """One server from the start of its process: the models that it served, on how many devices, and what it did.

    `began` and `seen` are seconds of the epoch: its start, and when it was last heard of. `busy`: seconds in which it
    had a request. `prompted` and `generated` count tokens; `reading` and `writing` are the engine's own sums of the
    seconds that requests took before their first token and after it. `price`: what an hour of a device cost when it
    began; None where the recipe did not say.
    """

    model_config = ConfigDict(frozen=True)
    server: str
    models: tuple[str, ...]
    replica: int
    host: str
    unit: Unit
    devices: int
    began: float
    seen: float
    ended: bool = False
    busy: float = 0.0
    prompted: float = 0.0
    generated: float = 0.0
    reading: float = 0.0
    writing: float = 0.0
    price: GpuPrice | None = None

    @property
    def key(self) -> str:
        """Where on the store it lies."""
        return f"{PLACE}/{self.models[0]}/{self.server}.json"

    @property
    def held(self) -> float:
        """Device-seconds from its start until it was last heard of."""
        return (self.seen - self.began) * self.devices

    @property
    def used(self) -> float:
        """Device-seconds in which it had a request."""
        return self.busy * self.devices

    def token_time(self) -> TokenTime:
        """What it used, divided among its tokens: by the time that requests were read and written for, as the engine
        says, and then evenly. Times its own tokens it is what it used.
        """
        reading, writing = self._shares()
        whole = reading + writing
        if not whole:
            return TokenTime(0.0, 0.0)
        return TokenTime(
            self.used * reading / whole / self.prompted if self.prompted else 0.0,
            self.used * writing / whole / self.generated if self.generated else 0.0,
        )

    def _shares(self) -> tuple[float, float]:
        reading = self.reading if self.prompted else 0.0
        writing = self.writing if self.generated else 0.0
        return (reading, writing) if reading + writing else (READ_WEIGHT * self.prompted, self.generated)


def write(store: ObjectStore, life: ServerLife) -> None:
    """Write it down, in the place of what was written of it before. Raises StoreError."""
    store.write_bytes(life.key, life.model_dump_json().encode())


def lives(store: ObjectStore, known: Mapping[str, ServerLife] = MappingProxyType({})) -> list[ServerLife]:
    """The servers that there were on this store, in the order of their starts; those of `known`, by key, are not read.

    Raises StoreError. What is no such record (a newer tracemill's, say) is left out.
    """
    found = [known.get(key) or _read(store, key) for key in keys_below(store, PLACE)]
    return sorted(filter(None, found), key=lambda life: (life.began, life.server))


def mean_time(servers: Iterable[ServerLife]) -> TokenTime | None:
    """What a token took on average of several servers' tokens; None where none has made any."""
    known = [(life, life.token_time()) for life in servers if life.prompted + life.generated]
    if not known:
        return None
    prompted = sum(life.prompted for life, _ in known)
    generated = sum(life.generated for life, _ in known)
    return TokenTime(
        sum(time.read * life.prompted for life, time in known) / prompted if prompted else 0.0,
        sum(time.wrote * life.generated for life, time in known) / generated if generated else 0.0,
    )


def _read(store: ObjectStore, key: str) -> ServerLife | None:
    try:
        return ServerLife.model_validate_json(store.read_bytes(key))
    except (FileNotFoundError, ValidationError):
        return None
