"""Runs the real steps of a recipe over a corpus on a number of processes, and measures time and memory from outside."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.data.corpus import SOURCES, Corpus
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.recipe import Recipe, parse_recipe

HASHING = {"kind": "hashing"}


def recipe_for(corpus: Corpus, rows_per_shard: int = 5000) -> dict[str, Any]:
    """The CPU side of a recipe, ingest to decontaminated, on that corpus."""
    columns = {"prompt": "prompt", "id": "id", "reference_answer": "answer", "difficulty": "level"}
    sources = [
        {"kind": "jsonl", "name": f"source{k}", "path": str(corpus.source(k)), "columns": columns, "rank": k}
        for k in range(SOURCES)
    ]
    benchmark = {"name": "invented", "path": str(corpus.benchmark), "field": "q", "id_field": "id"}
    steps = {
        "label": {"kind": "label"},
        "sign": {"kind": "sign", "embedder": HASHING},
        "cluster": {"kind": "cluster"},
        "unique": {"kind": "unique"},
        "decontaminate": {"kind": "decontaminate", "embedder": HASHING, "benchmarks": [benchmark]},
    }
    return {
        "name": "scale",
        "description": "The CPU side at scale.",
        "rows_per_shard": rows_per_shard,
        "sources": sources,
        "steps": steps,
    }


@dataclass
class Spent:
    """What a run took. `seconds`: wall time of each step; `cpu`: CPU seconds of each step without the start of its
    processes; `cpu_seconds`: of all processes from start to end; `peak_gib`: see Memory.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    peak_gib: float = 0.0


def run_all(data: dict[str, Any], root: Path, workers: int) -> Spent:
    """Run every step; map steps on `workers` processes, gather steps on one process with as many threads."""
    recipe, spent, began = parse_recipe(data, "benchmark"), Spent(), os.times()
    store = Store.at(str(root), create=True)
    with Memory() as memory, ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for name, step in recipe.pipeline().items():
            start = time.monotonic()
            shards = range(1) if step.shape == "gather" else range(shard_count(store))
            threads = workers if step.shape == "gather" else 1
            tasks = [pool.submit(_shard, data, str(root), name, shard, threads) for shard in shards]
            spent.cpu[name] = round(sum(task.result() for task in tasks), 2)
            spent.seconds[name] = round(time.monotonic() - start, 1)
    ended = os.times()
    spent.cpu_seconds = sum(ended[k] - began[k] for k in range(4)) - memory.cpu_seconds
    spent.peak_gib = memory.peak / 2**30
    return spent


_recipes: dict[str, tuple[Recipe, Store]] = {}


def _shard(data: dict[str, Any], root: str, name: str, shard: int, threads: int) -> float:
    """Run or reuse one shard; returns the CPU seconds it took."""
    began = time.process_time()
    if root not in _recipes:
        _recipes[root] = parse_recipe(data, "benchmark"), Store.at(root)
    recipe, store = _recipes[root]
    run_shard(recipe, store, name, shard, Resources(workers=threads))
    return time.process_time() - began


class Memory:
    """The highest memory (bytes, proportional set size) that this process and its children held together.

    `cpu_seconds`: what looking took.
    """

    def __init__(self, interval: float = 0.25) -> None:
        self.peak, self.cpu_seconds, self._interval, self._over = 0, 0.0, interval, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._interval):
            self.peak = max(self.peak, sum(_held(pid) for pid in _family(os.getpid())))
        self.cpu_seconds = time.thread_time()


def _family(root: int) -> list[int]:
    """That process and its descendants."""
    family, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        family.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                waiting += [int(child) for child in task.read_text().split()]
            except FileNotFoundError:
                continue  # it ended while we looked
    return family


def _held(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended while we looked
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
