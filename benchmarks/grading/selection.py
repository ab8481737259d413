"""Measures how fast a selection by difficulty is told anew, against plain Polars; the last line of output is JSON.

A store is invented with as many problems as DeepDistill has (3.34 M; arXiv 2504.17565, section 2), three models, four
passes each: 40 M scores, in shards of 2,000 problems as recipes plan them. Then, each in a process of its own:

    what_if_40m      another threshold of the scores, which needs every one: the rule before and after
    what_if_first    another threshold of variation, which the grades tell, asked for the first time
    what_if_grades   the same once more: what the first question added up was kept
    reselect_40m     the ids of all responses that stage I takes
    polars_40m       the same ids by the same rule in plain Polars, shard by shard; the sets must be equal
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import duckdb
import polars as pl
import pyarrow as pa
import typer

from benchmarks.grading.invented import DISTINCT, PROBLEMS, THREADS, invented, recipe
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.report.seen import BATCH, Seen
from tracemill.report.what_if import what_if
from tracemill.select.algorithm1 import Algorithm1
from tracemill.select.graded import Graded


def told_anew(root: Path, changes: list[str]) -> dict[str, Any]:
    """What `tracemill select --what-if` does."""
    found = what_if(recipe(), Store.at(str(root)), changes, machine=Resources(workers=THREADS))
    return {"read": found.read, "counts": found.counts.sum().row(0)[1:]}


def selected(root: Path) -> dict[str, Any]:
    """The responses that stage I takes, by the SQL: how many, and the sum of their ids' hashes."""
    taken = _Sum()
    made = recipe()
    step = made.step("stage_one")
    assert isinstance(step, Graded)
    seen = Seen(made, Store.at(str(root)), "stage_one", Resources(workers=THREADS))
    with Algorithm1(step.asked(), step.limits(), THREADS) as rule:
        for scores, _ in seen.batches("scores", lucky=False):
            rule.show(scores, None, hold=False)
            taken.add(pl.DataFrame(rule.told("SELECT generation_id FROM stage_one WHERE chosen"))["generation_id"])
    return taken.said()


def by_polars(root: Path) -> dict[str, Any]:
    """The same in plain Polars: what one would write without this project."""
    taken = _Sum()
    for scores in _batches(root):
        taken.add(_algorithm_1(scores))
    return taken.said()


def _algorithm_1(scores: pl.DataFrame) -> pl.Series:
    key = ["problem_id", "teacher", "mode"]
    score = pl.col("score")
    groups = scores.group_by(key).agg(
        pl.col("category").first(),
        (score.std(ddof=0) / score.mean()).round(9).alias("variation"),
        score.count().alias("decided"),
        pl.col("passed").any().alias("solved"),
    )
    groups = groups.filter(pl.col("decided") > 1, pl.col("solved"))
    hard = pl.col("variation") > 0.05
    chats = groups.filter(~hard, pl.col("category") == "other")
    with duckdb.connect() as db:
        ids = chats.select("problem_id").unique().to_arrow()
        db.register("ids", ids)
        drawn = db.sql("SELECT problem_id FROM ids WHERE md5_number_upper('tracemill:' || problem_id) >> 63 = 0")
        coins = drawn.to_arrow_table()
    kept = pl.concat([groups.filter(hard), chats.join(pl.DataFrame(coins), on="problem_id", how="semi")])
    return scores.filter(pl.col("passed")).join(kept, on=key, how="semi", nulls_equal=True)["generation_id"]


class _Sum:
    """A number for a set of ids, whatever their order."""

    def __init__(self) -> None:
        self.rows = 0
        self.hashes = 0

    def add(self, ids: pl.Series) -> None:
        self.rows += len(ids)
        self.hashes = (self.hashes + int(ids.hash(7).cast(pl.UInt128).sum())) % 2**64

    def said(self) -> dict[str, Any]:
        return {"taken": self.rows, "hashes": self.hashes}


