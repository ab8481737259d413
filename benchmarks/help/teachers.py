"""What each teacher of `compare_demo` keeps of its throughput when all are asked at once, on servers of their own.

The shipped fake server stands for each, with a fixed time an answer, in a process of its own beside the stage that asks
it, as tasks of Airflow are: what could slow a teacher down is then the machine that asks, and the store. A teacher's
stage is timed alone and with the others, on stores of their own.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier

from tracemill.distill.pilot import Pilot
from tracemill.engine.resources import SHIPPED, Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.recipe import Recipe, load_recipe

SECONDS = (
    1.0  # an answer: with 64 in flight a teacher gives 64 answers a second, more than one of the zoo's on two cores
)
RIGHT = {"weak": 1, "small": 3, "large": 4}  # of four samples, by their seed
BEFORE = ("plan", "ingest", "label")


def figures() -> dict[str, float | int]:
    """The least share that any of the teachers keeps, and the answers a second of each alone."""
    recipe = _recipe()
    with tempfile.TemporaryDirectory(prefix="teachers") as folder:
        alone = {name: _timed(recipe, f"{folder}/{name}", [name])[name] for name in RIGHT}
        together = _timed(recipe, f"{folder}/all", list(RIGHT))
    found: dict[str, float | int] = {"teachers_kept": min(alone[name] / together[name] for name in RIGHT)}
    return found | {f"teacher_seconds_alone_{name}": seconds for name, seconds in alone.items()}


def _timed(recipe: Recipe, root: str, names: Sequence[str]) -> dict[str, float]:
    """The seconds that each of these teachers' stages takes, all at once."""
    store = Store.at(root, create=True)
    for step in BEFORE:
        for shard in range(shard_count(store) if recipe.step(step).shape == "map" else 1):
            run_shard(recipe, store, step, shard, Resources(workers=1))
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(len(names))
    with context.Pool(len(names), initializer=_begin, initargs=(start,)) as pool:
        jobs = [pool.apply_async(_stage, (root, name)) for name in names]
        return {name: job.get() for name, job in zip(names, jobs, strict=True)}


def _recipe() -> Recipe:
    """The recipe without its pilots: what they ask, a stage would find answered."""
    recipe = load_recipe("compare_demo")
    return recipe.model_copy(
        update={"steps": {name: step for name, step in recipe.steps.items() if not isinstance(step, Pilot)}}
    )


_START: list[Barrier] = []


def _begin(start: Barrier) -> None:
    _START.append(start)


def _stage(root: str, name: str) -> float:
    """Run one teacher's stage in this process; returns its seconds, from when all are there."""
    recipe = _recipe()
    store = Store.at(root)
    teacher = f"teacher-{name}"
    at = {ENDPOINTS: json.dumps({teacher: [{"url": f"http://{teacher}", "model": teacher}]})}
    machine = Resources(workers=1, environment=at, transport=_server(RIGHT[name]))
    _START[0].wait(120)
    began = time.monotonic()
    for shard in range(shard_count(store)):
        run_shard(recipe, store, f"distill_{name}", shard, machine)
    return time.monotonic() - began


def _server(share: int) -> FakeServer:
    """A teacher that is right in so many of four samples of what has a number for an answer."""
    lines = (SHIPPED / "problems" / "demo_open.jsonl").read_text(encoding="utf-8").splitlines()
    answers = {row["prompt"]: row["reference_answer"] for row in map(json.loads, lines)}

    def say(prompt: str, seed: int) -> str:
        text = prompt.split("\nPlease reason")[0]
        answer = answers.get(text) if seed % 4 < share else None
        return f"<think>\nhm\n</think>\n<answer>\n\\boxed{{{answer or 'no idea'}}}\n</answer>"

    return FakeServer(say=say, seconds=lambda _prompt, _seed: SECONDS)
