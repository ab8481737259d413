"""Recall: a benchmark that became known late takes its problems out of the release, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracemill_airflow.operators.base import StageOperator
from tracemill_airflow.operators.shards import batches
from tracemill_airflow.operators.stages import ReleaseOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class AnnounceOperator(StageOperator):
    """Copies the benchmark to the store, where later refreshes find it, and returns the shards in batches."""

    stage_name = "announce"
    ui_color = "#f3dcd6"

    def __init__(self, *, shards_per_task: Any = "{{ params.shards_per_task }}", **kwargs: Any) -> None:
        super().__init__(map_index_template=None, shards_per_task=shards_per_task, **kwargs)

    def execute(self, context: Context) -> list[list[int]]:
        """Raises SourceError for an unusable file, RecipeError for a name that stands for another benchmark."""
        from tracemill.decontaminate.benchmark import Benchmark
        from tracemill.engine.runner import shard_count
        from tracemill.recipe import load_recipe
        from tracemill.versions.recall import announce

        params = context["params"]
        store = self.open_store()
        fields = {name: params[f"benchmark_{name}"] for name in ("name", "path", "field", "id_field")}
        announce(load_recipe(self.recipe), store, Benchmark.model_validate(fields), self.machine())
        return batches(range(shard_count(store)), int(self.shards_per_task))


class ScanOperator(StageOperator):
    """Compares what a batch of shards released with the benchmark; shards that were scanned before are left alone."""

    stage_name = "scan"
    ui_color = "#f3dcd6"
    template_fields: Sequence[str] = (*StageOperator.template_fields, "benchmark")

    def __init__(self, *, benchmark: str = "{{ params.benchmark_name }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.benchmark = benchmark

    def execute(self, context: Context) -> dict[str, Any]:
        """How many problems were compared and how many of them give the benchmark away."""
        from tracemill.recipe import load_recipe
        from tracemill.versions.recall import recall_named, scan

        recipe = load_recipe(self.recipe)
        store = self.open_store()
        machine = self.machine()
        began = time.time()
        recall = recall_named(store, self.benchmark)
        results = []
        context["shard_name"] = f"{len(self.shards)} shards"  # type: ignore[typeddict-unknown-key]
        for done, shard in enumerate(self.shards, start=1):
            results.append(scan(recipe, store, recall, int(shard), machine))
            self._log_progress(results[-1], done, len(self.shards), began)
        counts = [result.manifest.counts for result in results]
        hits = sum(sum(count.rejected.values()) for count in counts)
        return {"compared": sum(count.entered for count in counts), "hits": hits, "shards": len(results)}


class RevokeOperator(ScanOperator):
    """Writes the revocation list of the benchmark from all scans; lines are only ever added, suspects if accepted."""

    stage_name = "revoke"
    template_fields: Sequence[str] = (*ScanOperator.template_fields, "accept")

    def __init__(self, *, accept: str = "{{ params.accept or '' }}", **kwargs: Any) -> None:
        super().__init__(map_index_template=None, **kwargs)
        self.accept = accept

    def execute(self, context: Context) -> dict[str, Any]:
        """How many lines the list gained, and how many only have an item's form."""
        from tracemill.recipe import load_recipe
        from tracemill.versions.recall import recall_named, revoke
        from tracemill.versions.suspects import suspected

        store = self.open_store()
        recall = recall_named(store, self.benchmark)
        gained = revoke(load_recipe(self.recipe), store, recall, self.accept.replace(",", " ").split())
        doubtful = len(suspected(store, self.benchmark))
        self.log.info("revocations/%s.jsonl gained %d lines; %d are suspected", self.benchmark, gained, doubtful)
        return {"gained": gained, "suspected": doubtful}


class PatchOperator(ReleaseOperator):
    """Writes the release again without what is revoked; no other stage runs."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Seal the release under the name that the recipe gives it."""
        from tracemill.recipe import load_recipe
        from tracemill.versions.versions import release_name

        self.stage = release_name(load_recipe(self.recipe))
        summary: dict[str, Any] = super().execute(context)
        return summary
