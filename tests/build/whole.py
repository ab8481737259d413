"""`demo_full` and `evaluate_demo_full` on a few of their problems, with fake servers and a fake training."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from tests.build.evaluated import right
from tests.build.several import Servers
from tests.build.training import ZOO, python_that
from tracemill.engine.resources import SHIPPED, Resources
from tracemill.local.run import Run
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.recipe import load_recipe
from tracemill.train.launch import PYTHON
from tracemill.train.student import lay_out
from zoo import demo_full

SHARES = {"teacher-large": 0.9, "teacher-weak": 0.2, "student": 0.9}
PROBLEMS = {name: (split, count) for (name, (split, _)), count in zip(demo_full.FILES.items(), (40, 30), strict=True)}


def files(folder: Path) -> None:
    """Write a few problems to learn from and to be measured on, and both recipes, which find them in this folder."""
    folder.mkdir()
    demo_full.write(folder, PROBLEMS)
    for name in ("demo_full", "evaluate_demo_full"):
        text = (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
        text = text.replace("../../var/demo_full", str(folder)).replace("../../zoo/models", str(ZOO))
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def servers(folder: Path, shares: Mapping[str, float] = SHARES) -> Servers:
    """A server for each of the models, that is right in its share of samples."""
    rows = [json.loads(line) for name in PROBLEMS for line in (folder / name).open(encoding="utf-8")]
    golds = {row["prompt"]: row["reference_answer"] for row in rows}

    def said(prompt: str, seed: int, share: float) -> str:
        gold = golds[max((text for text in golds if text in prompt), key=len)]
        answer = gold if right(prompt, seed, share) else -1
        return f"<think>\nhm {seed}\n</think>\n<answer>\n\\boxed{{{answer}}}\n</answer>"

    def server(share: float) -> FakeServer:
        return FakeServer(say=lambda prompt, seed: said(prompt, seed, share))

    return Servers({name: server(share) for name, share in shares.items()})


def machine(folder: Path, models: Servers) -> Resources:
    """A machine with these servers, and a Python that seems to train."""
    at = {name: [{"url": f"http://{name}", "model": name}] for name in models.by_host}
    known = {
        ENDPOINTS: json.dumps(at),
        PYTHON: str(python_that(folder, "trains")),
        "TRACEMILL_CACHE": str(folder / "cache"),
    }
    return Resources(workers=1, environment={**os.environ, **known}, transport=models)


def ran(folder: Path, name: str, models: Servers) -> Run:
    """One of the recipes, run to its end on a store below the folder; its student is laid out."""
    made = load_recipe(str(folder / f"{name}.yaml"))
    here = machine(folder, models)
    run = Run(made, str(folder / "store" / name), here, Console(quiet=True))
    run.go()
    for step in made.steps:
        lay_out(made.step(step), step, run.store, made.located(here))
    return run
