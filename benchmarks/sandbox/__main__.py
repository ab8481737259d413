"""Measures programs per CPU-second of every way to judge the same workload, in one run. The last line is JSON.

Backends and yardsticks are charged for every process they cause: the supervisor, workers, containers and the Docker
daemon. Workers are started before the clock: a pipeline starts them once. `--quick` uses every tenth program.
"""

import argparse
import json
import subprocess
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

from benchmarks.sandbox.cpu import tree_seconds
from benchmarks.sandbox.workload import Program, programs
from tracemill.sandbox.base import CallSuite, Job, SandboxSettings, SandboxUnavailable, StdioSuite
from tracemill.sandbox.pool import open_sandbox

_PASSES = 3


def job(program: Program, number: int) -> Job:
    """Return a program of the workload as a job."""
    suite: StdioSuite | CallSuite
    if program.kind == "stdio":
        suite = StdioSuite(inputs=tuple(program.inputs), outputs=tuple(program.outputs))
    else:
        suite = CallSuite(fn_name="solve", args=tuple((xs,) for xs in program.inputs), expected=tuple(program.outputs))
    return Job(id=f"{program.name}/{number}", source=program.source, suite=suite)


def _row(name: str, kind: str, programs_judged: int, seconds: float, wall: float, accepted: int) -> float:
    rate = programs_judged / seconds
    right = "all right" if accepted == programs_judged else f"{programs_judged - accepted} WRONG"
    each = 1000 * seconds / programs_judged
    print(
        f"{name:<22} {kind:<6} {each:9.2f} CPU ms/program {rate:9.1f} programs/CPU-s  wall {wall:6.1f} s  {right}",
        flush=True,
    )
    return rate


def plainly(how: str, workload: Sequence[Program]) -> float:
    """Measure a yardstick in an empty environment: what this one runs at every start of Python would only slow it."""
    with tempfile.TemporaryDirectory() as home:
        venv.create(home, symlinks=True)
        file = Path(home, "workload.json")
        file.write_text(json.dumps([program.as_dict() for program in workload]))
        command = [f"{home}/bin/python", str(Path(__file__).with_name("plain.py")), str(file), how]
        report = json.loads(
            subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")[-2]
        )
    return _row(how, workload[0].kind, report["programs"], report["seconds"], report["wall"], report["accepted"])


def sandboxed(settings: SandboxSettings, workload: Sequence[Program]) -> float:
    """Measure a backend with its workers warm."""
    jobs = [job(program, turn) for turn in range(_PASSES) for program in workload]
    docker = settings.kind == "docker"
    with open_sandbox(settings) as sandbox:
        list(sandbox.judge(jobs[: 2 * settings.workers]))
        before, started = tree_seconds(docker), time.monotonic()
        accepted = sum(verdict.status == "accepted" for verdict in sandbox.judge(jobs))
        spent, wall = tree_seconds(docker) - before, time.monotonic() - started
    return _row(settings.kind, workload[0].kind, len(jobs), spent, wall, accepted)


def main() -> None:
    """Print a row per way and kind, then the ratios as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.sandbox", description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--image", default="tracemill-sandbox", help="the Docker backend's image")
    parser.add_argument("--quick", action="store_true", help="every tenth program only")
    options = parser.parse_args()
    everything = programs()[:: 10 if options.quick else 1]
    rates: dict[str, dict[str, float]] = {}
    for kind in ("stdio", "call"):
        workload = [program for program in everything if program.kind == kind]
        rates[kind] = {how: plainly(how, workload) for how in ("naive", "lcb", "lean")}
        for backend in ("namespace", "docker"):
            settings = SandboxSettings(kind=backend, workers=options.workers, image=options.image)
            try:
                rates[kind][backend] = sandboxed(settings, workload)
            except SandboxUnavailable as error:
                print(f"{backend}: not measured: {error}", flush=True)
    print(json.dumps(ratios(rates)))


def ratios(rates: dict[str, dict[str, float]]) -> dict[str, float | None]:
    """Return how many times more programs per CPU-second the backends judge; None for what was not measured."""

    def over(kind: str, one: str, other: str) -> float | None:
        first, second = rates[kind].get(one), rates[kind].get(other)
        return round(first / second, 2) if first and second else None

    found = {f"{kind}_vs_{how}": over(kind, "namespace", how) for kind in ("stdio", "call") for how in ("naive", "lcb")}
    slower = [cost for kind in ("stdio", "call") if (cost := over(kind, "namespace", "docker")) is not None]
    return {**found, "docker_vs_namespace": max(slower) if slower else None}


if __name__ == "__main__":
    main()
