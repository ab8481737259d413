"""Problems that no response could be shown to solve are found once, before a teacher is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.build.trial import Trial
from tracemill.engine.resources import Resources
from tracemill.engine.tables import columns_of
from tracemill.verify.code import CodeVerifier
from tracemill.verify.math.verifier import MathVerifier
from tracemill.verify.probes import findings
from tracemill.verify.solutions import as_answer
from tracemill.verify.verifier import Question

TESTS = "from solution import inc\n\ndef test_inc():\n    assert inc(1) == 2\n"
RIGHT, WRONG = "def inc(x):\n    return x + 1\n", "def inc(x):\n    return x\n"


def question(name: str, tests: Any, solution: str | None, prompt: str = "Write it.") -> Question:
    return Question(name, name, prompt, None, json.dumps(tests), None, "", solution)


CASES: dict[str, tuple[Any, str | None, str | None]] = {
    "solved": ({"test_code": TESTS}, RIGHT, None),
    "solution-fails": ({"test_code": TESTS}, WRONG, "reference_fails"),
    "no-solution": ({"test_code": TESTS}, None, None),
    "tests-lack-a-module": ({"test_code": "import no_such_thing\n" + TESTS}, None, "missing_module"),
    "tests-skip": ({"test_code": "import pytest\npytestmark = pytest.mark.skip\n" + TESTS}, None, "skipped"),
    "nothing-to-change": (
        {"test_code": "from solution import inc\n\ndef test_inc(monkeypatch):\n    assert inc(monkeypatch)\n"},
        None,
        "no_expectation",
    ),
    "no-tests-known": ({"what": 1}, None, "bad_tests"),
    "stdio-solved": ({"inputs": ["1\n"], "outputs": ["2\n"]}, "print(int(input()) + 1)", None),
    "stdio-not-solved": ({"inputs": ["1\n"], "outputs": ["3\n"]}, "print(int(input()) + 1)", "reference_fails"),
    "several-answers": (
        {"inputs": ["1\n"], "outputs": ["3\n"], "compare": {"name": "tokens", "several": True}},
        None,
        "several_answers",
    ),
}


@pytest.fixture(scope="module")
def found() -> dict[str, str | None]:
    questions = (question(name, tests, solution) for name, (tests, solution, _) in CASES.items())
    return {one.problem_id: one.reason for one in findings(CodeVerifier(), questions, Resources(workers=2))}


@pytest.mark.parametrize("name", CASES)
def test_tests_that_cannot_tell_are_found(name: str, found: dict[str, str | None]) -> None:
    assert found[name] == CASES[name][2]


def test_a_reference_that_cannot_be_read_is_found() -> None:
    references = {"number": "42", "fraction": "\\frac{1}{2}", "blank": "\\text{ }"}
    questions = (Question(name, name, "", text, None, None, "") for name, text in references.items())
    reasons = {one.problem_id: one.reason for one in findings(MathVerifier(), questions, Resources(workers=1))}
    assert reasons == {"number": None, "fraction": None, "blank": "unreadable_reference"}


def test_a_suite_that_fails_its_own_solution_judges_nobody() -> None:
    tests = json.dumps({"test_code": TESTS})
    asked = [
        Question(f"{problem}.{n}", problem, "", None, tests, None, as_answer(program), solution)
        for problem, solution in (("trusted", RIGHT), ("not trusted", WRONG), ("without", None))
        for n, program in enumerate((RIGHT, WRONG))
    ]
    verdicts = {v.generation_id: v for v in CodeVerifier().judge(asked, Resources(workers=2))}
    assert {name: verdict.status for name, verdict in verdicts.items()} == {
        "trusted.0": "pass",
        "trusted.1": "fail",
        "not trusted.0": "unverifiable",
        "not trusted.1": "unverifiable",
        "without.0": "pass",
        "without.1": "fail",
    }
    assert verdicts["not trusted.0"].reason == "reference_fails"


@pytest.mark.parametrize(("unsolvable", "bucket"), [("quarantine", "quarantined"), ("keep", "kept")])
def test_the_step_sets_them_aside_unless_the_recipe_keeps_them(unsolvable: str, bucket: str, tmp_path: Path) -> None:
    rows = [{"q": "One.", "t": json.dumps({"test_code": TESTS})}, {"q": "Two.", "t": json.dumps({"what": 1})}]
    step = {"kind": "precheck", "verifiers": [{"kind": "code"}], "unsolvable": unsolvable}
    trial = Trial(tmp_path, {"s": rows}, {"precheck": step}, test_case="t").run()
    assert sorted(trial.endings("precheck").values(), key=str) == sorted(
        [("kept", None), (bucket, "bad_tests")], key=str
    )
    assert {row["reason"] for row in trial.rows("precheck", "prechecks")} == {None, "bad_tests"}
    assert set(columns_of("prechecks").names) == {"problem_id", "verifier", "solvable", "reason", "detail"}
