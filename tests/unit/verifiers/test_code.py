"""What the code verifier says of a response: the judge's word, or why there was nothing to run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracemill.resources import Resources
from tracemill.sandbox.base import SandboxSettings, SandboxUnavailable, suite_from
from tracemill.verifiers import entry_points
from tracemill.verifiers.base import Question, Verdict
from tracemill.verifiers.code import CodeVerifier

ADD = "def add(a, b):\n    return a + b"
PYTEST = {
    "test_code": "from solution import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "test_entry_point": "add",
}
TWO_TESTS = {"inputs": ["1 2\n", "2 2\n"], "outputs": ["3\n", "5\n"]}
HUMANEVAL = {
    "prompt": 'from math import *\n\n\ndef area(r):\n    """ Area of a circle, rounded """\n',
    "test": "def check(candidate):\n    assert candidate(1) == 3\n",
    "entry_point": "area",
}
SUM = "a, b = map(int, input().split())\nprint(a + b)"


def fenced(code: str, tag: str = "python") -> str:
    return f"Like this:\n```{tag}\n{code}\n```\n"


def question(tests: Any, answer: str, name: str = "g1") -> Question:
    text = tests if isinstance(tests, str) else json.dumps(tests)
    return Question(name, "p1", "Write it.", None, text, None, answer)


def judged(*questions: Question) -> dict[str, Verdict]:
    return {verdict.generation_id: verdict for verdict in CodeVerifier().judge(questions, Resources(workers=1))}


@pytest.fixture(scope="module")
def sandbox() -> None:
    """Skips where programs cannot be isolated."""
    try:
        with SandboxSettings(workers=1).open():
            pass
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")


CASES: dict[str, tuple[Any, str, str, str, float]] = {
    "right": (PYTEST, fenced(ADD), "pass", "accepted", 1.0),
    "wrong": (PYTEST, fenced("def add(a, b):\n    return a - b"), "fail", "wrong_answer", 0.0),
    "other_name": (PYTEST, fenced("def plus(a, b):\n    return a + b"), "pass", "accepted", 1.0),
    "usage_first": (PYTEST, fenced("add(1, 2)") + fenced(ADD), "pass", "accepted", 1.0),
    "half_of_the_tests": (TWO_TESTS, fenced(SUM), "fail", "wrong_answer", 0.5),
    "does_not_compile": (TWO_TESTS, fenced("print(("), "fail", "compile_error", 0.0),
    "completion": (HUMANEVAL, "    return round(pi * r * r)\n", "pass", "accepted", 1.0),
    "fenced_completion": (HUMANEVAL, fenced("def area(r):\n    return round(pi * r * r)"), "pass", "accepted", 1.0),
    "wrong_completion": (HUMANEVAL, "    return r\n", "fail", "wrong_answer", 0.0),
    "exits_before_the_tests": (PYTEST, fenced(ADD + "\nimport os\nos._exit(0)"), "fail", "", 0.0),
    "equal_to_everything": (
        PYTEST,
        fenced("class All:\n    def __eq__(self, other):\n        return True\ndef add(a, b):\n    return All()"),
        "fail",
        "",
        0.0,
    ),
}


@pytest.fixture(scope="module")
def verdicts(sandbox: None) -> dict[str, Verdict]:
    return judged(*(question(tests, answer, name) for name, (tests, answer, *_) in CASES.items()))


@pytest.mark.parametrize("name", CASES)
def test_programs_are_judged_by_their_tests(name: str, verdicts: dict[str, Verdict]) -> None:
    _, _, status, reason, score = CASES[name]
    verdict = verdicts[name]
    assert (verdict.status, verdict.score) == (status, score)
    assert verdict.reason == reason or not reason


def test_the_detail_says_how_it_was_judged(verdicts: dict[str, Verdict]) -> None:
    detail = json.loads(verdicts["half_of_the_tests"].detail)
    assert (detail["passed"], detail["tested"]) == (1, 2)
    assert detail["tests"] == {"accepted": 1, "wrong_answer": 1}
    assert detail["isolation"]


@pytest.mark.parametrize(
    ("tests", "answer", "status", "reason"),
    [
        ("{not json", fenced(ADD), "unverifiable", "bad_tests"),
        ({"what": 1}, fenced(ADD), "unverifiable", "bad_tests"),
        ({"inputs": ["1"], "outputs": []}, fenced(ADD), "unverifiable", "bad_tests"),
        ({**TWO_TESTS, "language": "cobol"}, fenced(SUM), "unverifiable", "bad_tests"),
        (PYTEST, "I would add them.", "fail", "no_code"),
        (PYTEST, fenced("rm -rf /", "bash"), "fail", "no_code"),
        (HUMANEVAL, "  \n", "fail", "no_code"),
        (TWO_TESTS, fenced("x = 1\n" * (1 << 20)), "fail", "compile_error"),
    ],
    ids=["no_json", "unknown_shape", "unpaired", "language", "prose", "other_language", "blank_completion", "huge"],
)
def test_without_a_run_the_reason_says_why(tests: Any, answer: str, status: str, reason: str) -> None:
    verdict = judged(question(tests, answer))["g1"]  # opens no sandbox: there is nothing to run
    assert (verdict.status, verdict.reason) == (status, reason)


def test_settings_leave_out_what_belongs_to_the_machine() -> None:
    settings = CodeVerifier(max_tests=10).settings()
    assert settings["max_tests"] == 10
    assert settings["sandbox"]["limits"]["cpu_seconds"] > 0
    assert not {"python", "workers"} & settings["sandbox"].keys()


@pytest.mark.parametrize(
    ("tests", "names"),
    [
        (PYTEST, ("add",)),
        ({**PYTEST, "test_entry_point": None}, ("add",)),
        ({"test_code": "def test_it():\n    assert f(g(1)) == len('a')\n"}, ("f", "g")),
        ({**PYTEST, "test_entry_point": "add, sub"}, ("add", "sub")),
        (HUMANEVAL, ("area",)),
        ({**HUMANEVAL, "entry_point": "Solution().area"}, ("area",)),
        ({"inputs": [[1]], "outputs": [2], "fn_name": "inc"}, ("inc",)),
        ({"assert_case": ["assert inc(1) == 2"]}, ("inc",)),
        (TWO_TESTS, ()),
    ],
    ids=["entry_point", "import", "borrowed", "two", "humaneval", "leetcode", "call", "asserts", "stdio"],
)
def test_the_tested_names_come_from_the_suite(tests: Any, names: tuple[str, ...]) -> None:
    assert entry_points.tested_names(suite_from(tests)) == names
