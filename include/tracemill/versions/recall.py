"""Takes back what a benchmark that became known later gives away, for good, without making anything anew.

Below the store's root:

    revocations/NAME.json                        the benchmark: its settings and its file; the first one of a name stays
    revocations/NAME/00007.json                  shard 7 was scanned: a sealed shard like any other
    revocations/NAME.jsonl                       the list, which the release reads; lines are only added
    revocations/NAME.suspected                   what a person must accept first; see suspects.py

The scans are fingerprinted by the shard's rows, so later scans look only at shards that are new or changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tracemill.decontaminate.benchmark import Benchmark
from tracemill.decontaminate.step import Decontaminate
from tracemill.dedup.sign import Sign
from tracemill.embedders import AnyEmbedder
from tracemill.engine.objects import scratch_folder, store_io
from tracemill.engine.resources import Resources
from tracemill.engine.runner import ShardResult, shard_count
from tracemill.engine.store import Counts, Manifest, Store, StoredFile, canonical_digest
from tracemill.errors import CorruptShard, MissingInput, RecipeError
from tracemill.recipe import Recipe
from tracemill.release.revocations import FOLDER, Revocation, read_list, write_list
from tracemill.versions.scan import Recalled, everything_sealed, scanned_shard
from tracemill.versions.suspects import certain, write_suspected


class Recall(BaseModel):
    """A benchmark that is recalled, and its file on the store."""

    model_config = ConfigDict(frozen=True)
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    file: StoredFile
    benchmark: Benchmark

    def described(self) -> dict[str, object]:
        """The benchmark's settings and content; where its file once lay is no part of it."""
        return {**self.benchmark.model_dump(mode="json"), "path": self.file.sha256}


def announce(recipe: Recipe, store: Store, benchmark: Benchmark, resources: Resources) -> Recall:
    """Copy the benchmark to the store, so that later refreshes know it. The same one again is found, not made anew.

    Raises RecipeError when the name stands for another benchmark or is no name for a file, or the recipe signs nothing,
    SourceError for an unusable benchmark file.
    """
    machine = recipe.located(resources)
    benchmark.questions(machine)
    comparing(recipe, benchmark)
    local = machine.path(benchmark.path)
    file = store.put_content(local, f"{FOLDER}/{benchmark.name}/benchmark", local.suffix)
    try:
        made = Recall(name=benchmark.name, file=file, benchmark=benchmark)
    except ValidationError as error:
        raise RecipeError(f"{benchmark.name!r} cannot name a recall: use letters, digits, - and _") from error
    if store.create_bytes(_key(made.name), made.model_dump_json(indent=1).encode()):
        return made
    known = recall_named(store, made.name)
    if known.described() != made.described():
        raise RecipeError(f"{made.name!r} was recalled with another file or field: give this one a name of its own")
    return known


def recall_named(store: Store, name: str) -> Recall:
    """A recall that was announced. Raises RecipeError when there is none, CorruptShard when it cannot be read."""
    try:
        return Recall.model_validate_json(store.read_bytes(_key(name)))
    except FileNotFoundError:
        raise RecipeError(f"{store.root} knows no recall {name!r}; it knows {recall_names(store)}") from None
    except ValidationError as error:
        raise CorruptShard(f"{store.root}/{_key(name)} is damaged: delete it and recall again ({error})") from error


def recall_names(store: Store) -> list[str]:
    """The names of all recalls of this store."""
    return sorted(name.removesuffix(".json") for name in store.names(FOLDER) if name.endswith(".json"))


def scan(recipe: Recipe, store: Store, recall: Recall, shard: int, resources: Resources) -> ShardResult:
    """Guarantee that the shard is scanned for what it holds now. Raises what `scan.scanned` raises."""
    fingerprint = _fingerprint(recipe, store, recall, shard)
    place = f"{FOLDER}/{recall.name}"
    sealed = store.sealed_as(place, shard, fingerprint)
    if sealed is not None:
        return ShardResult(sealed, reused=True)
    with _fetched(store, recall) as benchmark:
        found = scanned_shard(recipe, store, comparing(recipe, benchmark), resources, shard)
    tables = {"revocations": found.revocations, "contamination": found.contamination}
    manifest = Manifest(
        step=place,
        index=shard,
        fingerprint=fingerprint,
        unit="problem",
        counts=_counts(found),
        tables={name: store.put_table(table, place, shard, name) for name, table in tables.items()},
    )
    return ShardResult(store.seal(manifest), reused=False)


