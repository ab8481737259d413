"""What a stage waits for that has asked in batches: hours, in which it holds no worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from tracemill.errors import ServingError
from tracemill_airflow.places import store_at
from tracemill_airflow.run_state import RunOf, failed_ones
from tracemill_airflow.triggers import told

_MISSED = 10  # looks, one after the other, that a provider may leave unanswered while a batch works


class BatchTrigger(BaseTrigger):
    """Fires when none of these batches of a model works any more ("ready"), or a task of the run has failed."""

    def __init__(
        self, store_url: str, recipe: str, model: str, records: Sequence[str], run: Sequence[str] = ("", "")
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.store_url = store_url
        self.recipe = recipe
        self.model = model
        self.records = list(records)
        self.run_of = RunOf(*run)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Where this trigger is imported from and what it is made with."""
        settings = {
            "store_url": self.store_url,
            "recipe": self.recipe,
            "model": self.model,
            "records": self.records,
            "run": list(self.run_of),
        }
        return "tracemill_airflow.batch_trigger.BatchTrigger", settings

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look as often as the recipe says; the provider is asked in a thread, so that other triggers go on."""
        yield TriggerEvent(await told(self._wait()))  # type: ignore[no-untyped-call]

    async def _wait(self) -> dict[str, Any]:
        model, machine = await asyncio.to_thread(self._asked)
        before = await asyncio.to_thread(failed_ones, self.run_of)
        missed = 0
        while True:
            try:
                if await asyncio.to_thread(self._is_over, model, machine):
                    return {"state": "ready"}
                missed = 0
            except ServingError:
                missed += 1
                if missed > _MISSED:
                    raise
            if await asyncio.to_thread(failed_ones, self.run_of) - before:
                return {"state": "ready"}
            await asyncio.sleep(model.api.batch.poll)

    def _asked(self) -> Any:
        from tracemill.engine.resources import Resources
        from tracemill.local.demand import served_models
        from tracemill.recipe import load_recipe
        from tracemill_airflow.endpoints import with_connections

        model = served_models(load_recipe(self.recipe))[self.model].model
        return model, with_connections(Resources(), [self.model])

    def _is_over(self, model: Any, machine: Any) -> bool:
        from tracemill.models.batches import is_over

        return is_over(model, store_at(self.store_url), machine, self.records)
