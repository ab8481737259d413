"""What `tracemill routes` proposes, pasted into the recipe and run: what it takes and solves is what was said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from tests.build.routed import recipe, servers
from tests.build.several import Servers, rows
from tracemill.cli import app
from tracemill.distill.forecasts import Total
from tracemill.local.run import Run
from tracemill.report.routes.proposal import Routes, routes

KINDS = (("maths", "Easy"), ("maths", "hard"), ("Logic", "easy"), ("Logic", "hard"))
SOLVE = {"cheap": (1.0, 0.4, 0.5, 0.0), "strong": (1.0, 0.9, 0.9, 0.0), "waste": (0.5, 0.3, 0.4, 0.0)}
WORDS = {"cheap": 30, "strong": 200, "waste": 300}
PILOTS = [f"pilot_{name}" for name in SOLVE]


def teachers() -> Servers:
    shares = {name: dict(zip(KINDS, share, strict=True)) for name, share in SOLVE.items()}
    return servers(shares, WORDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("routed")


@pytest.fixture(scope="module")
def piloted(folder: Path) -> Run:
    """Only the pilots have run."""
    steps = ["plan", "ingest", *PILOTS]
    done = Run(recipe(folder), str(folder / "store"), teachers().machine(), Console(quiet=True), steps=steps)
    done.go()
    return done


@pytest.fixture(scope="module")
def found(piloted: Run) -> Routes:
    return routes(piloted.recipe, piloted.store)


@pytest.fixture(scope="module")
def everybody(folder: Path) -> Run:
    """The recipe as it was: every teacher is asked everything, on a store of its own."""
    done = Run(recipe(folder), str(folder / "whole"), teachers().machine(), Console(quiet=True))
    done.go()
    return done


@pytest.fixture(scope="module")
def routed(piloted: Run, found: Routes, folder: Path) -> tuple[Run, Servers]:
    """The proposed steps in the place of the pilots and distil steps, on the store of the pilots."""
    pasted = yaml.safe_load(CliRunner().invoke(app, ["routes", piloted.store.root, "--steps"]).output)
    asked = teachers()
    done = Run(recipe(folder, steps=pasted), str(folder / "store"), asked.machine(), Console(quiet=True))
    done.go()
    return done, asked


def written(run: Run) -> list[dict[str, Any]]:
    names = [name for name in run.recipe.steps if name.startswith("distill_")]
    return [row for name in names for row in rows(run, name, "generations")]


def tokens(responses: list[dict[str, Any]]) -> int:
    return sum(row["prompt_tokens"] + row["completion_tokens"] for row in responses)


def solved(run: Run, teacher: str | None = None) -> set[str]:
    """The problems with a verified response, of one teacher or of any."""
    steps = [name for name in run.recipe.steps if name.startswith("verify")]
    passed = {row["generation_id"] for n in steps for row in rows(run, n, "verdicts") if row["status"] == "pass"}
    return {row["problem_id"] for row in written(run) if row["id"] in passed and teacher in (None, row["teacher"])}


def test_each_kind_is_asked_of_whom_it_should_be(found: Routes) -> None:
    told = {one.kind: (one.teachers, one.verdict) for one in found.routes}
    assert told == {
        ("math", "easy"): (("cheap", "strong"), "cheaper"),
        ("math", "hard"): (("cheap", "strong"), "cheaper"),
        ("logic", "easy"): (("cheap", "strong"), "cheaper"),
        ("logic", "hard"): ((), "untold"),
    }


def held(total: Total | None, value: float) -> bool:
    assert total
    return total.holds(value)


def test_what_is_taken_lies_in_the_interval(found: Routes, routed: tuple[Run, Servers]) -> None:
    run, _ = routed
    proposal = found.courses[0]
    assert held(proposal.tokens, tokens(written(run)))
    assert held(proposal.solved, len(solved(run)))


def test_so_does_what_each_teacher_takes_alone(found: Routes, everybody: Run) -> None:
    """Of the problems of which something is decided: of the others nothing is said."""
    kinds = {row["id"]: (row["category"], row["difficulty"]) for row in rows(everybody, "ingest", "problems")}
    decided = {name for name, kind in kinds.items() if kind != ("Logic", "hard")}
    for one in found.courses[1:]:
        own = [row for row in written(everybody) if row["teacher"] == one.name and row["problem_id"] in decided]
        assert held(one.tokens, tokens(own)), one
        assert held(one.solved, len(solved(everybody, one.name) & decided)), one


def test_the_same_problems_are_solved_as_by_all_and_for_less(
    found: Routes, routed: tuple[Run, Servers], everybody: Run
) -> None:
    run, _ = routed
    assert solved(run) == solved(everybody, "cheap") | solved(everybody, "strong")
    strong = tokens([row for row in written(everybody) if row["teacher"] == "strong"])
    assert tokens(written(run)) < strong
    assert solved(run) >= solved(everybody, "strong")


def test_nobody_is_asked_beside_the_table_or_twice(routed: tuple[Run, Servers]) -> None:
    run, asked = routed
    assert not asked.by_host["waste"].requests
    kinds = {row["id"]: (row["category"], row["difficulty"]) for row in rows(run, "ingest", "problems")}
    said = {(row["teacher"], kinds[row["problem_id"]]) for row in written(run)}
    cascade = {(name, kind) for name in ("cheap", "strong") for kind in KINDS[1:3]}
    assert said == {("cheap", KINDS[0]), *cascade}
    new = sum(len(server.generated) for server in asked.by_host.values())
    assert new < len(written(run)), "what the pilots were answered is not asked again"
