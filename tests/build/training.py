"""Trainings for tests: a release sealed with its proof, one job on the zoo's smallest model, and one that is killed."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.build.released import release, row
from tests.build.small import Small
from tracemill.engine.resources import Resources
from tracemill.errors import TrainingError
from tracemill.local.run import Run
from tracemill.models.server.guard import descendants
from tracemill.release.trainers.folder import Wanted, export
from tracemill.release.trainers.opened import release_folder
from tracemill.train.inside.checkpoints import WHOLE, WRITING
from tracemill.train.inside.job import EVENTS, HISTORY, Job
from tracemill.train.launch import PYTHON, Launch
from tracemill.train.process import trained

ZOO = Path(__file__).resolve().parents[2] / "zoo" / "models"
WEAK = ZOO / "teacher-weak"
LACKING = "no .venv-train here: make train-env makes it"
PROVE: dict[str, Any] = {"kind": "prove", "template": str(WEAK), "max_length": 256}
TRAIN: dict[str, Any] = {
    "kind": "train",
    "base": {"name": "weak", "weights": str(WEAK)},
    "schedule": {"batch": 4, "precision": "float32", "learning_rate": 1e-3},
}


def has_environment() -> bool:
    """Whether students can be trained here."""
    return Path(".venv-train/bin/python").is_file()


def sums(rows: int) -> list[dict[str, Any]]:
    """Released rows of different lengths, each with words of its own."""
    return [
        row(f"{k} and {k + 1}. " * (1 + k % 5) + "Done.", f"{2 * k + 1}", ("user", f"What is {k} + {k + 1}?"))
        for k in range(rows)
    ]


def job(folder: Path, rows: int = 48, **changes: Any) -> Job:
    """A training of a dozen steps with a checkpoint every few of them, in `folder`/work."""
    found = release_folder(release(folder / "release", sums(rows)))
    export(found, Wanted(layout="prompt_completion"), folder / "layout", lambda _: None)
    usual = Job(
        identity="tried",
        work=str(folder / "work"),
        base=str(WEAK),
        revision=None,
        tokenizer=str(WEAK),
        rows=(str(folder / "layout" / "train-00000.parquet"),),
        left_out=(),
        marked=False,
        max_length=256,
        packing=False,
        learning_rate=1e-3,
        warm_up=0.05,
        epochs=2,
        batch=8,
        devices=1,
        per_device=4,
        seed=3,
        precision="float32",
        attention="sdpa",
        recompute=False,
        save_every=3,
        shown=2,
        on_cpu=True,
    )
    return replace(usual, **changes)


def run(one: Job, *told: list[str]) -> list[dict[str, Any]]:
    """Train to the end; the lines of its log, a step each. What it tells goes to the list given."""
    tell = told[0].append if told else lambda _: None
    done = trained(one, Launch(), Resources(workers=1, tell=tell))
    lines: list[dict[str, Any]] = json.loads((done / HISTORY).read_text())
    return lines


def killed(one: Job, when: Callable[[Path], bool]) -> None:
    """Train until `when` says so of the training's folder, then kill -9 everything that belongs to it."""
    work = Path(one.work)
    before = set(descendants(os.getpid()))
    with ThreadPoolExecutor(1) as threads:
        training = threads.submit(run, one)
        while not training.done() and not when(work):
            time.sleep(0.002)
        for pid in set(descendants(os.getpid())) - before:
            _kill(pid)
        try:
            training.result()
        except TrainingError:
            return
    raise AssertionError("the training was over before it was killed")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def at_step(step: int) -> Callable[[Path], bool]:
    """True once that step was told."""
    return lambda work: any(one["event"] == "step" and one["step"] >= step for one in events(work))


def after_save(step: int) -> Callable[[Path], bool]:
    """True once the checkpoint of that step is whole."""
    return lambda work: (work / WHOLE / f"checkpoint-{step}").is_dir()


def while_saving(step: int) -> Callable[[Path], bool]:
    """True while the checkpoint of that step is being written."""
    return lambda work: (work / WRITING / f"checkpoint-{step}").is_dir()


def events(work: Path) -> list[dict[str, Any]]:
    """What a training has told so far, whole lines only."""
    path = work / EVENTS
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def recipe_with(folder: Path, texts: Sequence[str], prove: dict[str, Any], **steps: dict[str, Any]) -> Small:
    """A small recipe whose release is proved, and whatever comes after."""
    made = Small(folder)
    made.write(texts)
    made.describe(prove={**PROVE, **prove}, **steps)
    return made


def machine(folder: Path, python: Path | None = None, **told: Any) -> Resources:
    """A machine with a cache of its own, where a training has its checkpoints; `python` trains instead."""
    known = {"TRACEMILL_CACHE": str(folder / "cache"), **({PYTHON: str(python)} if python else {})}
    return Resources(workers=1, environment={**os.environ, **known}, **told)


def python_that(folder: Path, how: str) -> Path:
    """An executable in the place of the python that trains: it `trains`, `refuses`, `raises` or `dies` (see
    fake_training)."""
    source = Path(__file__).with_name("fake_training.py").read_text(encoding="utf-8")
    path = folder / f"python-{how}"
    path.write_text(f"#!{sys.executable}\n" + source.replace('HOW = "trains"', f"HOW = {how!r}"), encoding="utf-8")
    path.chmod(0o755)
    return path


def ran(made: Small, resources: Resources) -> str:
    """Run all steps of the recipe; what was printed."""
    said = StringIO()
    Run(made.recipe, str(made.root), resources, Console(file=said, width=200)).go()
    return said.getvalue()
