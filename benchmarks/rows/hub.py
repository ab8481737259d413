"""What reading costs: bytes of a Hub on loopback, shards after a rename, an idle refresh, and unpacking.

`bytes_per_hub_byte`: bytes that the Hub gave for each byte of the data set, which is planned and read in 48 slices by
three processes. `rename_recomputed`: share of 115 shards made anew after every file of a source was renamed.
`idle_ms`: what the state of 0.76 GB that did not change costs a new process. `zst_unpacked_again`: how often
a `.zst` file was unpacked after its plan, for 25 slices.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd

from tests.build.hub import Hub, serving
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.ingest.mapped import JsonlSource
from tracemill.recipe import Recipe

IDLE_BYTES = 760_000_000
READ = """
import json, sys
from tracemill.engine.resources import Resources
from tracemill.ingest.datasets.huggingface import HuggingfaceSource
given, part, parts = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
made = HuggingfaceSource.model_validate(given)
slices = made.plan(Resources(), 500)
print(sum(1 for one in slices[part::parts] for raw in made.read(Resources(), one) if raw.error is None), len(slices))
"""
STATE = """
import json, sys, time
from tracemill.engine.resources import Resources
from tracemill.ingest.mapped import JsonlSource
made = JsonlSource.model_validate(json.loads(sys.argv[1]))
began = time.perf_counter()
made.state(Resources())
print((time.perf_counter() - began) * 1000)
"""


def figures() -> dict[str, float | int]:
    """All of them, on files written here."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        return {**_hub(folder), **_renames(folder), **_idle(folder), **_packed(folder)}


def _hub(folder: Path) -> dict[str, float]:
    hub = Hub("some/rows")
    rng = np.random.default_rng(7)
    files = {f"data/train-0000{i}-of-00002.parquet": _parquet(rng, 12_000) for i in range(2)}
    hub.commit(files)
    source = {"kind": "huggingface", "name": "s", "repo": hub.repo, "columns": {"prompt": "q"}}
    with serving(hub):
        caches = {"HF_HUB_CACHE": str(folder / "hub"), "TRACEMILL_CACHE": str(folder / "cache")}
        world = {**os.environ, **caches, "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0"}
        asked = [[sys.executable, "-c", READ, json.dumps(source), str(n), "3"] for n in range(3)]
        running = [subprocess.Popen(one, env=world, stdout=subprocess.PIPE, text=True) for one in asked]
        found = [process.communicate()[0].split() for process in running]
    rows, slices = sum(int(rows) for rows, _ in found), int(found[0][1])
    assert (rows, slices) == (24_000, 48), (rows, slices)
    return {"bytes_per_hub_byte": sum(hub.given[name] for name in files) / sum(map(len, files.values()))}


def _parquet(rng: np.random.Generator, rows: int) -> bytes:
    """Rows of about a kilobyte that do not compress."""
    sink = pa.BufferOutputStream()
    table = pa.table({"q": [rng.bytes(600).hex() for _ in range(rows)]})
    pq.write_table(table, sink, row_group_size=1000)
    return bytes(sink.getvalue())


def _renames(folder: Path) -> dict[str, float]:
    rows = folder / "renamed"
    rows.mkdir()
    for number in range(115):
        lines = (json.dumps({"q": f"{number} and {k}?"}) for k in range(20))
        (rows / f"part-{number}.jsonl").write_text("\n".join(lines))
    source = {"kind": "jsonl", "name": "s", "path": str(rows / "*.jsonl"), "columns": {"prompt": "q"}}
    recipe = Recipe.model_validate(
        {"name": "r", "description": "", "rows_per_shard": 20, "sources": [source], "steps": {}}
    )
    store = Store.at(str(folder / "store"), create=True)
    resources = Resources(workers=1, environment={"TRACEMILL_CACHE": str(folder / "cache")})
    _built(recipe, store, resources)
    for file in rows.glob("part-*.jsonl"):
        file.rename(file.with_name(f"{int(file.stem[5:]):05d}.jsonl"))
    again = _built(recipe, store, resources)
    return {"rename_recomputed": again.count(False) / len(again)}


def _built(recipe: Recipe, store: Store, resources: Resources) -> list[bool]:
    run_shard(recipe, store, "plan", 0, resources)
    return [run_shard(recipe, store, "ingest", n, resources).reused for n in range(shard_count(store))]


def _idle(folder: Path) -> dict[str, float]:
    path = folder / "large.jsonl"
    block = (json.dumps({"q": "x" * 990}) + "\n").encode() * 1000
    with path.open("wb") as out:
        for _ in range(IDLE_BYTES // len(block)):
            out.write(block)
    time.sleep(0.2)
    source = json.dumps({"kind": "jsonl", "name": "s", "path": str(path), "columns": {"prompt": "q"}})
    world = {**os.environ, "TRACEMILL_CACHE": str(folder / "cache")}
    ask = [sys.executable, "-c", STATE, source]
    first, again = (float(subprocess.run(ask, env=world, capture_output=True, check=True).stdout) for _ in range(2))
    path.unlink()
    return {"first_state_ms": first, "idle_ms": again}


def _packed(folder: Path) -> dict[str, float]:
    path = folder / "rows.jsonl.zst"
    rng = np.random.default_rng(7)
    path.write_bytes(
        zstd.compress("".join(json.dumps({"q": rng.bytes(400).hex()}) + "\n" for _ in range(25_000)).encode())
    )
    made = JsonlSource.model_validate({"kind": "jsonl", "name": "s", "path": str(path), "columns": {"prompt": "q"}})
    resources = Resources(environment={"TRACEMILL_CACHE": str(folder / "cache")})
    resources.cache.mkdir(exist_ok=True)
    parts = made.plan(resources, 1000)
    unpacked = {file: file.stat().st_mtime_ns for file in (resources.cache / "unpacked").iterdir()}
    assert sum(1 for part in parts for _ in made.read(resources, part)) == 25_000
    again = {file: file.stat().st_mtime_ns for file in (resources.cache / "unpacked").iterdir()}
    return {"zst_unpacked_again": sum(again[file] != unpacked.get(file) for file in again), "zst_slices": len(parts)}
