"""Plan: which slices of which sources become which shards. All that follows is mapped over its batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk.exceptions import DownstreamTasksSkipped

from tracemill.engine.trial import whole_of
from tracemill.errors import RecipeError
from tracemill_airflow import queues, settings
from tracemill_airflow.operators.base import StageOperator
from tracemill_airflow.places import store_at

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.engine.resources import Resources
    from tracemill.engine.store import Store
    from tracemill.recipe import Recipe


class PlanOperator(StageOperator):
    """Cuts the sources into shards and returns those that the next stages have to work on, in batches, one a task.

    `shards_per_task` 0 chooses: about eight shards a task, but at least two and at most 200 tasks where there are that
    many shards. Raises RecipeError when the recipe names a stage that this DAG does not run: nothing is skipped unseen.
    """

    stage_name = "plan"
    makes_store = True

    def __init__(
        self, *, stages: Sequence[str], feeds: Sequence[str] = ("ingest",), judges: Sequence[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(feeds=feeds, **kwargs)
        self.stages = tuple(stages)
        self.judges = tuple(judges)
        self.accept_removed: dict[str, int] = {}

    def machine(self) -> Resources:
        """The same, with the removals that the form accepts, and this task's log for what takes long."""
        return replace(super().machine(), accept_removed=self.accept_removed, tell=self.log.info)

    def execute(self, context: Context) -> Any:
        """Seal the plan; returns batches of shard numbers."""
        from tracemill.ingest.plan import removals
        from tracemill.local.limits import raise_limit
        from tracemill.local.preflight import require_ready
        from tracemill.recipe import load_recipe

        settings.check()
        params = context.get("params") or {}
        self.accept_removed = removals(params.get("accept_removed") or ())
        recipe = load_recipe(self.recipe)
        self._require_stages(recipe)
        if params.get("dry_run"):
            self._dry_run(context, recipe)
        require_ready(recipe, self.open_store(), self._reaching(recipe))
        self._require_workers(recipe)
        if params.get("cost_limit") is not None:
            raise_limit(recipe, self.open_store(), float(params["cost_limit"]))
        return super().execute(context)

    def _require_workers(self, recipe: Recipe) -> None:
        """Refuse a recipe that would wait for ever, or fail late. Raises RecipeError naming queues that nobody serves.

        Where tasks have no workers of their own, the sandbox is tried here. Raises SandboxUnavailable.
        """
        from tracemill.local.sandboxes import try_sandboxes
        from tracemill_airflow.operators.serve import needed_servers

        if not queues.apart():
            try_sandboxes(recipe)
            return
        served = {task.task_id.rpartition(".")[2]: task.queue for task in self.dag.tasks}
        needed = {served[stage] for stage in recipe.pipeline() if stage in served}
        if "serve" in served and needed_servers(recipe, self.open_store(), recipe.located(self.machine())):
            needed.add(served["serve"])
        needed |= {served[task] for task in self._judged_by(recipe) if task in served}
        lacking = queues.without_worker(needed - {self.queue})
        if lacking:
            raise RecipeError(queues.refusal(lacking))

    def _require_stages(self, recipe: Recipe) -> None:
        unknown = [name for name in recipe.pipeline() if name not in self.stages]
        if unknown:
            raise RecipeError(
                f"recipe {recipe.name!r} has stages this DAG does not run: {unknown}; it runs {self.stages}. Put the "
                "recipe's file into the folder TRACEMILL_RECIPES: it then gets a DAG of its own"
            )
        lacking = [task for task in self._judged_by(recipe) if task not in self.judges]
        if lacking:
            raise RecipeError(
                f"recipe {recipe.name!r} has a sampling policy whose verdicts come from the task {lacking[0]!r}, which "
                "this DAG has not. Put its file into the folder TRACEMILL_RECIPES: it then gets a DAG of its own"
            )

    def _judged_by(self, recipe: Recipe) -> list[str]:
        """The verify tasks that the recipe's sampling policies need beside its stages."""
        from tracemill.local.beside import seats
        from tracemill_airflow.operators.beside import BESIDE, BESIDE_PROGRAMS

        names = (BESIDE_PROGRAMS if seated.runs_programs else BESIDE for seated in seats(recipe, self.machine()))
        return sorted(set(names))

    def _reaching(self, recipe: Recipe) -> Resources:
        """The machine with the endpoints of all the recipe's models."""
        from tracemill.local.demand import served_models
        from tracemill_airflow.endpoints import with_connections

        return with_connections(self.machine(), served_models(recipe))

    def _dry_run(self, context: Context, recipe: Recipe) -> NoReturn:
        """Say what a run would take, and end this one: nothing is made, and all other tasks are skipped."""
        from tracemill.local.estimate import estimated
        from tracemill.local.preflight import require_ready

        machine = self._reaching(recipe)
        lines = estimated(recipe, self._there(), machine).lines()
        for line in lines:
            self.log.info(line)
        context["ti"].xcom_push(key="estimate", value=lines)
        require_ready(recipe, None, machine)
        context["ti"].xcom_push(key="return_value", value=[])
        raise DownstreamTasksSkipped(  # type: ignore[no-untyped-call]
            tasks=[task.task_id for task in self.get_flat_relatives(upstream=False)]
        )

    def _there(self) -> Store | None:
        """The whole's store, if there is one."""
        from tracemill.errors import StoreError

        try:
            return store_at(whole_of(self.store_url) or self.store_url)
        except StoreError:
            return None
