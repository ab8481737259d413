"""The recipe `evaluate_demo` whole, on fake servers in the zoo's places: what two models score, and by how much."""

from __future__ import annotations

import json
import multiprocessing
import signal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.build.evaluated import ROWS, SAMPLES, SHARES, asked, demo, demo_that_dies, gold_of, right, servers
from tests.build.several import Servers
from tracemill.cli import app
from tracemill.errors import MissingInput, StoreError
from tracemill.local.run import Run
from tracemill.report.evaluation import Evaluation, evaluation
from tracemill.report.evaluation_folder import lay_out
from tracemill.report.why import why

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Servers]:
    models = servers()
    done = demo(str(tmp_path_factory.mktemp("evaluated")), models)
    done.go()
    return done, models


@pytest.fixture(scope="module")
def found(run: tuple[Run, Servers]) -> Evaluation:
    done, _ = run
    return evaluation(done.recipe, done.store)


def of(models: Servers, name: str) -> list[tuple[str, int]]:
    """Prompts and seeds that a model was asked with."""
    return [(prompt, seed) for model, prompt, seed in asked(models) if model == name]


def test_a_score_is_the_share_of_samples_that_pass(run: tuple[Run, Servers], found: Evaluation) -> None:
    _, models = run
    rows = {row["teacher"]: row for row in found.scores.to_dicts()}
    assert rows.keys() == SHARES.keys()
    for name, share in SHARES.items():
        row = rows[name]
        assert (row["items"], row["answered"], row["asked"]) == (ROWS, ROWS, SAMPLES * ROWS)
        passed = sum(right(prompt, seed, share) for prompt, seed in of(models, name) if gold_of(prompt))
        assert row["passed"] == passed  # its programs are right of no item
        assert row["pass_at_1"] == pytest.approx(row["passed"] / (SAMPLES * ROWS))
        assert row["low"] < row["pass_at_1"] < row["high"]


def test_the_better_model_is_found_to_be_better(found: Evaluation) -> None:
    (row,) = found.differences.to_dicts()
    assert (row["teacher"], row["other"]) == ("teacher-small", "teacher-weak")
    assert row["difference"] > row["visible"] > 0
    assert row["low"] > 0


def test_why_tells_what_became_of_an_item(run: tuple[Run, Servers], found: Evaluation) -> None:
    done, _ = run
    tables = {row["table"] for row in why(found.items["problem_id"][0], done.recipe, done.store)["found"]}
    assert "evaluation_items" in tables


def test_the_folder_holds_the_page_the_picture_the_items_and_the_logs(found: Evaluation, tmp_path: Path) -> None:
    folder = tmp_path / "evaluation"
    lay_out(found, folder)
    assert {path.name for path in folder.iterdir()} == {
        *("README.md", "evaluation.json", "scores.png", "items.jsonl", "disagreements.jsonl", "logs"),
    }
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert "zoo held-out problems" in page
    assert "teacher-small less teacher-weak" in page
    assert (folder / "scores.png").read_bytes().startswith(b"\x89PNG")
    items = (folder / "items.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(items) == 2 * ROWS
    told = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert [row["teacher"] for row in told["evaluations"]] == sorted(SHARES)
    lay_out(found, folder)  # an earlier one is replaced
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="holds other files"):
        lay_out(found, tmp_path / "other")


def test_the_command_shows_it(run: tuple[Run, Servers], tmp_path: Path) -> None:
    done, _ = run
    text = CliRunner().invoke(app, ["evaluate", done.store.root, "--to", str(tmp_path / "e")])
    assert text.exit_code == 0, text.output
    assert "teacher-small less teacher-weak is +" in text.stdout
    data = CliRunner().invoke(app, ["evaluate", done.store.root, "--json"])
    assert len(json.loads(data.stdout)["evaluations"]) == 2


def test_before_it_has_run_there_is_nothing_to_show(tmp_path: Path) -> None:
    begun = demo(str(tmp_path), servers())
    begun.names = ["plan", "ingest"]
    begun.go()
    with pytest.raises(MissingInput):
        evaluation(begun.recipe, begun.store)


def test_a_second_run_asks_nobody(run: tuple[Run, Servers], tmp_path: Path) -> None:
    done, _ = run
    models = servers()
    again = Run(done.recipe, done.store.root, demo(str(tmp_path), models).resources, done.console)
    again.go()
    assert again.computed == 0
    assert asked(models) == []


def rows_of(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.drop("tokens").to_dicts()


def test_killed_while_it_samples_it_goes_on_with_the_samples_that_it_has(found: Evaluation, tmp_path: Path) -> None:
    """SIGKILL in the middle: every answer that was stored is used, and the scores are those of an undisturbed run."""
    answers = 70  # of the student's 96
    context = multiprocessing.get_context("forkserver")
    child = context.Process(target=demo_that_dies, args=(str(tmp_path), answers))
    child.start()
    child.join(240)
    assert child.exitcode == -signal.SIGKILL
    models = servers()
    resumed = demo(str(tmp_path), models)
    resumed.go()
    assert 0 < len(of(models, "teacher-small")) <= SAMPLES * ROWS - answers // 2
    assert of(models, "teacher-weak") == []  # its step was sealed before
    again = evaluation(resumed.recipe, resumed.store)
    assert rows_of(again.scores) == rows_of(found.scores)
    assert rows_of(again.items) == rows_of(found.items)
