"""What deferred tasks wait for, without holding a worker: a model that answers, or somebody who asks for a model."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from tracemill.errors import RecipeError, ServingError, TracemillError
from tracemill_airflow.places import store_at
from tracemill_airflow.run_state import RunOf, failed_ones, have_ended, have_failed, states

if TYPE_CHECKING:
    from tracemill.engine.store import Store
    from tracemill.models.turns import Turn

LOOK_EVERY = 3.0  # seconds
STAGES_EVERY = 5  # looks
AHEAD_FROM = 3  # looks after which somebody who asks ahead may wake a server: those who have their turn woke theirs
BESIDE = "beside-"  # what the leases of verify tasks begin with (tracemill.verify.parts.lease_name)


class WaitFailed(ServingError):
    """A deferred task could not go on waiting; the text says why. The task is tried again, and says it itself."""


async def told(waiting: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """The event that ends the waiting; an error becomes one too, so that the task fails with the error's own words."""
    try:
        return await waiting
    except TracemillError as error:
        return {"state": "failed", "error": f"{type(error).__name__}: {error}"}


def raise_if_failed(event: dict[str, Any]) -> None:
    """Raise what went wrong while the task was deferred, if anything did: RecipeError if no try will mend it."""
    if event["state"] == "failed":
        raise RecipeError(event["error"]) if event.get("final") else WaitFailed(event["error"])


def is_paused(recipe: str, store_url: str) -> bool:
    """Whether the run may spend no more money: then no server is started, as nobody may ask it."""
    from tracemill.local.limits import is_spent
    from tracemill.recipe import load_recipe

    return is_spent(load_recipe(recipe), store_at(store_url))


