"""One student of an arm, from its draw to what it makes of the items: sealed, and gone on with after a kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from tests.build.ablated import ablatable, released
from tests.build.small import Small
from tests.build.training import machine, python_that
from tracemill.ablate.arms import Unit, planned
from tracemill.ablate.settings import Ablation
from tracemill.ablate.unit import evaluation_of, run_unit
from tracemill.cli import app
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.train.launch import PYTHON

ITEMS = 6
pytestmark = pytest.mark.slow


def evaluation(folder: Path, **steps: Any) -> str:
    """The file of a recipe that asks a model sums and evaluates it."""
    rows = [{"q": f"What is {k} + {k}?", "a": str(2 * k)} for k in range(ITEMS)]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = {"prompt": "q", "reference_answer": "a"}
    source = {"kind": "jsonl", "name": "sums", "path": str(folder / "sums.jsonl"), "columns": columns}
    teachers = [
        {"kind": "chat", "samples": 2, "model": {"name": name, "weights": "org/m", "revision": "a"}}
        for name in ("before", "after")
    ]
    own: dict[str, Any] = {
        "sample_1": {"kind": "distill", "problems": "all", "teacher": teachers[0]},
        "sample_2": {"kind": "distill", "problems": "all", "teacher": teachers[1]},
        "verify_math": {"kind": "verify", "verifiers": [{"kind": "math"}]},
        "grade": {"kind": "grade"},
        "evaluate": {"kind": "evaluate", "draws": 200, "second_opinion": False},
    }
    data = {"name": "sums", "description": "x", "sources": [{**source, "category": "math"}], "steps": {**own, **steps}}
    path = folder / "sums.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return str(path)


def says(prompt: str, seed: int) -> str:
    """Right of every second sum."""
    number = int(prompt.split("What is ")[1].split()[0])
    return f"<think>\nhm {seed}\n</think>\n<answer>\n\\boxed{{{2 * number + number % 2}}}\n</answer>"


def here(folder: Path, server: FakeServer) -> Resources:
    """A machine on which the student answers already, and nothing is trained in truth."""
    usual = machine(folder, python_that(folder, "trains"), transport=server)
    at = json.dumps({"student": [{"url": "http://student", "model": "student"}]})
    return replace(usual, environment={**usual.environment, ENDPOINTS: at})


def trained(folder: Path) -> int:
    """How many trainings have begun below the folder."""
    found = list((folder / "cache" / "training").glob("*/events.jsonl"))
    return sum(path.read_text().count('"began"') for path in found)


def test_a_unit_is_trained_and_asked_once(tmp_path: Path) -> None:
    made = released(ablatable(tmp_path), machine(tmp_path))
    server = FakeServer(say=says)
    resources = here(tmp_path, server)
    asked = Ablation(evaluation=evaluation(tmp_path), stages=("rules",))
    plan = planned(made.recipe, made.store, asked, resources)
    full, _, without = plan.units[:3]

    rows = run_unit(made.recipe, made.store, asked, full, resources)

    assert rows.select("arm", "seed", "benchmark", "decided").unique().rows() == [("full", 0, "sums", 2)]
    assert sorted(rows["passed"].to_list()) == [0, 0, 0, 2, 2, 2]
    assert (trained(tmp_path), len(server.generated)) == (1, 2 * ITEMS)
    before = len(server.requests)
    assert run_unit(made.recipe, made.store, asked, full, resources).equals(rows)
    assert (trained(tmp_path), len(server.requests)) == (1, before)
    other = run_unit(made.recipe, made.store, asked, without, resources)
    assert other["arm"].unique().to_list() == ["without_rules"]
    assert trained(tmp_path) == 2  # of other rows, so another student


def dies(folder: str, upto: int, after: int) -> None:
    """Run the first unit in this process, which is killed with so many answers given."""
    made = Small(Path(folder))
    given = []

    def say(prompt: str, seed: int) -> str:
        given.append(seed)
        if len(given) > after:
            os.kill(os.getpid(), signal.SIGKILL)
        return says(prompt, seed)

    server = FakeServer(say=say, seconds=lambda _, seed: (seed % 10) / 10)
    asked = Ablation(evaluation=str(Path(folder) / "sums.yaml"), stages=("rules",))
    run_unit(made.recipe, made.store, asked, Unit("full", 0, upto), here(Path(folder), server))


def test_a_unit_that_is_killed_goes_on_with_the_student_that_it_has(tmp_path: Path) -> None:
    """Trap: what was trained for hours would be trained again since its evaluation died."""
    made = released(ablatable(tmp_path), machine(tmp_path))
    asked = Ablation(evaluation=evaluation(tmp_path), stages=("rules",))
    server = FakeServer(say=says)
    resources = here(tmp_path, server)
    unit = planned(made.recipe, made.store, asked, resources).units[0]
    child = multiprocessing.get_context("spawn").Process(target=dies, args=(str(tmp_path), unit.upto, 3))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL

    rows = run_unit(made.recipe, made.store, asked, unit, resources)

    assert rows["passed"].sum() == ITEMS
    assert trained(tmp_path) == 1


def test_an_evaluation_that_asks_no_student_is_refused(tmp_path: Path) -> None:
    bare = evaluation(tmp_path, evaluate={"kind": "label"})
    with pytest.raises(RecipeError, match="evaluates no student"):
        evaluation_of(Ablation(evaluation=bare))


def test_a_recipe_that_trains_nothing_is_refused(tmp_path: Path) -> None:
    made = Small(tmp_path)
    made.write(["a"])
    made.describe()
    said = CliRunner().invoke(app, ["ablate", str(made.recipe_file), "--root", str(tmp_path / "none")])
    assert "holds no tracemill store" in said.output.replace("\n", " ")
    from tracemill.local.run import Run

    Run(made.recipe, str(made.root), machine(tmp_path), Console(file=StringIO())).go()
    called = ["ablate", str(made.recipe_file), "--root", str(made.root)]
    assert "makes no student to ask" in CliRunner().invoke(app, called).output.replace("\n", " ")
    seeds = CliRunner().invoke(app, [*called, "--stage", "dedupe"])
    assert "stages" in seeds.output


@pytest.mark.server
def test_the_command_goes_from_a_release_to_its_page_and_makes_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = released(ablatable(tmp_path), machine(tmp_path))
    monkeypatch.setenv(PYTHON, str(python_that(tmp_path, "trains")))
    monkeypatch.setenv("TRACEMILL_CACHE", str(tmp_path / "cache"))
    called = ["ablate", str(made.recipe_file), "--root", str(made.root), "--evaluation", evaluation(tmp_path)]
    called += ["--stage", "rules", "--to", str(tmp_path / "outcome")]
    with on_socket(FakeServer(say=says), slots=64, seconds=0) as served:
        monkeypatch.setenv(ENDPOINTS, json.dumps({"student": [{"url": served.url, "model": "student"}]}))
        said = CliRunner().invoke(app, called)
        assert said.exit_code == 0, said.output
        asked = served.generated
        assert trained(tmp_path) == 15
        again = CliRunner().invoke(app, [*called, "--json"])
    assert "student 15 of 15" in said.output
    # Every student says the same here: so nothing varies, and that is said before any number.
    assert said.output.index("no difference could be seen at all") < said.output.index("not told")
    assert json.loads(again.output)["visible"] is None
    assert [gain["gain"] for gain in json.loads(again.output)["gains"]] == [0.0, 0.0]
    assert (trained(tmp_path), served.generated) == (15, asked)
    assert "rules" in (tmp_path / "outcome" / "README.md").read_text()
