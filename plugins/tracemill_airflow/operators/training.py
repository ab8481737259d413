"""What a stage does that trains a student: it holds the GPUs for as long as it takes, and lays out what it made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tracemill_airflow.operators.base import StageOperator
from tracemill_airflow.queues import GPU

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.engine.resources import Resources


class TellingOperator(StageOperator):
    """Says in its log how far it is: it takes long."""

    def machine(self) -> Resources:
        """The same, with this task's log for masks, loss and how far it is."""
        return replace(super().machine(), tell=self.log.info)


class TrainingOperator(TellingOperator):
    """Trains as a child of this task.

    A task that is tried again goes on from the last checkpoint. It may take days, so that no time-out of stages holds.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"pool": "gpu", "queue": GPU, "execution_timeout": None, **kwargs})

    def execute(self, context: Context) -> Any:
        """Seal the student, and lay it out in the folder that its step names; but a trial's."""
        from tracemill.recipe import load_recipe
        from tracemill.train.student import lay_out

        made = super().execute(context)
        recipe = load_recipe(self.recipe)
        if self.stage in recipe.pipeline() and not recipe.trial:  # nor does a trial's take the place of the whole one
            folder = lay_out(recipe.step(self.stage), self.stage, self.open_store(), recipe.located(self.machine()))
            self.log.info("the student lies in %s", folder or "the store alone: `folder` of its step lays it out")
        return made
