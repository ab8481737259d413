"""`make demo-full` without Airflow: from problems to a student, what it is asked, and the page that tells all of it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.build.several import Servers, rows
from tests.build.whole import SHARES, files, machine, ran, servers
from tracemill.cli import app
from tracemill.errors import MissingInput, StoreError, TracemillError
from tracemill.local.run import Run
from tracemill.report.student import StudentReport, student_report
from tracemill.report.student_folder import lay_out
from tracemill.report.student_page import verdicts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("whole") / "demo_full"
    files(place)
    return place


@pytest.fixture(scope="module")
def models(folder: Path) -> Servers:
    return servers(folder)


@pytest.fixture(scope="module")
def built(folder: Path, models: Servers) -> Run:
    return ran(folder, "demo_full", models)


@pytest.fixture(scope="module")
def evaluated(folder: Path, models: Servers, built: Run) -> Run:
    return ran(folder, "evaluate_demo_full", models)


@pytest.fixture(scope="module")
def found(built: Run, evaluated: Run) -> StudentReport:
    return student_report(built.store, evaluated.store)


def test_the_gain_is_the_students_score_less_its_bases(found: StudentReport) -> None:
    """Trap: names are sorted, so that which of both stands first says nothing."""
    scores = {row["teacher"]: row["pass_at_1"] for row in found.scores.scores.to_dicts()}
    (gain,) = found.gains.to_dicts()
    assert (found.base, found.student) == (gain["other"], gain["teacher"]) == ("teacher-weak", "student")
    assert gain["difference"] == pytest.approx(scores["student"] - scores["teacher-weak"])
    assert gain["low"] < gain["difference"] < gain["high"]
    assert gain["difference"] > gain["visible"]


def test_tokens_and_rows_of_each_step_are_those_of_its_tables(found: StudentReport, built: Run) -> None:
    costs = {(cost.recipe, cost.step): cost for cost in found.costs}
    written = sum(row["completion_tokens"] for row in rows(built, "distill_large", "generations"))
    assert costs["demo_full", "distill_large"].tokens == written > 0
    assert costs["demo_full", "train"].tokens == found.trained.made_with["tokens"]
    assert costs["demo_full", "verify_math"].tokens is None
    assert costs["evaluate_demo_full", "sample_2"].rows == 30
    assert all(cost.seconds >= 0 for cost in found.costs)


def test_the_page_has_every_part_and_its_pictures_are_there(found: StudentReport, tmp_path: Path) -> None:
    page = lay_out(found, tmp_path / "page", {"demo_full": 600.0})
    text = page.read_text(encoding="utf-8")
    for picture in ("funnel.png", "grades.png", "loss.png", "scores.png"):
        assert f"({picture})" in text
        assert (page.parent / picture).read_bytes().startswith(b"\x89PNG")
    for heading in ("Before and after", "Where every row went", "How hard", "The training", "What it cost"):
        assert f"## {heading}" in text
    assert verdicts(found)[0] in text
    assert "it is larger" in text
    assert "The run of demo_full took 10 min by the clock" in text
    assert text.count("| distill_large |") == 2
    told = json.loads((page.parent / "student.json").read_text(encoding="utf-8"))
    assert told["gains"] == found.gains.to_dicts()


def test_grades_count_every_problem_of_every_teacher(found: StudentReport) -> None:
    counts = found.grades.group_by("teacher").agg(pl.col("problems").sum())
    assert counts.to_dicts() == [{"teacher": "teacher-large", "problems": 40}]


def test_an_earlier_page_is_replaced_and_other_files_are_not(found: StudentReport, tmp_path: Path) -> None:
    lay_out(found, tmp_path / "page")
    lay_out(found, tmp_path / "page")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="holds other files"):
        lay_out(found, tmp_path / "other")


def test_the_command_prints_what_it_was_worth(built: Run, evaluated: Run, tmp_path: Path) -> None:
    roots = [built.store.root, evaluated.store.root]
    said = CliRunner().invoke(app, ["report", *roots, "--to", str(tmp_path / "page")])
    assert said.exit_code == 0, said.output
    assert "zoo held-out problems: teacher-weak solves" in said.output
    turned = CliRunner().invoke(app, ["report", *reversed(roots), "--to", str(tmp_path / "none")])
    assert turned.exit_code == 1
    assert "trains no student" in turned.output
    assert not (tmp_path / "none").exists()


def test_a_second_run_asks_and_trains_nobody(folder: Path, built: Run, evaluated: Run) -> None:
    nobody = servers(folder)
    for done in (built, evaluated):
        again = Run(done.recipe, done.store.root, machine(folder, nobody), done.console)
        again.go()
        assert again.computed == 0
    assert nobody.asked == 0


def test_an_evaluation_of_a_student_that_was_replaced_is_refused(folder: Path, built: Run, evaluated: Run) -> None:
    """Trap: the folder has a new student, and the scores are those of the old one."""
    student = built.store.manifest("train", 0)
    assert student is not None
    mark = folder / "student" / "tracemill-student.json"
    known = mark.read_text(encoding="utf-8")
    weights = folder / "student" / "model.safetensors"
    old = weights.read_bytes()
    try:
        mark.write_text(known.replace(student.fingerprint, "0" * 64))
        with pytest.raises(MissingInput, match="holds another student than recipe 'demo_full' trained last"):
            student_report(built.store, evaluated.store)
        mark.write_text(known)
        weights.write_bytes(b"others")
        with pytest.raises(MissingInput, match="'sample_2' of recipe 'evaluate_demo_full' asked other weights"):
            student_report(built.store, evaluated.store)
    finally:
        mark.write_text(known)
        weights.write_bytes(old)


def test_the_student_is_asked_only_where_there_is_one(tmp_path: Path) -> None:
    """Trap: the evaluation begins before the training ended, or on another machine."""
    files(tmp_path / "new")
    with pytest.raises(TracemillError, match=r"student holds no model \(config.json is missing\)"):
        ran(tmp_path / "new", "evaluate_demo_full", servers(tmp_path / "new", SHARES))
