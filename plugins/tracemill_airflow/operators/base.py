"""The thin layer between an Airflow task and the library: open the store, run a stage on some shards, report counts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator, ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowRuntimeError, AirflowSkipException, AirflowTaskTimeout

from tracemill.engine.trial import whole_of
from tracemill.errors import ServingError, StoreError, TrainingError, VerifierError
from tracemill_airflow.failing import ends_with_run
from tracemill_airflow.operators.lacking import lacking, without
from tracemill_airflow.operators.shards import batches, span
from tracemill_airflow.places import store_at
from tracemill_airflow.queues import SANDBOX, tasks_at_once
from tracemill_airflow.settings import stages_ahead

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.engine.resources import Resources
    from tracemill.engine.runner import ShardResult
    from tracemill.engine.store import Store
    from tracemill.recipe import Recipe

WORLD: list[type[BaseException] | str] = [
    StoreError,
    ServingError,
    TrainingError,
    VerifierError,
    OSError,
    MemoryError,
    "tracemill.sandbox.base.SandboxError",
    AirflowRuntimeError,  # Airflow's own API server or its database did not answer
]
RETRY_THE_WORLD_ONLY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=WORLD, action=RetryAction.RETRY, reason="the world failed: it may have mended itself"),
        RetryRule(exception=AirflowTaskTimeout, action=RetryAction.FAIL, reason="it took longer than it may"),
        RetryRule(exception=Exception, action=RetryAction.FAIL, reason="retrying mends no recipe, source or bug"),
    ]
)


class StageOperator(BaseOperator):
    """Runs one stage of a recipe on a batch of shards; sealed shards are left alone, so a retry pays only for the rest.

    `stage` is the step's name in the recipe; a recipe without it skips the task. `shards` are shard numbers (gather
    stages ignore them). Returns counts, and when the work began and ended (UNIX seconds), never rows. The DAG must give
    places.MACROS to its templates, or the operator a recipe and a store.
    A task before a mapped group, whose stages are `feeds`, returns the group's batches instead, without the shards that
    are sealed: a stage with nothing to do costs no task. Its counts are then the XCom "summary", as they are where it
    skips the stages after it that the recipe lacks.
    """

    template_fields: Sequence[str] = ("recipe", "store_url", "shards", "shards_per_task")
    ui_color = "#dcebe4"
    stage_name: ClassVar[str] = ""  # what its task is called where a recipe does not say
    kind: ClassVar[str] = ""  # the kind of its step; "" where that is the stage's name
    gathers: ClassVar[bool] = False  # all shards in one task
    runs_programs: ClassVar[bool] = False  # on a worker of its own where there is one
    announces: ClassVar[bool] = False  # as an asset event
    asks_beside: ClassVar[bool] = False  # its model may be asked while those of stages like it right before it are
    makes_store: ClassVar[bool] = False  # only the first task may: to the others an unmarked root is an unmounted disk

    def __init__(
        self,
        *,
        stage: str = "",
        recipe: str = "{{ recipe_of(params) }}",
        store_url: str = "{{ store_of(params) }}",
        shards: Any = (0,),
        workers: int | None = None,
        feeds: Sequence[str] = (),
        shards_per_task: Any = 0,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("retry_policy", RETRY_THE_WORLD_ONLY)
        if self.runs_programs:
            kwargs.setdefault("queue", SANDBOX)
        kwargs.setdefault("map_index_template", "{{ shard_name }}")
        super().__init__(**kwargs)
        self.stage = stage or self.stage_name
        self.recipe = recipe
        self.store_url = store_url
        self.shards = shards
        self.workers = workers
        self.feeds = tuple(feeds)
        self.shards_per_task = shards_per_task

    @classmethod
    def of_kind(cls) -> str:
        """The kind of step that the operator runs."""
        return cls.kind or cls.stage_name

    @classmethod
    def runs(cls, step: Mapping[str, Any]) -> bool:
        """Whether it is the one for a step with these settings, where several operators run steps of one kind."""
        return False

    def open_store(self) -> Store:
        """The store at `store_url`; `s3://CONNECTION@bucket/prefix` takes its credentials from that connection."""
        if self.makes_store and (whole := whole_of(self.store_url)):
            store_at(whole, create=True)
        return store_at(self.store_url, create=self.makes_store)

    def machine(self) -> Resources:
        """What the stage may use on this worker: its part of the processors; of a worker that runs programs, all.

        Programs are judged by the processor time that they take, however many others wait for it, and one shard may
        hold most of a run's programs: with its part alone it kept `real_sample` 50 s while other processors idled.
        """
        from tracemill.engine.processors import processors
        from tracemill.engine.resources import Resources

        sharing = 1 if self.runs_programs else tasks_at_once()
        return Resources(workers=self.workers or max(1, processors() // sharing))

    def execute(self, context: Context) -> Any:
        """Seal every shard of the batch. Raises what the stage raises; the retry policy knows which of it to retry."""
        from tracemill.recipe import load_recipe

        recipe = load_recipe(self.recipe)
        store = self.open_store()
        began = time.time()
        has_stage = self.stage in recipe.pipeline()
        context["shard_name"] = self.stage  # type: ignore[typeddict-unknown-key]
        if not has_stage and not self.feeds:
            raise AirflowSkipException(f"recipe {recipe.name!r} has no stage {self.stage!r}")
        results = self._worked(context, recipe, store, began) if has_stage else []
        return self.fed(context, recipe, store, {"began": began, "ended": time.time(), **totals(self.stage, results)})

    def fed(self, context: Context, recipe: Recipe, store: Store, summary: dict[str, Any]) -> Any:
        """The summary; where mapped stages follow, the batches that they work on, with the summary beside them."""
        if not self.feeds:
            return without(lacking(self, recipe), summary, context)
        todo, spared = self._todo(recipe, store)
        context["ti"].xcom_push(key="summary", value={**summary, "shards": summary["shards"] + spared})
        return batches(todo, int(self.shards_per_task))

    def _worked(self, context: Context, recipe: Recipe, store: Store, began: float) -> list[ShardResult]:
        from tracemill.engine.runner import run_shard

        shards = [int(shard) for shard in self.shards] if recipe.step(self.stage).shape == "map" else [0]
        context["shard_name"] = span(shards)  # type: ignore[typeddict-unknown-key]
        machine = self.machine()
        results: list[ShardResult] = []
        with ends_with_run(context):
            for done, shard in enumerate(shards, start=1):
                self.look_ahead(recipe, store)
                results.append(run_shard(recipe, store, self.stage, shard, machine))
                self._log_progress(results[-1], done, len(shards), began)
        return results

    def look_ahead(self, recipe: Recipe, store: Store) -> None:
        """Wake the servers of the stages that come soon, where TRACEMILL_SERVE_AHEAD says so."""
        reach = stages_ahead()
        if not reach:
            return
        from tracemill.local.demand import Demand, ahead
        from tracemill.models.lease import want

        for model, stages in ahead(recipe, self.stage, reach).items():
            if not Demand(recipe, store, self.machine(), stages).is_over():
                want(store, model)

    def _todo(self, recipe: Recipe, store: Store) -> tuple[list[int], int]:
        """The shards that the following group has to work on, and how many it is spared, counted by stage."""
        from tracemill.engine.runner import shard_count
        from tracemill.local.pending import pending

        todo = pending(recipe, store, self.feeds, self.machine())
        stages = len(set(self.feeds) & recipe.pipeline().keys())
        spared = (shard_count(store) - len(todo)) * stages
        if spared:
            self.log.info("%d shards of the following %d stages are sealed and get no task", spared, stages)
        return todo, spared

    def _log_progress(self, result: ShardResult, done: int, total: int, began: float) -> None:
        counts = result.manifest.counts
        self.log.info(
            "%s shard %d: %s; %d in, %d kept, rejected %s, quarantined %s; %d of %d shards, about %.0f s to go",
            self.stage,
            result.manifest.index,
            "already sealed" if result.reused else f"sealed in {result.manifest.seconds:.1f} s",
            counts.entered,
            counts.kept,
            counts.rejected,
            counts.quarantined,
            done,
            total,
            (time.time() - began) / done * (total - done),
        )


def totals(stage: str, results: list[ShardResult]) -> dict[str, Any]:
    counts = [result.manifest.counts for result in results]
    return {
        "stage": stage,
        "shards": len(results),
        "computed": sum(not result.reused for result in results),
        "entered": sum(c.entered for c in counts),
        "kept": sum(c.kept for c in counts),
        "rejected": sum(sum(c.rejected.values()) for c in counts),
        "quarantined": sum(sum(c.quarantined.values()) for c in counts),
    }
