"""Plan: which slices of which sources become which shards. All that follows is mapped over its batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracemill.errors import RecipeError
from tracemill_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class PlanOperator(StageOperator):
    """Cuts the sources into shards and returns the shard numbers in batches, one batch a mapped task.

    `shards_per_task` 0 spreads the shards over `tasks` batches. Raises RecipeError when the recipe names a stage that
    this DAG does not run: nothing may be skipped unseen.
    """

    stage_name = "plan"
    template_fields: Sequence[str] = (*StageOperator.template_fields, "shards_per_task")

    def __init__(self, *, stages: Sequence[str], shards_per_task: Any = 0, tasks: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stages, self.shards_per_task, self.tasks = tuple(stages), shards_per_task, tasks

    def execute(self, context: Context) -> list[list[int]]:  # type: ignore[override]
        """Seal the plan; returns batches of shard numbers."""
        from tracemill.recipe import load_recipe
        from tracemill.runner import shard_count

        recipe = load_recipe(self.recipe)
        unknown = [name for name in recipe.pipeline() if name not in self.stages]
        if unknown:
            raise RecipeError(
                f"recipe {recipe.name!r} has stages this DAG does not run: {unknown}; it runs {self.stages}"
            )
        summary = super().execute(context)
        context["ti"].xcom_push(key="summary", value=summary)
        count = shard_count(self.open_store())
        size = int(self.shards_per_task) or -(-count // self.tasks)
        return [list(range(start, min(start + size, count))) for start in range(0, count, size)]