class LeaseTrigger(BaseTrigger):
    """Fires when each of these models has a live lease ("ready"), after `patience` seconds ("late"), or when no server
    will come any more ("failed", with the server's own words).

    `models` maps names to identities; `run` is the DAG run whose serve tasks are looked at. While it
    waits it says so on the store, which wakes the models' serve tasks; of who asks ahead of its turn only once each
    model of `after`, which is asked before, has its place or is not waited for.
    """

    def __init__(
        self,
        store_url: str,
        models: dict[str, str],
        patience: float,
        run: Sequence[str] = ("", ""),
        recipe: str = "",
        after: Sequence[str] = (),
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.store_url = store_url
        self.models = models
        self.patience = patience
        self.recipe = recipe
        self.run_of = RunOf(*run)
        self.after = list(after)
        self._turn: Turn | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Where this trigger is imported from and what it is made with."""
        settings = {
            "store_url": self.store_url,
            "models": self.models,
            "patience": self.patience,
            "run": list(self.run_of),
            "recipe": self.recipe,
            "after": self.after,
        }
        return "tracemill_airflow.triggers.LeaseTrigger", settings

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look every few seconds; the store is read in a thread, so that other triggers go on."""
        yield TriggerEvent(await told(self._wait()))  # type: ignore[no-untyped-call]

    async def _wait(self) -> dict[str, Any]:
        end = time.monotonic() + self.patience
        began = time.time()
        before = await asyncio.to_thread(failed_ones, self.run_of)
        for look in itertools.count():
            missing = await asyncio.to_thread(self._missing, look)
            if not missing:
                return {"state": "ready"}
            if time.monotonic() > end:
                return {"state": "late", "missing": missing}
            if look % STAGES_EVERY == 1:
                ended = await asyncio.to_thread(self._server_ended, missing, began)
                if ended:
                    return {"state": "failed", "error": ended, "final": True}
                if await asyncio.to_thread(failed_ones, self.run_of) - before:
                    return {"state": "ready"}  # the task looks itself, and ends with the run
                if await asyncio.to_thread(self._is_paused):
                    return {"state": "ready"}  # the task looks itself, and waits for a higher limit
            await asyncio.sleep(LOOK_EVERY)
        raise AssertionError("counting never ends")

    def _is_paused(self) -> bool:
        return bool(self.recipe) and is_paused(self.recipe, self.store_url)

    def _server_ended(self, missing: Sequence[str], began: float) -> str | None:
        """Why no server will come any more: in its own words, or because its tasks have failed for good."""
        from tracemill.models.lease import word_left

        left = [word_left(store_at(self.store_url), name, since=0) for name in missing]
        if any(word and word.final and word.at >= began for word in left):
            return next(word.text for word in left if word and word.final)
        judges = [name for name in missing if name.startswith(BESIDE)]
        tasks = {"serve": ["serve"], "verify": ["beside", "beside_programs"]}
        for kind, names in {"serve": [name for name in missing if name not in judges], "verify": judges}.items():
            if names and have_failed(states(self.run_of), tasks[kind]):
                said = [word.text for word in left if word]
                return said[-1] if said else f"the {kind} task of {', '.join(names)} failed: its log says why"
        return None

    def _missing(self, look: int) -> list[str]:
        from tracemill.models.lease import live_leases, want

        store = store_at(self.store_url)
        missing = [name for name, identity in self.models.items() if not live_leases(store, name, identity)]
        if missing and self._may_wake(store, look):
            for name in missing:
                want(store, name)
        return missing

    def _may_wake(self, store: Store, look: int) -> bool:
        from tracemill.models.turns import Turn

        if not self.after:
            return True
        self._turn = self._turn or Turn(store, self.after)
        return look >= AHEAD_FROM and self._turn.has_come()


class DemandTrigger(BaseTrigger):
    """Fires when somebody waits for a model ("wanted"), or when nobody of the run needs it any more ("over"): the
    stages that ask it are sealed, or their tasks have ended, well or not. `others` are served by the same server.
    """

    def __init__(
        self,
        store_url: str,
        recipe: str,
        model: str,
        run: Sequence[str] = ("", ""),
        others: Sequence[str] = (),
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.store_url = store_url
        self.recipe = recipe
        self.model = model
        self.others = list(others)
        self.run_of = RunOf(*run)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Where this trigger is imported from and what it is made with."""
        settings = {
            "store_url": self.store_url,
            "recipe": self.recipe,
            "model": self.model,
            "run": list(self.run_of),
            "others": self.others,
        }
        return "tracemill_airflow.triggers.DemandTrigger", settings

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look every few seconds; the look at all stages is the dearer one and is taken less often."""
        yield TriggerEvent(await told(self._wait()))  # type: ignore[no-untyped-call]

    async def _wait(self) -> dict[str, Any]:
        demand = await asyncio.to_thread(self._demand)
        for look in itertools.count():
            if await asyncio.to_thread(self._is_wanted):
                return {"state": "wanted"}
            if look % STAGES_EVERY == 0 and await asyncio.to_thread(self._is_over, demand):
                return {"state": "over"}
            await asyncio.sleep(LOOK_EVERY)
        raise AssertionError("counting never ends")

    def _demand(self) -> Any:
        from tracemill.engine.resources import Resources
        from tracemill.local.demand import Demand, asked_by
        from tracemill.recipe import load_recipe

        recipe = load_recipe(self.recipe)
        stages = asked_by(recipe, (self.model, *self.others))
        return Demand(recipe, store_at(self.store_url), Resources(), stages)

    def _is_over(self, demand: Any) -> bool:
        return have_ended(states(self.run_of), demand.stages) or bool(demand.is_over())

    def _is_wanted(self) -> bool:
        from tracemill.models.lease import wanted

        store = store_at(self.store_url)
        named = (self.model, *self.others)
        return any(wanted(store, name) for name in named) and not is_paused(self.recipe, self.store_url)


class VerdictTrigger(DemandTrigger):
    """Fires when a stage waits for verdicts ("wanted"), or when no stage of the run will ("over"); `programs` says of
    which verifiers.
    """

    def __init__(self, store_url: str, recipe: str, programs: bool, run: Sequence[str] = ("", "")) -> None:
        super().__init__(store_url, recipe, "", run)
        self.programs = programs

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Where this trigger is imported from and what it is made with."""
        settings = {
            "store_url": self.store_url,
            "recipe": self.recipe,
            "programs": self.programs,
            "run": list(self.run_of),
        }
        return "tracemill_airflow.triggers.VerdictTrigger", settings

    def _demand(self) -> Any:
        from tracemill.engine.resources import Resources
        from tracemill.local.beside import demand, seats
        from tracemill.recipe import load_recipe

        recipe = load_recipe(self.recipe)
        seated = seats(recipe, Resources(), self.programs)
        self._names = [f"{BESIDE}{one.seat.bench}" for one in seated]
        return demand(recipe, store_at(self.store_url), Resources(), seated)

    def _is_wanted(self) -> bool:
        from tracemill.models.lease import wanted

        return any(wanted(store_at(self.store_url), name) for name in self._names)
