"""What each teacher of `compare_demo` keeps of its throughput while the others are asked, on servers of their own.

The shipped fake server stands for each, with a fixed time an answer, in a process with the stage that asks it,
as Airflow's tasks are: what could slow a teacher down is then the machine that asks, and the store. As in the graph, a
shard goes from teacher to teacher, and each works on one shard while those before it work on the next ones. A teacher's
seconds are those in which it worked; they are compared with those that it needs while nobody else works.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time

from tracemill.distill.pilot import Pilot
from tracemill.engine.resources import SHIPPED, Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.errors import MissingInput
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.recipe import Recipe, load_recipe

SECONDS = (
    1.0  # an answer: with 64 in flight a teacher gives 64 answers a second, more than one of the zoo's on two cores
)
ROWS = 40  # of a shard: six shards, so that most of a teacher's work is done beside the others
RIGHT = {"weak": 1, "small": 3, "large": 4}  # of four samples, by their seed; in the order in which a shard goes round
BEFORE = ("plan", "ingest", "label")


def figures() -> dict[str, float | int]:
    """The least share that any of the teachers keeps, and the seconds that each works alone."""
    with tempfile.TemporaryDirectory(prefix="teachers") as folder:
        alone = _timed(f"{folder}/alone", at_once=False)
        together = _timed(f"{folder}/together", at_once=True)
    found: dict[str, float | int] = {"teachers_kept": min(alone[name] / together[name] for name in RIGHT)}
    return found | {f"teacher_seconds_alone_{name}": seconds for name, seconds in alone.items()}


def _timed(root: str, at_once: bool) -> dict[str, float]:
    """The seconds that each teacher works, in processes of their own: all at once, or one after the other."""
    recipe = _recipe()
    store = Store.at(root, create=True)
    for step in BEFORE:
        for shard in range(shard_count(store) if recipe.step(step).shape == "map" else 1):
            run_shard(recipe, store, step, shard, Resources(workers=1))
    with multiprocessing.get_context("spawn").Pool(len(RIGHT) if at_once else 1) as pool:
        return dict(zip(RIGHT, pool.starmap(_stage, [(root, name) for name in RIGHT], chunksize=1), strict=True))


def _recipe() -> Recipe:
    """The recipe without its pilots: what they ask, a stage would find answered."""
    recipe = load_recipe("compare_demo")
    steps = {name: step for name, step in recipe.steps.items() if not isinstance(step, Pilot)}
    return recipe.model_copy(update={"steps": steps, "rows_per_shard": ROWS})


def _stage(root: str, name: str) -> float:
    """Work on every shard as soon as the teacher before has sealed it; returns the seconds of work."""
    recipe = _recipe()
    store = Store.at(root)
    teacher = f"teacher-{name}"
    at = {ENDPOINTS: json.dumps({teacher: [{"url": f"http://{teacher}", "model": teacher}]})}
    machine = Resources(workers=1, environment=at, transport=_server(RIGHT[name]))
    worked = 0.0
    todo = list(range(shard_count(store)))
    while todo:
        began = time.monotonic()
        try:
            run_shard(recipe, store, f"distill_{name}", todo[0], machine)
        except MissingInput:
            time.sleep(0.1)
            continue
        worked += time.monotonic() - began
        todo.pop(0)
    return worked


def _server(share: int) -> FakeServer:
    """A teacher that is right in so many of four samples of what has a number for an answer."""
    lines = (SHIPPED / "problems" / "demo_open.jsonl").read_text(encoding="utf-8").splitlines()
    answers = {row["prompt"]: row["reference_answer"] for row in map(json.loads, lines)}

    def say(prompt: str, seed: int) -> str:
        text = prompt.split("\nPlease reason")[0]
        answer = answers.get(text) if seed % 4 < share else None
        return f"<think>\nhm\n</think>\n<answer>\n\\boxed{{{answer or 'no idea'}}}\n</answer>"

    return FakeServer(say=say, seconds=lambda _prompt, _seed: SECONDS)
