"""What a stage waits for that may spend no more money: a higher limit. It holds no worker, and is not a failure."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from tracemill.errors import RecipeError
from tracemill_airflow.pausing import Question
from tracemill_airflow.places import store_at
from tracemill_airflow.run_state import RunOf, failed_ones
from tracemill_airflow.triggers import STAGES_EVERY, told

LOOK_EVERY = 5.0  # seconds
_log = logging.getLogger(__name__)


class CostTrigger(BaseTrigger):
    """Fires when the limit that stopped a stage is higher now ("ready"), or a task of the run has failed.

    `limit` is what was reached, `model` whose it is ("" for the run's cost_limit). The recipe is read anew at each
    look, so that whoever raises the limit in its file is understood; one that cannot be read just now raises nothing.
    Where the task `asks` people, an answer from before it waited ends the waiting too (of later ones Airflow itself
    tells the task), and when it ends otherwise the question is closed.
    """

    def __init__(
        self,
        store_url: str,
        recipe: str,
        limit: float,
        model: str = "",
        run: Sequence[str] = ("", ""),
        asks: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.store_url = store_url
        self.recipe = recipe
        self.limit = limit
        self.model = model
        self.run_of = RunOf(*run)
        self.asks = asks

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Where this trigger is imported from and what it is made with."""
        settings = {
            "store_url": self.store_url,
            "recipe": self.recipe,
            "limit": self.limit,
            "model": self.model,
            "run": list(self.run_of),
            "asks": self.asks,
        }
        return "tracemill_airflow.cost_trigger.CostTrigger", settings

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look every few seconds; recipe and store are read in a thread, so that other triggers go on."""
        yield TriggerEvent(await told(self._wait()))  # type: ignore[no-untyped-call]

    async def _wait(self) -> dict[str, Any]:
        question = Question(self.task_instance.id) if self.asks and self.task_instance else None
        before = await asyncio.to_thread(failed_ones, self.run_of)
        for look in itertools.count():
            await asyncio.sleep(
                LOOK_EVERY
            )  # at first, too: a task that is back before Airflow heard it leave is failed
            if question and not look and (answer := await question.answer()) is not None:
                return {"state": "ready", "params_input": answer}
            failed = await asyncio.to_thread(failed_ones, self.run_of) if look % STAGES_EVERY == 1 else before
            is_raised = await asyncio.to_thread(self._is_raised)
            if is_raised or failed - before:  # the task looks itself
                if question:
                    await question.close()
                return {"state": "ready"}
        raise AssertionError("counting never ends")

    def _is_raised(self) -> bool:
        from tracemill.local.limits import is_raised
        from tracemill.recipe import load_recipe

        try:
            recipe = load_recipe(self.recipe)
        except RecipeError as error:
            _log.warning("the recipe cannot be read just now: %s", error)
            return False
        return is_raised(recipe, store_at(self.store_url), self.limit, self.model)
