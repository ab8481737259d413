"""Plan: which slices of which sources become which shards. All that follows is mapped over its batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tracemill.errors import RecipeError
from tracemill_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.resources import Resources

FEW_TASKS, MANY_TASKS, SHARDS_A_TASK = 2, 200, 8  # airflow.md in docs/design: a task costs seconds before it works


class PlanOperator(StageOperator):
    """Cuts the sources into shards and returns the shard numbers in batches, one batch a mapped task.

    `shards_per_task` 0 chooses: about eight shards a task, but at least two and at most 200 tasks where there are that
    many shards. Raises RecipeError when the recipe names a stage that this DAG does not run: nothing is skipped unseen.
    """

    stage_name = "plan"
    makes_store = True
    template_fields: Sequence[str] = (*StageOperator.template_fields, "shards_per_task")

    def __init__(self, *, stages: Sequence[str], shards_per_task: Any = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stages, self.shards_per_task = tuple(stages), shards_per_task
        self.accept_removed: dict[str, int] = {}

    def machine(self) -> Resources:
        """The same, with the removals that the form accepts, and this task's log for what takes long."""
        return replace(super().machine(), accept_removed=self.accept_removed, tell=self.log.info)

    def execute(self, context: Context) -> list[list[int]]:  # type: ignore[override]
        """Seal the plan; returns batches of shard numbers."""
        from tracemill.recipe import load_recipe
        from tracemill.runner import shard_count
        from tracemill.steps.plan import removals

        self.accept_removed = removals((context.get("params") or {}).get("accept_removed") or ())
        recipe = load_recipe(self.recipe)
        unknown = [name for name in recipe.pipeline() if name not in self.stages]
        if unknown:
            raise RecipeError(
                f"recipe {recipe.name!r} has stages this DAG does not run: {unknown}; it runs {self.stages}"
            )
        summary = super().execute(context)
        context["ti"].xcom_push(key="summary", value=summary)
        return batches(shard_count(self.open_store()), int(self.shards_per_task))


def batches(shards: int, shards_per_task: int = 0) -> list[list[int]]:
    """The shard numbers in order, cut into runs of `shards_per_task`, or of a size that suits the number of shards."""
    tasks = min(MANY_TASKS, max(FEW_TASKS, shards // SHARDS_A_TASK))
    size = shards_per_task or -(-shards // tasks)
    return [list(range(start, min(start + size, shards))) for start in range(0, shards, max(1, size))]
