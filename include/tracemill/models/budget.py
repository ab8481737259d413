"""Keeps what all models of a run cost together below one limit: the tokens of hosted ones, the devices of served ones.

    costs/limit.json      the limit that was last said for this store; it goes before the recipe's

What was spent is added up from what each client and each server wrote down of itself (clients/, costs/servers/), so a
kill counts nothing twice, and whoever comes next knows it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import CostLimit
from tracemill.errors import LimitSpent, StoreError
from tracemill.models.costs import ServerLife, lives
from tracemill.models.lease import BEAT
from tracemill.models.model import Model
from tracemill.models.prices import GpuPrice, amount
from tracemill.models.purse import Note, Purse, notes

SAID = "costs/limit.json"
_UNHEARD = 2 * BEAT  # seconds for which a server that was not heard of since is taken to hold its devices


class Budget:
    """What is left of a run's money, for one client. `settle` reads the store and may be called from another thread."""

    def __init__(self, store: ObjectStore, cost: CostLimit) -> None:
        self.limit = cost.most
        self._store = store
        self._cost = cost
        self._notes: dict[str, Note] = {}
        self._ended: dict[str, ServerLife] = {}
        self._living: list[ServerLife] = []
        self._tokens = 0.0
        self._own = 0.0

    def settle(self, own: Purse | None = None, *, always: bool = False) -> None:
        """Read what everybody spent, `always` or where there is a limit.

        `own` is this client's purse, if it has one, which it has just settled.
        """
        said = limit_said(self._store)
        self.limit = self._cost.most if said is None else said
        if self.limit is None and not always:
            return
        self._notes = notes(self._store, "clients", self._notes, but=own.name if own else "")
        self._tokens = sum(note.spent for note in self._notes.values())
        known = lives(self._store, known=self._ended)
        self._ended |= {life.key: life for life in known if life.ended}
        self._living = [life for life in known if self._hour(life)]
        if own and self.limit is not None:
            self._reserve(own, self.limit)

    def _reserve(self, own: Purse, limit: float) -> None:
        """Take half of a fair share of what is left until the next look, and let the others know before it is used."""
        here = [note for note in self._notes.values() if note.is_here]
        self._own = own.spent
        left = limit - self.spent(own) - sum(max(note.held, note.reserved) for note in here)
        own.reserved = max(0.0, left) / (2 * (1 + len(here)))
        own.write()

    def spent(self, own: Purse | None = None) -> float:
        """The money that is spent until now, as far as is known."""
        held = sum(self._hour(life) * life.devices * _seconds(life) for life in self._living) / 3600
        return self._tokens + held + (own.spent if own else 0.0)

    def check(self, own: Purse | None = None) -> None:
        """Raise LimitSpent when nothing is left."""
        if self.limit is not None and self.spent(own) >= self.limit:
            raise self.over(self.spent(own))

    def over(self, spent: float) -> LimitSpent:
        """The error that ends asking."""
        limit = self.limit or 0.0
        return LimitSpent(
            f"the cost_limit of {limit:g} {self._cost.currency} is reached ({amount(spent)} spent). What was answered "
            "is kept; raise cost_limit in the recipe, or say `tracemill cost ROOT --limit MORE`, to go on",
            limit,
        )

    def affords(self, own: Purse, worth: float) -> bool:
        """Whether what this client reserved pays for one more request beside those in flight.

        For the first one after each look it always does, as else what is left could be too little for anybody to go
        on. Whether anything is left is `check`'s to say.
        """
        if self.limit is None or (not own.is_flying and own.spent == self._own):
            return True
        return own.spent - self._own + own.held + worth <= own.reserved

    def _hour(self, life: ServerLife) -> float:
        """What an hour of its devices costs: as the recipe says, or said before it left the model out."""
        said = [self._cost.hours[model] for model in life.models if model in self._cost.hours]
        if said or life.price is None or life.price.currency != self._cost.currency:
            return max(said, default=0.0)
        return life.price.gpu_hour


def limit_said(store: ObjectStore) -> float | None:
    """The limit that was said for this store; None where the recipe's holds. Raises StoreError if nobody can tell."""
    try:
        return float(json.loads(store.read_bytes(SAID))["limit"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{store.root}/{SAID} does not say a limit ({error}): say it again by `tracemill cost ROOT --limit MORE`"
        ) from error


def say_limit(store: ObjectStore, limit: float) -> None:
    """Let this limit hold from now on, also for what is paused."""
    store.write_bytes(SAID, json.dumps({"limit": limit}).encode())


def _seconds(life: ServerLife) -> float:
    until = life.seen if life.ended else max(life.seen, min(time.time(), life.seen + _UNHEARD))
    return until - life.began


def counted(models: Iterable[Model], most: float | None) -> CostLimit:
    """By what the money of a run is counted that asks these models, and how much of it there may be.

    Raises ValueError for a limit that would never be reached, as nothing has a price, or that adds up two currencies.
    """
    asked = list(models)
    prices = [model.token_price or model.hour_price for model in asked]
    known = [price for price in prices if price and (isinstance(price, GpuPrice) or price.is_any)]
    currencies = sorted({price.currency for price in known})
    if most is not None and not known:
        raise ValueError(
            "cost_limit would never be reached: no model of the recipe has a price above zero. Give serve.price "
            "(gpu_hour) or api.price (input, output), or leave cost_limit out"
        )
    if most is not None and len(currencies) > 1:
        raise ValueError(f"cost_limit adds up what all models cost, and prices are in {' and '.join(currencies)}")
    hours = {model.name: price.gpu_hour for model in asked if (price := model.hour_price)}
    return CostLimit(most, currencies[0] if len(currencies) == 1 else "", hours)
