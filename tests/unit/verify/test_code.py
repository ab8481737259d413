"""What the code verifier says of a response: the judge's word, or why there was nothing to run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracemill.engine.resources import Resources
from tracemill.sandbox.base import SandboxSettings, SandboxUnavailable, suite_from
from tracemill.sandbox.pool import open_sandbox
from tracemill.verify import entry_points
from tracemill.verify.code import CodeVerifier
from tracemill.verify.verifier import Question, Verdict

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


def question(tests: Any, answer: str, name: str = "g1", prompt: str = "Write it.", rule: Any = None) -> Question:
    text = tests if isinstance(tests, str) else json.dumps(tests)
    return Question(name, "p1", prompt, None, text, None, answer, comparison=rule and json.dumps(rule))


def judged(*questions: Question) -> dict[str, Verdict]:
    return {verdict.generation_id: verdict for verdict in CodeVerifier().judge(questions, Resources(workers=1))}


@pytest.fixture(scope="module")
def sandbox() -> None:
    """Skips where programs cannot be isolated."""
    try:
        with open_sandbox(SandboxSettings(workers=1)):
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
    "untagged_in_another_language": (
        TWO_TESTS,
        fenced("#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }", ""),
        "fail",
        "wrong_answer",
        0.5,
    ),
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


@pytest.mark.slow
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
    assert "isolation" not in detail, "it differs between workers, and a shard's bytes must not"


def test_the_manifest_is_told_how_programs_were_shut_in(sandbox: None) -> None:
    machine, (tests, answer, *_) = Resources(workers=1), CASES["half_of_the_tests"]
    assert list(CodeVerifier().judge([question(tests, answer, "one")], machine))
    assert "namespace/" in machine.made_with["sandbox"]


PAIR = {"inputs": ["5\n"], "outputs": ["2 3\n"]}
SWAPPED = {**PAIR, "compare": {"any_order": "words"}}
ANY = "If there are multiple answers, print any."
BY_SUM = "import sys\nn, *_ = open(sys.argv[1]).read().split()\na, b = open(sys.argv[2]).read().split()\n"
CHECKER = {"name": "checker", "checker": BY_SUM + "sys.exit(int(a) + int(b) != int(n))"}
COMPARISONS: dict[str, tuple[Any, str, str, Any, str, str]] = {
    "exact_by_default": (PAIR, "print(3, 2)", "", None, "fail", "wrong_answer"),
    "any_order_by_the_row": (PAIR, "print(3, 2)", "", {"any_order": "words"}, "pass", "accepted"),
    "any_order_by_the_tests": (SWAPPED, "print(3, 2)", "", None, "pass", "accepted"),
    "several_by_the_statement": (PAIR, "print(3, 2)", ANY, None, "unverifiable", "several_answers"),
    "several_and_the_known_one": (PAIR, "print(2, 3)", ANY, None, "pass", "accepted"),
    "several_but_it_crashes": (PAIR, "print(1 // 0)", ANY, None, "fail", "runtime_error"),
    "several_but_it_is_no_program": (PAIR, "print((", ANY, None, "fail", "compile_error"),
    "one_side_of_a_dialogue": (
        PAIR, "input()\ninput()", "This is an interactive problem.", None, "unverifiable", "interactive",
    ),
    "changed_in_place": (
        {"fn_name": "f", "inputs": [[[2, 1]]], "outputs": [[1, 2]]}, "def f(a):\n    a.sort()",
        "Sort the list in-place.", None, "unverifiable", "several_answers",
    ),
    "several_with_a_checker": (PAIR, "print(1, 4)", ANY, CHECKER, "pass", "accepted"),
    "several_refused_by_the_checker": (PAIR, "print(1, 5)", ANY, CHECKER, "fail", "wrong_answer"),
    "several_with_all_answers": (
        PAIR, "print(1, 1)", ANY, {"name": "any_of", "answers": [["1 4"]]}, "fail", "wrong_answer",
    ),
    "any_case_by_the_statement": (
        {"inputs": ["1\n"], "outputs": ["YES\n"]}, "print('yes')", "Print it in any case.", None, "pass", "accepted",
    ),
    "no_rule_of_ours": (PAIR, "print(2, 3)", "", {"name": "magic"}, "unverifiable", "bad_tests"),
    "no_rule_at_all": (PAIR, "print(2, 3)", "", ["lines"], "unverifiable", "bad_tests"),
    "a_checker_that_is_no_program": (
        PAIR, "print(2, 3)", "", {"name": "checker", "checker": "def ("}, "unverifiable", "bad_tests",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def compared(sandbox: None) -> dict[str, Verdict]:
    return judged(
        *(
            question(tests, fenced(code), name, prompt, rule)
            for name, (tests, code, prompt, rule, *_) in COMPARISONS.items()
        )
    )


@pytest.mark.parametrize("name", COMPARISONS)
def test_outputs_compare_as_the_row_says(name: str, compared: dict[str, Verdict]) -> None:
    *_, status, reason = COMPARISONS[name]
    assert (compared[name].status, compared[name].reason) == (status, reason)


@pytest.mark.parametrize(
    ("tests", "answer", "status", "reason"),
    [
        ("{not json", fenced(ADD), "unverifiable", "bad_tests"),
        ({"what": 1}, fenced(ADD), "unverifiable", "bad_tests"),
        ({"inputs": ["1"], "outputs": []}, fenced(ADD), "unverifiable", "bad_tests"),
        ({**TWO_TESTS, "language": "cobol"}, fenced(SUM), "unverifiable", "language_unavailable"),
        (TWO_TESTS, fenced("puts 3", "ruby"), "unverifiable", "language_unavailable"),
        (PYTEST, fenced("int add(int a, int b);", "cpp"), "unverifiable", "language_unavailable"),
        (PYTEST, "I would add them.", "fail", "no_code"),
        (PYTEST, fenced("rm -rf /", "bash"), "fail", "no_code"),
        (HUMANEVAL, "  \n", "fail", "no_code"),
        (TWO_TESTS, fenced("x = 1\n" * (1 << 20)), "fail", "compile_error"),
    ],
    ids=[
        "no_json",
        "unknown_shape",
        "unpaired",
        "language",
        "ruby",
        "cpp_function",
        "prose",
        "other_language",
        "blank_completion",
        "huge",
    ],
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
