"""How long a DAG run goes on after one of its tasks has failed for good, in a real Airflow.

Three failures: a server with a flag that vLLM does not know, an endpoint without the model, and a stage that fails for
one shard while the other shard's task waits for answers that never come.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import yaml

from benchmarks.serving.workload import ZOO
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import Served, on_socket
from tracemill.models.transport import Response
from tracemill_airflow.local import LocalAirflow, start
from tracemill_airflow.rest import AirflowRest

DAGS = Path(__file__).resolve().parent / "failing"
CASES = ("bad_flag", "no_such_model", "one_shard")
NEVER, GOES = "never", "goes.jsonl"
RECIPES = "recipes"
BATCHED = "batched"  # asks in batches, and ends well
CAPPED = "capped"  # reaches its cost_limit with the first answers


@dataclass(frozen=True)
class Ended:
    """A failed run: seconds from the first task's failure to the run's end, and the states of all tasks."""

    seconds: float
    states: dict[str, str | None]
    failed_first: str


def run_ends(folder: Path) -> dict[str, object]:
    """The longest time of the three; each is printed."""
    shutil.rmtree(folder, ignore_errors=True)
    with failing_airflow(folder) as (server, _):
        ended = {case: provoked(server, case) for case in CASES}
    for case, one in ended.items():
        print(f"{case}: the run ended {one.seconds:.1f} s after {one.failed_first} failed")
    longest = max(one.seconds for one in ended.values())
    return {"run_ends_after_s": round(longest, 1)}


@dataclass
class Stalling(FakeServer):
    """Answers at once, but never a prompt that says `NEVER`; with its first answer a file goes that the run needs."""

    goes: Path = Path("/nonexistent")

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], heard: Callable[[], None]) -> Response:
        answer = await super().post(url, body, headers, heard)
        if answer.status != 200:
            return answer
        if NEVER.encode() in body:
            await asyncio.Event().wait()
        self.goes.unlink(missing_ok=True)
        return answer


@contextmanager
def failing_airflow(folder: Path, more: dict[str, str] | None = None) -> Iterator[tuple[LocalAirflow, Served]]:
    """An Airflow of its own whose DAGs fail, and a model server that answers everything but `NEVER`."""
    stalling = Stalling(models=frozenset(("there", BATCHED)), goes=folder / RECIPES / GOES)
    with on_socket(stalling) as fake:
        recipes = write_recipes(folder, f"{fake.url}/v1")
        served = {"absent": "elsewhere", "present": "there"}
        endpoints = {name: [{"url": fake.url, "model": model}] for name, model in served.items()}
        settings = {
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW__CORE__PARALLELISM": "3",
            "TRACEMILL_BENCH_RECIPES": str(recipes),
            "TRACEMILL_STORE": (folder / "store").as_uri(),
            "TRACEMILL_ENDPOINTS": json.dumps(endpoints),
        }
        server = start(folder / "airflow", {**settings, **(more or {})})
        try:
            yield server, fake
        finally:
            server.stop()


def started(server: LocalAirflow, dag: str, conf: dict[str, Any] | None = None) -> tuple[AirflowRest, str]:
    """Start a run of that DAG; its id."""
    rest = AirflowRest(server.url, server.username, server.password)
    rest.await_dag(dag)
    rest.ensure_pool("gpu", 1)
    return rest, rest.trigger(dag, conf or {})


def ran(server: LocalAirflow, dag: str) -> tuple[AirflowRest, str]:
    """Run that DAG to its end, whatever that is; the run's id."""
    rest, run = started(server, dag)
    for _ in rest.follow(dag, run, every=1.0):
        pass
    return rest, run


def talking_to(url: str, airflow: LocalAirflow, but: Collection[int] = ()) -> int:
    """The pid of a process of Airflow's that has a connection to that address. Raises RuntimeError when none has."""
    port = urlsplit(url).port
    for process in psutil.Process(airflow.pid).children(recursive=True):
        if process.pid not in but and any(c.raddr and c.raddr.port == port for c in process.net_connections()):
            return process.pid
    raise RuntimeError(f"no task talks to {url} just now")


def provoked(server: LocalAirflow, dag: str) -> Ended:
    """Run that DAG until it has failed. Raises AssertionError when it does not fail."""
    rest, run = ran(server, dag)
    record = rest.run(dag, run)
    assert record["state"] == "failed", f"{dag} ended {record['state']}"
    failed = sorted((task for task in rest.instances(dag, run) if task["state"] == "failed"), key=_end)
    seconds = (datetime.fromisoformat(record["end_date"]) - _end(failed[0])).total_seconds()
    states = {f"{t.task}[{t.map_index}]": t.state for t in rest.tasks(dag, run)}
    return Ended(seconds, states, str(failed[0]["task_id"]))


def _end(task: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(task["end_date"])


def write_recipes(folder: Path, api: str = "http://fake/v1") -> Path:
    """The recipe of each case, below `folder`/recipes; `api` is the provider of the one that asks in batches."""
    place = folder / RECIPES
    place.mkdir(parents=True, exist_ok=True)
    for part, words in (("a", "now"), ("b", NEVER)):
        lines = [json.dumps({"problem": f"Calculate {n} + {n}, {words}."}) for n in range(4)]
        (place / f"{part}.jsonl").write_text("\n".join(lines) + "\n")
    flagged = {"weights": str(ZOO / "teacher-small"), "serve": {"flags": ["--no-such-flag"], "max_model_len": 1024}}
    (place / GOES).write_text(json.dumps({"question": "How many legs has a spider that lost one?"}) + "\n")
    goes = {"name": "goes", "path": str(place / GOES), "field": "question"}
    missing = {"kind": "decontaminate", "benchmarks": [goes], "embedding": None, "embedder": {"kind": "multilingual"}}
    recipes = {
        "bad_flag": {"distill": _distill("flagged", **flagged)},
        "no_such_model": {"distill": _distill("absent")},
        "one_shard": {"distill": _distill("present"), "decontaminate": missing},
        "sound": {"distill": _distill("present")},
        BATCHED: {
            "distill": _distill("provider", api={"url": api, "model": BATCHED, "batch": {"poll": 1.0}}),
            "select": {"kind": "select", "unverified": "keep"},
            "release": {"kind": "release"},
        },
        CAPPED: {"distill": _distill(CAPPED, api={"url": api, "model": "there", "price": {"input": 0, "output": 1e6}})},
    }
    for name, steps in recipes.items():
        sources = [_source(place, part) for part in ("a" if name in ("sound", BATCHED, CAPPED) else "ab")]
        rows = 2 if name in (BATCHED, CAPPED) else 4
        recipe = {"name": name, "description": "A case.", "rows_per_shard": rows, "sources": sources, "steps": steps}
        recipe |= {"cost_limit": 1.0} if name == CAPPED else {}
        (place / f"{name}.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    return place


def _source(place: Path, part: str) -> dict[str, Any]:
    return {"kind": "jsonl", "name": part, "path": str(place / f"{part}.jsonl"), "columns": {"prompt": "problem"}}


def _distill(name: str, **model: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, **(model or {"weights": "org/any", "revision": name})}
    return {"kind": "distill", "teacher": {"kind": "chat", "model": told, "sampling": {"max_tokens": 50}}}
