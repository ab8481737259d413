"""Files of every shape through the real plan and ingest: every row is accounted for, or one error names the file.

`silent_losses`: files that hold more rows (or other ones) than ended in a bucket. `whole_files_refused`: files that
were not broken and are not read. `tracebacks`: what was raised and is neither a SourceError nor a RecipeError.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from benchmarks.rows.shapes import PACKERS, Shape, written
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.errors import RecipeError, SourceError
from tracemill.ingest.formats import jsonlines
from tracemill.ingest.formats.cache import Cache
from tracemill.ingest.formats.layouts import layout_of
from tracemill.ingest.formats.unpacking import plain
from tracemill.recipe import Recipe

FILES = int(os.environ.get("TRACEMILL_FUZZ", "5000"))
COLUMNS = {"prompt": "q", "reference_answer": "a", "response": "r", "test_case": "t", "id": "id"}
FIRST = int(os.environ.get("TRACEMILL_FUZZ_FROM", "0"))
_MEMORY = Path("/dev/shm")  # a disk would spend most of the time on flushing
SLOW = 10.0  # seconds after which a file counts as a hang


def figures() -> dict[str, float | int]:
    """The counts over all files; what went wrong is printed with the seed that makes it again."""
    found: Counter[str] = Counter()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tempfile.tempdir = str(_MEMORY) if _MEMORY.is_dir() else None
    for seed in range(FIRST, FIRST + FILES):
        with tempfile.TemporaryDirectory() as scratch:
            shape = written(Path(scratch), seed)
            began = time.monotonic()
            outcome = tried(shape, Path(scratch))
            found[outcome.split(":")[0]] += 1
            if outcome not in ("accounted", "refused"):
                print(f"seed {seed} ({shape.said}): {outcome}", flush=True)
            found["slow_files"] += time.monotonic() - began > SLOW
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {
        "silent_losses": found["lost"],
        "whole_files_refused": found["whole refused"],
        "tracebacks": found["traceback"],
        "unplaced_errors": found["no place"],
        "accounted_files": found["accounted"],
        "refused_files": found["refused"],
        "slow_files": found["slow_files"],
        "reading_grew_mib": round(grown),
    }


def tried(shape: Shape, scratch: Path) -> str:
    """Plan and ingest one file: `accounted`, `refused` by an error with its name, or what is wrong, in words."""
    try:
        counted = _counted(shape, scratch)
    except (SourceError, RecipeError) as error:
        if shape.path.name not in str(error):
            return f"no place: {error}"
        return "refused" if shape.rows is None or _refusable(shape) else f"whole refused: {error}"
    except Exception:  # noqa: BLE001 - the very thing that is counted here
        return f"traceback: {traceback.format_exc(limit=-4)}"
    least, most = _expected(shape, scratch)
    return (
        "accounted" if least <= counted <= most else f"lost: {least} to {most} rows are there, {counted} accounted for"
    )


def _expected(shape: Shape, scratch: Path) -> tuple[int, float]:
    """How many rows a file that was read has: exactly, where that can be told without our readers."""
    if shape.rows is not None:
        return shape.rows, shape.rows
    data = plain(shape.path, shape.path.name, Cache(scratch / "cache"))
    if layout_of(data, shape.path.name) is jsonlines:
        text = data.read_bytes()
        lines = text.count(b"\n") + (not text.endswith(b"\n"))
        return lines, lines
    packed = any(ending in shape.said for ending in PACKERS)
    if "cut off" in shape.said and (packed or shape.kind in ("array", "parquet")):
        return shape.wrote, shape.wrote  # only what follows the last row may be missing
    doubled = 2 * shape.wrote if "twice" in shape.said else shape.wrote if "behind" in shape.said else 0
    return doubled, float("inf")


def _refusable(shape: Shape) -> bool:
    """Whether a whole file may be refused: among so few rows none may be one, or none may have a mapped column."""
    return shape.rows is not None and shape.rows <= 5


def _counted(shape: Shape, scratch: Path) -> int:
    kind = "parquet" if shape.kind == "parquet" else "jsonl"
    columns = {k: v for k, v in COLUMNS.items() if kind == "jsonl" or v in "qar"}
    source = {"kind": kind, "name": "s", "path": str(shape.path), "columns": columns}
    made = Recipe.model_validate(
        {"name": "r", "description": "", "rows_per_shard": 15, "sources": [source], "steps": {}}
    )
    store = Store.at(str(scratch / "store"), create=True)
    resources = Resources(workers=1, environment={"TRACEMILL_CACHE": str(scratch / "cache")})
    run_shard(made, store, "plan", 0, resources)
    counts = [run_shard(made, store, "ingest", shard, resources).manifest.counts for shard in range(shard_count(store))]
    for count in counts:
        assert count.entered == count.kept + sum(count.rejected.values()) + sum(count.quarantined.values())
    return sum(count.entered for count in counts)
