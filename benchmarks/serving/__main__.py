"""`python -m benchmarks.serving`: prints what it measures; the last line is JSON."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from benchmarks.serving import wire
from benchmarks.serving.engine import bare_engine
from benchmarks.serving.kills import kills
from benchmarks.serving.refresh import refresh
from benchmarks.serving.through_airflow import Watch, distil_through_airflow
from benchmarks.serving.workload import PROJECT, ZOO, Workload, made
from tracemill.resources import Resources
from tracemill.served import served_models
from tracemill.shards import Store


def main() -> None:
    """Measure the stage against the engine, then kills, then a refresh."""
    parser = argparse.ArgumentParser(prog="make bench-serving", description=__doc__)
    parser.add_argument("--problems", type=int, default=3000, help="problems of the throughput run (default 3000)")
    parser.add_argument("--few", type=int, default=600, help="problems of the kill and refresh runs (default 600)")
    parser.add_argument("--folder", type=Path, default=PROJECT / "var" / "bench-serving")
    parser.add_argument("--model", type=Path, default=ZOO / "teacher-small", help="the teacher's folder")
    parser.add_argument("--only", choices=("throughput", "kills", "refresh", "wire"), help="one part")
    options = parser.parse_args()
    for part in ("throughput", "kills", "refresh"):
        shutil.rmtree(options.folder / part, ignore_errors=True)
    results: dict[str, object] = {}
    if options.only in (None, "wire"):
        results |= wire.figures()
    if options.only in (None, "throughput"):
        results |= throughput(Workload(options.folder / "throughput", options.problems, options.model))
    if options.only in (None, "kills"):
        results |= kills(Workload(options.folder / "kills", options.few, options.model))
    if options.only in (None, "refresh"):
        results |= refresh(Workload(options.folder / "refresh", options.few, options.model))
    print(json.dumps(results))


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
