"""Stages that ask models: they wait for a server without holding a worker, then work on several shards at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk.exceptions import AirflowSkipException

from tracemill.errors import AnswersPending, LimitSpent, ServerGone, ServingError, VerdictsGone
from tracemill_airflow.batch_trigger import BatchTrigger
from tracemill_airflow.cost_trigger import CostTrigger
from tracemill_airflow.endpoints import with_connections
from tracemill_airflow.failing import ends_with_run
from tracemill_airflow.operators.base import StageOperator, totals
from tracemill_airflow.operators.shards import span
from tracemill_airflow.pausing import asked_before, say_paused, take_up
from tracemill_airflow.run_state import RunOf, run_of
from tracemill_airflow.triggers import LeaseTrigger, raise_if_failed

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.engine.pipeline import Pipeline
    from tracemill.engine.resources import Resources
    from tracemill.engine.runner import ShardResult
    from tracemill.engine.store import Store
    from tracemill.models.model import Model
    from tracemill.recipe import Recipe


JUDGES_PATIENCE = 3600.0  # seconds that a deferred stage waits for a verify task: it costs no worker


class AskingOperator(StageOperator):
    """Runs a stage that asks models. `at_once` shards of the batch are worked on together: while the long last answers
    of one shard are generated the next ones are asked, and the server stays full. When the server leaves while the task
    works and none comes within `away` seconds, the task is deferred again: the next server may need its worker slot. So
    it is with the verify task whose verdicts a sampling policy waits for: none is ever given in this task.
    When a limit of money is reached it is deferred too, until somebody raises that.
    """

    def __init__(self, *, at_once: int = 3, away: float = 20.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.at_once = at_once
        self.away = away

    @classmethod
    def asks(cls, step: Mapping[str, Any]) -> bool:
        """Whether a graph needs a serve task for a stage with these settings, which are those of the recipe's YAML."""
        return True

    def execute(self, context: Context) -> Any:
        """Seal the batch; when a shard needs a model that does not answer yet, wait for it deferred first."""
        from tracemill.recipe import load_recipe

        if self.feeds and self.stage not in load_recipe(self.recipe).pipeline():
            return super().execute(context)  # the stages after it are fed all the same
        return self._begin(context)

    def _begin(self, context: Context) -> Any:
        from tracemill.local.beside import vacant
        from tracemill.local.demand import unserved

        recipe = self._recipe()
        store = self.open_store()
        shards = [int(shard) for shard in self.shards]
        context["shard_name"] = span(shards)  # type: ignore[typeddict-unknown-key]
        if (limit := asked_before(context, store)) is not None:
            self._wait_for_money(context, limit, asks=True)
        machine = self._machine(recipe)
        if why := self.needless(recipe, store, shards, machine):
            return self.left(context, why)
        pipeline = self.pipeline(recipe)
        missing = unserved(pipeline, store, self.stage, shards, machine)
        judges = vacant(pipeline, store, self.stage, shards, machine)
        if missing or judges:
            with ends_with_run(context):
                lacks = self._lacks(recipe, store, shards, machine)
                if lacks == "answers":
                    self._require_money(context, recipe, store)
                if lacks:  # of answers that are all there only the verdicts are waited for
                    self._wait(missing if lacks == "answers" else (), judges, machine, store, run_of(context))
        return self.work(context, {"state": "ready"})

    def needless(self, recipe: Recipe, store: Store, shards: Sequence[int], machine: Resources) -> str:
        """Why this task has nothing to do; "" where it has, as that of a stage."""
        return ""

    def left(self, context: Context, why: str) -> dict[str, Any]:
        """What a task gives that has done nothing, with what is wanted of every task: a label, and a time."""
        self.log.info("%s", why)
        context["shard_name"] = span([int(shard) for shard in self.shards])  # type: ignore[typeddict-unknown-key]
        now = time.time()
        return {"began": now, "ended": now, **totals(self.stage, [])}

    def pipeline(self, recipe: Recipe) -> Pipeline:
        """The stages that this one is seen among: all of the recipe's."""
        return recipe

    def after(self) -> list[str]:
        """The models that have their turn for a server before this stage's: none, when it has its own."""
        return []

    def make(self, recipe: Recipe, store: Store, shard: int, machine: Resources) -> ShardResult | None:
        """Seal one shard."""
        from tracemill.engine.runner import run_shard

        return run_shard(recipe, store, self.stage, shard, machine)

    def _lacks(self, recipe: Recipe, store: Store, shards: Sequence[int], machine: Resources) -> str:
        """Make the shards of what models answered before, as far as that goes: what the first of the others lacks."""
        from tracemill.local.known import from_store

        def make(shard: int, alone: Resources) -> ShardResult | None:
            return self.make(recipe, store, shard, alone)

        return from_store(recipe, store, self.stage, shards, machine, make).lacks

    def _wait(
        self, models: Sequence[Model], judges: Mapping[str, str], machine: Resources, store: Store, run: RunOf
    ) -> NoReturn:
        """Give the worker up until each of these models has a server, and each of `judges` a verify task beside."""
        identities = {model.name: model.identity(machine, store) for model in models} | dict(judges)
        patience = max((model.serve.patience + model.serve.start_timeout for model in models), default=JUDGES_PATIENCE)
        self.log.info("waiting for %s", ", ".join(identities))
        trigger = LeaseTrigger(self.store_url, identities, patience, run, self.recipe, self.after())
        self.defer(trigger=trigger, method_name="work")

    def _require_money(self, context: Context, recipe: Recipe, store: Store) -> None:
        """Pause before a server is waited for that would be started in vain."""
        from tracemill.local.limits import require_money

        try:
            require_money(recipe, store)
        except LimitSpent as spent:
            self._pause(context, spent)

    def _pause(self, context: Context, spent: LimitSpent) -> NoReturn:
        """Give the worker up until the limit is raised; what was answered is stored, and sealed shards stay sealed."""
        self.log.warning("paused: %s", spent)
        asks = say_paused(context, self.open_store(), spent)
        self._wait_for_money(context, spent.limit, spent.model, asks)

    def _wait_for_money(self, context: Context, limit: float, model: str = "", asks: bool = False) -> NoReturn:
        trigger = CostTrigger(self.store_url, self.recipe, limit, model, run_of(context), asks)
        self.defer(trigger=trigger, method_name="unpaused")

    def unpaused(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on, with the limit that people gave, or that was raised elsewhere."""
        raise_if_failed({"state": "ready", **event})
        take_up(context, event, self._recipe(), self.open_store())
        return self._begin(context)

    def work(self, context: Context, event: dict[str, Any]) -> Any:
        """Seal every shard of the batch. Raises ServingError when no server came."""
        from tracemill.local.beside import vacant

        raise_if_failed(event)
        if event["state"] == "late":
            raise ServingError(
                f"no server of {event['missing']} came: look at the serve task (of a name that begins with beside-, at "
                "the task of that name), then clear this one"
            )
        recipe = self._recipe()
        store = self.open_store()
        began = time.time()
        shards = [int(shard) for shard in self.shards]
        machine = self._machine(recipe)
        context["shard_name"] = span(shards)  # type: ignore[typeddict-unknown-key]
        try:
            with ends_with_run(context):
                results = self._sealed(recipe, store, shards, machine, began)
        except LimitSpent as spent:
            self._pause(context, spent)
        except AnswersPending as pending:
            self._leave(pending, run_of(context))
        except (ServerGone, VerdictsGone) as gone:
            self.log.warning("%s; what is answered is kept", gone)
            served = [model for model in self._models(recipe) if model.replicas]
            judges = vacant(self.pipeline(recipe), store, self.stage, shards, machine)
            self._wait(served, judges, machine, store, run_of(context))
        return self.fed(context, recipe, store, {"began": began, "ended": time.time(), **totals(self.stage, results)})

    def _leave(self, pending: AnswersPending, run: RunOf) -> NoReturn:
        """Give the worker up until the batches of these records are done."""
        self.log.info("%s", pending)
        trigger = BatchTrigger(self.store_url, self.recipe, pending.model, pending.records, run)
        self.defer(trigger=trigger, method_name="work")

    def _sealed(
        self, recipe: Recipe, store: Store, shards: list[int], machine: Resources, began: float
    ) -> list[ShardResult]:
        results: list[ShardResult] = []
        threads = ThreadPoolExecutor(max(1, self.at_once))
        self.look_ahead(recipe, store)
        try:
            running = [threads.submit(self.make, recipe, store, shard, machine) for shard in shards]
            pending: list[AnswersPending] = []
            spent: list[LimitSpent] = []
            for future in as_completed(running):
                self.look_ahead(recipe, store)
                error = future.exception()
                if isinstance(error, AnswersPending):
                    pending.append(error)
                    continue
                if isinstance(error, LimitSpent):  # the others stop by themselves, and store what is on its way
                    spent.append(error)
                    continue
                if (sealed := future.result()) is not None:
                    results.append(sealed)
                    self._log_progress(sealed, len(results), len(shards), began)
            if spent:
                raise spent[0]
            if pending:  # all shards have asked by now
                raise AnswersPending(pending[0].model, [record for one in pending for record in one.records])
        finally:  # one shard's failure is the task's: it does not wait hours for what the others still ask
            threads.shutdown(wait=False, cancel_futures=True)
        return results

    def _recipe(self) -> Recipe:
        from tracemill.recipe import load_recipe

        recipe = load_recipe(self.recipe)
        if self.stage not in recipe.pipeline():
            raise AirflowSkipException(f"recipe {recipe.name!r} has no stage {self.stage!r}")
        return recipe

    def _machine(self, recipe: Recipe) -> Resources:
        machine = with_connections(recipe.located(self.machine()), [model.name for model in self._models(recipe)])
        return replace(machine, away=self.away, beside=True)

    def _models(self, recipe: Recipe) -> tuple[Model, ...]:
        from tracemill.models.step import AskingStep

        step = recipe.step(self.stage)
        return step.served() if isinstance(step, AskingStep) else ()
