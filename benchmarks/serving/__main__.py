"""`python -m benchmarks.serving`: prints what it measures; the last line is JSON."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.serving.engine import bare_engine
from benchmarks.serving.kills import kills
from benchmarks.serving.known_cases import known_cases, wrong_known_cases
from benchmarks.serving.mishaps import figures
from benchmarks.serving.refresh import refresh
from benchmarks.serving.run_end import run_ends
from benchmarks.serving.through_airflow import Watch, distil_through_airflow
from benchmarks.serving.wire_cases import WIRE_CASES, wrong_cases
from benchmarks.serving.workload import PROJECT, ZOO, Workload, made
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.local.demand import served_models


def main() -> None:
    """Measure the client on loopback, the stage against the engine, kills, a refresh, and a run that cannot go on."""
    parser = argparse.ArgumentParser(prog="make bench-serving", description=__doc__)
    parser.add_argument("--problems", type=int, default=3000, help="problems of the throughput run (default 3000)")
    parser.add_argument("--few", type=int, default=600, help="problems of the kill and refresh runs (default 600)")
    parser.add_argument("--folder", type=Path, default=PROJECT / "var" / "bench-serving")
    parser.add_argument("--model", type=Path, default=ZOO / "teacher-small", help="the teacher's folder")
    parser.add_argument(
        "--only", choices=("wire", "cases", "throughput", "kills", "refresh", "ends"), help="one part (default: all)"
    )
    options = parser.parse_args()

    def workload(name: str, problems: int) -> Workload:
        shutil.rmtree(options.folder / name, ignore_errors=True)
        return Workload(options.folder / name, problems, options.model)

    parts: dict[str, Callable[[], dict[str, object]]] = {
        "wire": lambda: dict(figures()),
        "cases": cases,
        "throughput": lambda: throughput(workload("throughput", options.problems)),
        "kills": lambda: kills(workload("kills", options.few)),
        "refresh": lambda: refresh(workload("refresh", options.few)),
        "ends": lambda: run_ends(options.folder / "ends"),
    }
    results: dict[str, object] = {}
    for name, measure in parts.items():
        if options.only in (None, name):
            results |= measure()
    print(json.dumps(results))


def cases() -> dict[str, object]:
    """How many cases are right: our own on a socket, and those of public reports where their file is there."""
    known = known_cases()
    wrong = [*wrong_cases(), *wrong_known_cases(known or [])]
    for line in wrong:
        print(f"wrong: {line}")
    every = len(WIRE_CASES) + len(known or [])
    print(f"{every - len(wrong)} of {every} cases right ({len(WIRE_CASES)} of them our own, on a socket)")
    return {"wire_cases_right": round((every - len(wrong)) / every, 4), "wire_cases": every}


def throughput(workload: Workload) -> dict[str, object]:
    """Airflow first, then the engine with the very lengths that came out."""
    folder = workload.folder
    recipe = workload.write()
    model = served_models(recipe)["teacher"].model
    root = folder / "store"
    watch = Watch(root.as_uri(), model, model.identity(Resources(), Store.at(root.as_uri(), create=True)))
    through = distil_through_airflow(workload, folder / "airflow", root, watch)
    work = made(Store.at(root.as_uri()))
    lengths = sorted(work.tokens)
    print(f"{len(lengths)} traces, tokens: median {lengths[len(lengths) // 2]}, longest {lengths[-1]}")
    rate = through.tokens / through.seconds
    print(f"through Airflow: {rate:.0f} tokens/s in {through.seconds:.1f} s, utilisation {through.utilisation:.3f}")
    bare = bare_engine(model, work, folder)
    print(f"vllm bench serve: {bare.rate:.0f} tokens/s, utilisation {bare.utilisation:.3f}")
    return {
        "ratio_to_engine": round(rate / bare.rate, 3),
        "utilisation": round(through.utilisation / bare.utilisation, 3),
        "tokens_per_second": round(rate),
        "slots_busy": round(through.utilisation, 3),
    }


if __name__ == "__main__":
    main()
