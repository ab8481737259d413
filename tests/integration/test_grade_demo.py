"""The recipe `grade_demo` whole, on fake servers in the zoo's places: a model is graded by what it solves."""

from __future__ import annotations

from collections import Counter

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from tests.build.answering import asked, is_right, solving
from tests.build.several import Servers, rows
from tracemill.engine.trial import trial_root
from tracemill.local.run import Run
from tracemill.models.fake import FakeServer
from tracemill.recipe import load_recipe
from tracemill.report.why import why

SHARES = {"teacher-weak": 0, "teacher-small": 2, "teacher-large": 4}
ROWS = 24


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Servers]:
    """The recipe on some of its rows, run to its end by the local runner."""
    servers = Servers(
        {
            **{name: solving(share) for name, share in SHARES.items()},
            "judge": FakeServer(say=lambda prompt, seed: '{"correctness": "1"}'),
        }
    )
    machine = servers.machine()
    recipe = load_recipe("grade_demo").tried_on(ROWS)
    root = trial_root(str(tmp_path_factory.mktemp("graded") / "store"), ROWS)
    done = Run(recipe, root, machine, Console(quiet=True))
    done.go()
    return done, servers


def test_each_model_is_graded_by_what_it_solves(run: tuple[Run, Servers]) -> None:
    done, servers = run
    problems = {row["id"]: row for row in rows(done, "ingest", "problems")}
    right = Counter[tuple[str, str]]()
    for name, share in SHARES.items():
        for request in servers.by_host[name].generated:
            row = asked(request["messages"][-1]["content"])
            right[name, row["prompt"]] += is_right(request["seed"], share) and row["category"] == "math"
    grades = rows(done, "grade", "grades")
    assert len(grades) == 3 * ROWS
    for grade in grades:
        assert (grade["asked"], grade["decided"]) == (4, 4)
        assert grade["passed"] == right[grade["teacher"], problems[grade["problem_id"]]["prompt"]]
    told = {name: Counter(g["grade"] for g in grades if g["teacher"] == name) for name in SHARES}
    maths = sum(problem["category"] == "math" for problem in problems.values())
    assert told["teacher-weak"] == {"hopeless": ROWS}
    assert told["teacher-large"] == {"easy": maths, "hopeless": ROWS - maths}
    assert told["teacher-small"]["usable"] > maths / 2


def test_every_response_has_its_score_also_what_verification_turned_away(run: tuple[Run, Servers]) -> None:
    done, _ = run
    scores = rows(done, "grade", "scores")
    assert len(scores) == 3 * 4 * ROWS
    assert Counter(score["rule"] for score in scores).keys() == {"math", "code"}
    turned = {row["id"] for row in rows(done, "verify_code", "ledger") if row["bucket"] == "rejected"}
    assert turned
    assert turned <= {score["generation_id"] for score in scores if score["score"] == 0.0}


def test_what_is_released_has_passed(run: tuple[Run, Servers]) -> None:
    done, _ = run
    passed = {score["generation_id"] for score in rows(done, "grade", "scores") if score["passed"]}
    selected = {row["generation_id"] for row in rows(done, "select", "selected")}
    assert selected == passed


def test_the_training_sets_are_what_the_stages_took(run: tuple[Run, Servers]) -> None:
    done, _ = run
    sizes = {name: rows_in(done, f"{name}/train.parquet") for name in ("sft_1", "sft_2", "rlvr", "pairs", "control")}
    grades = {(g["problem_id"], g["teacher"]): g for g in rows(done, "grade", "grades")}
    mixed = {key for key, grade in grades.items() if 0 < grade["passed"] < grade["decided"]}
    assert {key[1] for key in mixed} == {"teacher-small"}
    assert sizes["sft_1"] == sum(grades[key]["passed"] for key in mixed)
    assert sizes["sft_2"] == sizes["rlvr"] == sizes["pairs"] == len(mixed) > 0
    assert sizes["control"] > 0


def rows_in(run: Run, name: str) -> int:
    """The rows of a file of the export."""
    manifest = run.store.manifest("export", 0)
    assert manifest
    return pq.read_metadata(run.store.path(manifest.files[name].key)).num_rows


def test_why_tells_scores_and_grades(run: tuple[Run, Servers]) -> None:
    done, _ = run
    one = rows(done, "grade", "scores")[0]
    tables = Counter(row["table"] for row in why(one["generation_id"], done.recipe, done.store)["found"])
    assert (tables["scores"], tables["grades"]) == (1, 3)


def test_a_second_run_grades_nothing_anew(run: tuple[Run, Servers]) -> None:
    done, servers = run
    before = servers.asked
    again = Run(done.recipe, done.store.root, done.resources, Console(quiet=True))
    again.go()
    assert again.computed == 0
    assert servers.asked == before
