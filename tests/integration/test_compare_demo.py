"""The recipe `compare_demo` whole, on fake servers in the zoo's places, and what is said of its teachers."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.build.answering import solving
from tests.build.several import Servers, rows
from tracemill.cli import app
from tracemill.engine.store import Store
from tracemill.engine.trial import trial_root
from tracemill.errors import MissingInput
from tracemill.local.run import Run
from tracemill.recipe import load_recipe
from tracemill.report.compare import Comparison, compare
from tracemill.report.comparison_files import write

SHARES = {"teacher-weak": 1, "teacher-small": 3, "teacher-large": 4}
ROWS = 24


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The recipe on some of its rows, run to its end by the local runner."""
    servers = Servers({name: solving(share) for name, share in SHARES.items()})
    root = trial_root(str(tmp_path_factory.mktemp("compared") / "store"), ROWS)
    done = Run(load_recipe("compare_demo").tried_on(ROWS), root, servers.machine(), Console(quiet=True))
    done.go()
    return done


@pytest.fixture(scope="module")
def found(run: Run) -> Comparison:
    return compare(run.recipe, run.store)


def test_what_is_released_was_solved_by_all(run: Run) -> None:
    teachers = {
        row["id"]: row["teacher"]
        for name in SHARES
        for row in rows(run, name.replace("teacher-", "distill_"), "generations")
    }
    by_problem: dict[str, set[str]] = {}
    for row in rows(run, "select", "selected"):
        by_problem.setdefault(row["problem_id"], set()).add(teachers[row["generation_id"]])
    assert by_problem
    assert all(names == SHARES.keys() for names in by_problem.values())


def test_rates_are_those_of_the_rows(run: Run, found: Comparison) -> None:
    status = {
        row["generation_id"]: row["status"]
        for step in ("verify_math", "verify_code")
        for row in rows(run, step, "verdicts")
    }
    whole = {row["teacher"]: row for row in found.rates.filter(pl.col("category").is_null()).to_dicts()}
    assert whole.keys() == SHARES.keys()
    for name, row in whole.items():
        mine = rows(run, name.replace("teacher-", "distill_"), "generations")
        said = [status.get(one["id"]) for one in mine]
        assert (row["responses"], row["passed"]) == (len(mine), said.count("pass"))
        assert row["decided"] == said.count("pass") + said.count("fail")
        assert row["low"] <= row["pass_rate"] <= row["high"]
        assert row["tokens"] == sum(one["completion_tokens"] for one in mine)
        assert row["mean_perplexity"] > 0
        assert row["money_per_accepted"] is None, "nobody said what a token costs"
    attempts = [whole[name]["attempts_per_accepted"] for name in SHARES]
    assert attempts == sorted(attempts, reverse=True)
    assert attempts[0] > attempts[-1]


def test_shared_problems_are_the_intersection(run: Run, found: Comparison) -> None:
    solved: dict[str, set[str]] = {}
    passed = {row["generation_id"] for row in rows(run, "verify_math", "verdicts") if row["status"] == "pass"}
    for name in SHARES:
        for row in rows(run, name.replace("teacher-", "distill_"), "generations"):
            if row["id"] in passed:
                solved.setdefault(name, set()).add(row["problem_id"])
    assert found.problems == ROWS
    assert found.shared == len(set.intersection(*solved.values())) > 0


def test_fits_are_ratios_of_sums_over_verified_responses(run: Run, found: Comparison) -> None:
    """Trap: a mean of ratios would be that of a few traces which hardly surprise at all."""
    teachers = {
        row["id"]: row["teacher"]
        for name in SHARES
        for row in rows(run, name.replace("teacher-", "distill_"), "generations")
    }
    passed = {
        row["generation_id"]
        for step in ("verify_math", "verify_code")
        for row in rows(run, step, "verdicts")
        if row["status"] == "pass"
    }
    sums: dict[str, tuple[float, float]] = {}
    values = {(row["generation_id"], row["metric"]): row["value"] for row in rows(run, "perplexity", "measurements")}
    for one in passed & teachers.keys():
        if (one, "rsr") in values:
            ranks, surprisals = sums.get(teachers[one], (0.0, 0.0))
            surprisal = values[one, "surprisal"]
            sums[teachers[one]] = ranks + values[one, "rsr"] * surprisal, surprisals + surprisal
    assert sums.keys() == SHARES.keys()
    said = {row["teacher"]: row["rank_surprisal_ratio"] for row in found.fits.to_dicts()}
    assert said == pytest.approx({name: ranks / surprisals for name, (ranks, surprisals) in sums.items()})
    assert found.fits["rank_surprisal_ratio"].is_sorted()


def test_what_was_turned_away_is_told_by_step_and_reason(run: Run, found: Comparison) -> None:
    away = {(row["step"], row["reason"]): 0 for row in found.turned_away.to_dicts()}
    for row in found.turned_away.to_dicts():
        away[row["step"], row["reason"]] += row["responses"]
    gone = [row for row in rows(run, "intersect", "ledger") if row["bucket"] == "rejected"]
    assert away["intersect", "not_by_all"] == len(gone) > 0


def test_the_page_has_every_teacher_and_its_pictures_are_there(found: Comparison, tmp_path: Path) -> None:
    paths = {path.name: path for path in write(found, tmp_path / "out", "Teachers")}
    page = paths["README.md"].read_text(encoding="utf-8")
    assert all(f"| {name} |" in page for name in SHARES)
    for name in ("rates.png", "lengths.png"):
        assert f"({name})" in page
        assert paths[name].read_bytes().startswith(b"\x89PNG")
    assert pl.read_parquet(paths["rates.parquet"]).equals(found.rates)
    assert (
        pl.read_parquet(paths["lengths.parquet"])["responses"].sum()
        == found.rates.filter(pl.col("category").is_not_null())["passed"].sum()
    )


def test_from_the_command_line(run: Run, tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["compare", run.store.root, "--json", "--to", str(tmp_path / "out")])
    assert said.exit_code == 0, said.output
    assert json.loads(said.output)["problems"] == ROWS
    assert (tmp_path / "out" / "README.md").is_file()
    shown = CliRunner().invoke(app, ["compare", run.store.root])
    assert "teacher-large" in shown.output


def test_a_run_that_is_not_at_its_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingInput):
        compare(load_recipe("compare_demo"), Store.at(tmp_path.as_uri(), create=True))
