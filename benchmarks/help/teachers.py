"""What each teacher of `compare_demo` keeps of its throughput while the others are asked, on servers of their own.

The shipped fake server stands for each, with a fixed time an answer, in a process with the stage that asks it,
as Airflow's tasks are: what could slow a teacher down is then the machine that asks, and the store. As in the graph,
all but the first are asked ahead of their stages, which seal a shard from teacher to teacher. A teacher's seconds are
those in which it worked; they are compared with those that it needs while nobody else works, and the time of all of
them with the sum of those.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time
from itertools import takewhile
from typing import Any

from tracemill.distill.pilot import Pilot
from tracemill.engine.resources import SHIPPED, Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.errors import MissingInput
from tracemill.local.ahead import Without, ask_ahead
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
    """The least share that any of the teachers keeps, what all take of the time of one after the other, and the seconds
    that each works alone.
    """
    with tempfile.TemporaryDirectory(prefix="teachers") as folder:
        alone, _ = _timed(f"{folder}/alone", at_once=False)
        together, wall = _timed(f"{folder}/together", at_once=True)
    found: dict[str, float | int] = {
        "teachers_kept": min(alone[name] / together[name] for name in RIGHT),
        "teachers_wall_share": wall / sum(alone.values()),
    }
    return found | {f"teacher_seconds_alone_{name}": seconds for name, seconds in alone.items()}


def _timed(root: str, at_once: bool) -> tuple[dict[str, float], float]:
    """The seconds that each teacher works, in processes of their own: all at once, or one after the other; and those
    from the moment when all of them stand ready to the end of the last.
    """
    recipe = _recipe()
    store = Store.at(root, create=True)
    for step in BEFORE:
        for shard in range(shard_count(store) if recipe.step(step).shape == "map" else 1):
            run_shard(recipe, store, step, shard, Resources(workers=1))
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(len(RIGHT) if at_once else 1)
    with context.Pool(ready.parties, initializer=_stand_ready, initargs=(ready,)) as pool:
        spans = pool.starmap(_stage, [(root, name) for name in RIGHT], chunksize=1)
    worked = {name: seconds for name, (seconds, _, _) in zip(RIGHT, spans, strict=True)}
    return worked, max(end for _, _, end in spans) - min(begin for _, begin, _ in spans)


_ready: Any = None


def _stand_ready(barrier: Any) -> None:
    global _ready
    _ready = barrier


def _recipe() -> Recipe:
    """The recipe without its pilots: what they ask, a stage would find answered."""
    recipe = load_recipe("compare_demo")
    steps = {name: step for name, step in recipe.steps.items() if not isinstance(step, Pilot)}
    return recipe.model_copy(update={"steps": steps, "rows_per_shard": ROWS})


def _stage(root: str, name: str) -> tuple[float, float, float]:
    """Ask for every shard, and seal it as soon as the teacher before has.

    Returns the seconds of work, when it began and when it ended.
    """
    recipe = _recipe()
    store = Store.at(root)
    teacher = f"teacher-{name}"
    at = {ENDPOINTS: json.dumps({teacher: [{"url": f"http://{teacher}", "model": teacher}]})}
    machine = Resources(workers=1, environment=at, transport=_server(RIGHT[name]))
    _ready.wait()
    first = time.time()
    todo = list(range(shard_count(store)))
    beside = [f"distill_{other}" for other in takewhile(lambda other: other != name, RIGHT)]
    began = time.monotonic()
    for shard in todo if beside else ():
        ask_ahead(Without(recipe, beside), store, f"distill_{name}", shard, machine)
    worked = time.monotonic() - began
    while todo:
        began = time.monotonic()
        try:
            run_shard(recipe, store, f"distill_{name}", todo[0], machine)
        except MissingInput:
            time.sleep(0.1)
            continue
        worked += time.monotonic() - began
        todo.pop(0)
    return worked, first, time.time()


def _server(share: int) -> FakeServer:
    """A teacher that is right in so many of four samples of what has a number for an answer."""
    lines = (SHIPPED / "problems" / "demo_open.jsonl").read_text(encoding="utf-8").splitlines()
    answers = {row["prompt"]: row["reference_answer"] for row in map(json.loads, lines)}

    def say(prompt: str, seed: int) -> str:
        text = prompt.split("\nPlease reason")[0]
        answer = answers.get(text) if seed % 4 < share else None
        return f"<think>\nhm\n</think>\n<answer>\n\\boxed{{{answer or 'no idea'}}}\n</answer>"

    return FakeServer(say=say, seconds=lambda _prompt, _seed: SECONDS)