def _batches(root: Path) -> Any:
    """The scores of the store, some shards together."""
    store = Store.at(str(root))
    columns = ["generation_id", "problem_id", "teacher", "mode", "category", "score", "threshold", "passed"]
    plan = store.manifest("plan", 0)
    assert plan is not None
    held: list[pa.Table] = []
    for manifest in store.manifests(("grade", k) for k in range(plan.tables["plan"].rows or 0)):
        assert manifest is not None
        held.append(store.get_table(manifest.tables["scores"], columns))
        if sum(table.num_rows for table in held) >= BATCH:
            yield pl.DataFrame(pa.concat_tables(held))
            held = []
    if held:
        yield pl.DataFrame(pa.concat_tables(held))


TASKS = {
    "what_if_40m": lambda root: told_anew(root, ["thresholds.other=0.65"]),
    "what_if_first": lambda root: told_anew(root, ["variation=0.6"]),
    "what_if_grades": lambda root: told_anew(root, ["variation=0.6"]),
    "reselect_40m": selected,
    "polars_40m": by_polars,
}


def measured(root: Path, name: str) -> dict[str, Any]:
    """One task in a process of its own, from its start to its end; `own_seconds` is the work without the imports."""
    began = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.grading.selection", "--task", name, "--folder", str(root)]
    environment = {**os.environ, "TRACEMILL_CACHE": str(_cache(root))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{name} ended with {process.returncode}")
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return {**found, "seconds": round(time.monotonic() - began, 2)}


def _cache(root: Path) -> Path:
    return root.with_name(f"{root.name}-cache")


def _task(root: Path, name: str) -> None:
    import resource

    began = time.monotonic()
    spent = time.process_time()
    found = TASKS[name](root)
    own = round(time.monotonic() - began, 3)
    own_cpu = round(time.process_time() - spent, 3)
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = round(used.ru_maxrss / 2**20, 2)
    cpu = round(used.ru_utime + used.ru_stime, 2)
    print(json.dumps({**found, "own_seconds": own, "own_cpu": own_cpu, "cpu_seconds": cpu, "peak_gib": peak}))


def main(
    problems: Annotated[int, typer.Option(help="Twelve scores each.")] = PROBLEMS,
    distinct: Annotated[int, typer.Option(help="Shards that are made; the others are the same again.")] = DISTINCT,
    folder: Annotated[Path | None, typer.Option(help="Where the store lies (2 GB); kept if it is there.")] = None,
    task: Annotated[str | None, typer.Option(help="Do this one task only.")] = None,
) -> None:
    """Invent the store, and measure each task on two cores."""
    if task is not None and folder is not None:
        _task(folder, task)
        return
    with tempfile.TemporaryDirectory() as scratch:
        root = folder or Path(scratch) / "store"
        if not (root / "tracemill-store.json").exists():
            invented(root, problems, distinct)
        found = _all(root)
    for name, one in found.items():
        print(name, json.dumps(one))
    print(json.dumps(_figures(found)))


def figures() -> dict[str, float | int]:
    """All tasks on a store of the whole size; see benchmarks.figures."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "store"
        invented(root, PROBLEMS, DISTINCT)
        return _figures(_all(root))


def _all(root: Path) -> dict[str, dict[str, Any]]:
    """Each task in turn, the first question with nothing kept."""
    shutil.rmtree(_cache(root), ignore_errors=True)
    found = {name: measured(root, name) for name in TASKS}
    shutil.rmtree(_cache(root), ignore_errors=True)
    return found


def _figures(found: dict[str, dict[str, Any]]) -> dict[str, float | int]:
    ours = found["reselect_40m"]
    theirs = found["polars_40m"]
    if found["what_if_first"]["counts"] != found["what_if_grades"]["counts"]:
        raise SystemExit("a question is told another way the second time")
    return {
        "what_if_40m_seconds": found["what_if_40m"]["seconds"],
        "what_if_40m_cpu_seconds": found["what_if_40m"]["cpu_seconds"],
        "what_if_first_seconds": found["what_if_first"]["own_seconds"],
        "what_if_grades_seconds": found["what_if_grades"]["own_seconds"],
        "peak_gib": max(one["peak_gib"] for name, one in found.items() if name != "polars_40m"),
        "reselect_40m_seconds": ours["seconds"],
        "polars_40m_seconds": theirs["seconds"],
        "polars_peak_gib": theirs["peak_gib"],
        "rows_not_as_polars": int((ours["taken"], ours["hashes"]) != (theirs["taken"], theirs["hashes"])),
        "rows_taken": ours["taken"],
        "selection_load": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    typer.run(main)
