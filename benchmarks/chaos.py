"""`make chaos`: kill -9 tasks of a real Airflow run again and again; the release must be that of an undisturbed run.

    python -m benchmarks.chaos --kills 8 --seed 1

Runs the recipe twice in a folder of its own: once by the library alone, once by Airflow while task processes are killed
at random moments. Compares the released files byte for byte and counts the rows of every ledger. Ends with one line of
JSON: kills, killed_tasks, identical, wall_seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console

from tracemill.recipe import load_recipe
from tracemill.resources import Resources
from tracemill.run import Run
from tracemill.runner import shard_count
from tracemill.shards import Manifest, Store
from tracemill_airflow.local import LocalAirflow, start
from tracemill_airflow.rest import AirflowRest

DAG = "reasoning_distillation"
TASK = re.compile(r"^airflow worker -- [0-9a-f-]{36}$")
PAUSE = (1.0, 12.0)  # seconds between two kills: shorter and longer than a task of the demo


@dataclass
class Killer:
    """Kills one running task process at a time, at random moments, until it has killed `kills`."""

    server: LocalAirflow
    kills: int
    chance: random.Random
    killed: list[int] = field(default_factory=list)
    due: float = 0.0

    def look(self) -> None:
        """Kill a task if it is time and one runs."""
        if len(self.killed) >= self.kills or time.monotonic() < self.due:
            return
        victims = [p for p in _descendants(self.server.pid) if _is_task(p)]
        if victims:
            victim = self.chance.choice(victims)
            victim.kill()
            self.killed.append(victim.pid)
            self.due = time.monotonic() + self.chance.uniform(*PAUSE)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _is_task(process: psutil.Process) -> bool:
    try:
        return bool(TASK.match(" ".join(process.cmdline()).strip()))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def disturbed(recipe: str, folder: Path, kills: int, seed: int) -> tuple[Store, Killer]:
    """The store of a run through Airflow whose tasks were killed. Raises SystemExit when the run does not succeed."""
    root = folder / "airflow-store"
    server = start(folder / "airflow", {"TRACEMILL_STORE": root.as_uri()})
    killer = Killer(server, kills, random.Random(seed))
    try:
        rest = AirflowRest(server.url, server.username, server.password)
        rest.await_dag(DAG)
        run = rest.trigger(DAG, {"recipe": recipe, "store": root.as_uri(), "release": "chaos"})
        for _ in rest.follow(DAG, run, every=0.2):
            killer.look()
        state = rest.run(DAG, run)["state"]
    finally:
        server.stop()
    if state != "success":
        sys.exit(f"the run ended as {state!r} after {len(killer.killed)} kills; see {folder}/airflow/logs")
    return Store.at(str(root / recipe / "chaos")), killer


def sealed(store: Store, recipe: str) -> dict[str, tuple[str, ...]]:
    """Digests of everything each shard of each step holds."""
    steps, shards = load_recipe(recipe).pipeline(), shard_count(store)
    wanted = [(n, k) for n, s in steps.items() for k in (range(shards) if s.shape == "map" else [0])]
    return {f"{n}/{k}": _digests(m) if m else () for (n, k), m in zip(wanted, store.manifests(wanted), strict=True)}


def _digests(manifest: Manifest) -> tuple[str, ...]:
    files = sorted([*manifest.tables.items(), *manifest.files.items()])
    return tuple(f"{name} {stored.sha256}" for name, stored in files)


def main() -> int:
    """Run both, compare, print the JSON line; exit code 1 when a byte differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="demo")
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began, console = time.monotonic(), Console()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with tempfile.TemporaryDirectory(prefix="tracemill-chaos-") as name:
        folder = Path(name)
        store, killer = disturbed(options.recipe, folder, options.kills, options.seed)
        quiet = Run(load_recipe(options.recipe), str(folder / "quiet"), Resources(), console)
        quiet.go()
        ours, theirs = sealed(store, options.recipe), sealed(quiet.store, options.recipe)
    differing = sorted(shard for shard in ours.keys() | theirs.keys() if ours.get(shard) != theirs.get(shard))
    console.print(f"{len(ours)} shards compared; differing: {differing or 'none'}")
    figures = {"kills": len(killer.killed), "shards": len(ours), "identical": not differing}
    print(json.dumps({**figures, "wall_seconds": round(time.monotonic() - began, 1)}))
    return 0 if not differing else 1


if __name__ == "__main__":
    sys.exit(main())