def revoke(recipe: Recipe, store: Store, recall: Recall, accepted: Collection[str] = ()) -> int:
    """Add what the scans found to the list; returns how many lines are new. Nothing ever leaves a list.

    Hits by an item's form alone are suspects and wait for `accepted`: ids of problems, or "all" (see suspects.py).
    """
    known = read_list(store, recall.name)
    seen = {(line.problem_id, line.generation_id) for line in known}
    found = [line for line in _found(recipe, store, recall) if (line.problem_id, line.generation_id) not in seen]
    fresh = certain(found, accepted)
    if fresh or not known:
        write_list(store, recall.name, known + fresh)
    write_suspected(store, recall.name, [line for line in found if line not in fresh])
    return len(fresh)


def recall_again(recipe: Recipe, store: Store, resources: Resources) -> int:
    """Scan what is new with all benchmarks recalled so far; returns how many lines the lists gained."""
    gained = 0
    for name in recall_names(store):
        recall = recall_named(store, name)
        for shard in range(shard_count(store)):
            scan(recipe, store, recall, shard, resources)
        gained += revoke(recipe, store, recall)
    return gained


def comparing(recipe: Recipe, benchmark: Benchmark) -> Decontaminate:
    """The recipe's rules and thresholds of today, or the defaults, for that benchmark.

    Raises RecipeError when nothing signs the problems.
    """
    steps = recipe.pipeline().values()
    own = next((step for step in steps if isinstance(step, Decontaminate)), None)
    if own is not None:
        return own.model_copy(update={"benchmarks": (benchmark,), "judge": None})
    embedder: AnyEmbedder | None = next((step.embedder for step in steps if isinstance(step, Sign)), None)
    if embedder is None:
        raise RecipeError(f"recipe {recipe.name!r} has no step of kind 'sign', which a recall compares by: add one")
    by_cosine = "calibrated" if embedder.limits().item is not None else None
    return Decontaminate(kind="decontaminate", benchmarks=(benchmark,), embedder=embedder, embedding=by_cosine)


def _found(recipe: Recipe, store: Store, recall: Recall) -> Iterator[Revocation]:
    for shard, manifest in enumerate(
        store.manifests((f"{FOLDER}/{recall.name}", k) for k in range(shard_count(store)))
    ):
        if manifest is None:
            raise MissingInput(f"recall {recall.name!r} has not scanned shard {shard}: scan it first")
        for row in store.get_table(manifest.tables["revocations"]).to_pylist():
            item = str(row.pop("item")).removeprefix(f"{recall.name}/")
            rule = str(row.pop("reason")).removeprefix("contaminated_")
            yield Revocation(benchmark=recall.name, item=item, rule=rule, **row)


def _fingerprint(recipe: Recipe, store: Store, recall: Recall, shard: int) -> str:
    """What a scan's result depends on: the recipe's rules, the benchmark's content, and the shard's rows."""
    step = comparing(recipe, recall.benchmark)
    described = {
        "version": step.version,
        "settings": step.model_dump(mode="json", exclude={"benchmarks"}),
        "benchmark": recall.described(),
        "material": dict(step.embedder.material()),
        "inputs": step.input_digests(everything_sealed(recipe, store, shard)),
    }
    return canonical_digest(described)[:40]


@contextmanager
def _fetched(store: Store, recall: Recall) -> Iterator[Benchmark]:
    """The benchmark with its file on this machine."""
    with scratch_folder(f"benchmark {recall.name}") as folder:
        local = folder / Path(recall.file.key).name
        try:
            with store_io(f"cannot write {local}"):
                local.write_bytes(b"".join(store.chunks(recall.file.key)))
        except FileNotFoundError as error:
            raise CorruptShard(f"{store.root}/{recall.file.key} is missing: recall {recall.name!r} again") from error
        yield recall.benchmark.model_copy(update={"path": str(local)})


def _counts(found: Recalled) -> Counts:
    rows = found.revocations.select(["problem_id", "reason"]).group_by(["problem_id", "reason"]).aggregate([])
    rejected = Counter(rows["reason"].to_pylist())
    kept = found.checked - rejected.total()
    return Counts(entered=found.checked, kept=kept, rejected=dict(sorted(rejected.items())), quarantined={})


def _key(name: str) -> str:
    return f"{FOLDER}/{name}.json"
