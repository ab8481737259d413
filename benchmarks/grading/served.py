"""What a sampling policy costs at a real server: tokens that count for nothing, and tokens a second against `fixed`.

One vLLM serves a teacher of the zoo; the same problems go through the distil step with `fixed`, `until_pass` and
`until_decided`, each with a sample store of its own, with a verify task in a process of its own. All tokens are those
that the server says it generated; those of rows are what counts.

    python -m benchmarks.grading served            # TRACEMILL_BENCH_PROBLEMS and _POLICIES make it smaller
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks.serving.workload import PROJECT, ZOO
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.errors import ServingError
from tracemill.local.demand import served_models
from tracemill.models.endpoints import Endpoint, with_endpoints
from tracemill.models.server.process import Server
from tracemill.recipe import Recipe, load_recipe
from zoo.problems import HELD_OUT, problems

PROBLEMS = int(os.environ.get("TRACEMILL_BENCH_PROBLEMS", "600"))
CHOSEN = os.environ.get("TRACEMILL_BENCH_POLICIES", "until_pass until_decided").split()
SLOTS = 32
AT_ONCE = 3  # shards that are worked on together, as an Airflow task does ...
SHARDS = 6  # ... of so many
MATH = [{"kind": "math"}]
PRIOR = {"alpha": 0.6, "beta": 0.4}
POLICIES: Mapping[str, Mapping[str, Any]] = {
    "fixed": {"samples": 4},
    "until_pass": {"policy": {"kind": "until_pass", "max": 4, "verifiers": MATH}},
    "until_decided": {"policy": {"kind": "until_decided", "max": 8, "error": 0.2, "verifiers": MATH, "prior": PRIOR}},
}
_VERIFYING = """
import sys
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.local.beside import seats
from tracemill.recipe import load_recipe
from tracemill.verify.companion import Companion
machine = Resources(workers=1)
seated = seats(load_recipe(sys.argv[1]), machine)
Companion([one.seat for one in seated], Store.at(sys.argv[2]), machine, lambda: False).serve()
"""


@dataclass(frozen=True)
class Cost:
    """Tokens that a server generated for a run, those of rows, the seconds it took, and the engine's iterations.

    `client_cpu`: processor seconds of this process for the run.
    """

    generated: float
    counted: int
    seconds: float
    iterations: float
    client_cpu: float

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return self.generated / self.seconds

    @property
    def running(self) -> float:
        """Requests that the engine worked on at once, in the mean: each gets a token an iteration."""
        return self.generated / self.iterations


def figures() -> dict[str, float | int]:
    """The worse of both policies: the share of tokens after a decision, and of `fixed`'s tokens a second."""
    with tempfile.TemporaryDirectory(prefix="tracemill-bench-") as folder:
        costs: dict[str, Cost] = {}
        try:
            for name, cost in _costs(Path(folder)):
                costs[name] = cost
                said = f"{cost.generated:,.0f} tokens in {cost.seconds:.1f} s, {cost.counted:,} of them in rows"
                beside = f"{cost.running:.1f} at once, {cost.client_cpu:.1f} s of processor to ask"
                print(f"{name:14} {said}; {beside}", flush=True)
        except ServingError as error:
            print(f"no server of a teacher here: {error}")
            return {}
    after = {name: 1 - costs[name].counted / costs[name].generated for name in CHOSEN}
    share = {name: costs[name].rate / costs["fixed"].rate for name in CHOSEN}
    each = {f"tokens_after_decision_{name}": value for name, value in after.items()}
    each |= {f"throughput_share_{name}": value for name, value in share.items()}
    each |= {f"slots_share_{name}": costs[name].running / costs["fixed"].running for name in CHOSEN}
    rate = {"fixed_tokens_per_second": costs["fixed"].rate}
    return {"tokens_after_decision": max(after.values()), "throughput_share": min(share.values()), **each, **rate}


def _costs(folder: Path) -> Iterator[tuple[str, Cost]]:
    rows = [
        {"problem": one.prompt, "answer": one.reference_answer}
        for one in itertools.islice((one for one in problems(5, HELD_OUT) if one.kind != "code"), PROBLEMS)
    ]
    (folder / "problems.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    recipes = {name: _recipe(folder, name, POLICIES[name]) for name in ("fixed", *CHOSEN)}
    machine = Resources()
    model = served_models(recipes["fixed"])["teacher-small"].model
    with Server(model, machine, 0, folder / "vllm.log") as server:
        server.start()
        end = Endpoint(url=server.url, model=model.name)
        asking = replace(machine, beside=True, environment=with_endpoints(machine.environment, model.name, [end]))
        _cost(server, recipes["fixed"], folder / "warm", replace(asking, beside=False), shards=1)
        for name, recipe in recipes.items():
            with _verifying(folder / f"{name}.yaml", folder / name, name != "fixed"):
                yield name, _cost(server, recipe, folder / name, asking)


def _cost(server: Server, recipe: Recipe, root: Path, machine: Resources, shards: int | None = None) -> Cost:
    store = Store.at(root.as_uri(), create=True)
    run_shard(recipe, store, "plan", 0, machine)
    numbers = range(shards or shard_count(store))
    for shard in numbers:
        run_shard(recipe, store, "ingest", shard, machine)
    before = server.gauges()
    began = time.monotonic()
    used = time.process_time()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        made = list(threads.map(lambda shard: run_shard(recipe, store, "distill", shard, machine), numbers))
    seconds = time.monotonic() - began
    used = time.process_time() - used
    time.sleep(1)  # what was closed is counted by then
    after = server.gauges()
    tables = [store.get_table(one.manifest.tables["generations"], ["completion_tokens"]) for one in made]
    assert before is not None
    assert after is not None
    counted = sum(sum(table["completion_tokens"].to_pylist()) for table in tables)
    return Cost(after.generated - before.generated, counted, seconds, after.iterations - before.iterations, used)


@contextmanager
def _verifying(recipe: Path, root: Path, wanted: bool) -> Iterator[None]:
    """A verify task in a process of its own, while the block runs."""
    if not wanted:
        yield
        return
    Store.at(root.as_uri(), create=True)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "include")}
    command = [sys.executable, "-c", _VERIFYING, str(recipe), root.as_uri()]
    process = subprocess.Popen(command, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _recipe(folder: Path, name: str, settings: Mapping[str, Any]) -> Recipe:
    serve = {"concurrency": 2 * SLOTS, "flags": ["--max-num-seqs", str(SLOTS)], "max_model_len": 1024}
    model = {"name": "teacher-small", "weights": str(ZOO / "teacher-small"), "serve": serve}
    teacher = {"kind": "chat", "model": model, "sampling": {"max_tokens": 320}, **settings}
    source = {"kind": "jsonl", "name": "zoo", "path": str(folder / "problems.jsonl"), "category": "math"}
    recipe = {
        "name": f"bench_{name}",
        "description": "Problems of the zoo, sampled by one policy.",
        "rows_per_shard": max(1, PROBLEMS // SHARDS),
        "sources": [{**source, "columns": {"prompt": "problem", "reference_answer": "answer"}}],
        "steps": {"distill": {"kind": "distill", "problems": "all", "teacher": teacher}},
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return load_recipe(str(path))
