"""Tests become calls only where nothing of their meaning is lost; everything else is run whole."""

from typing import Any

import pytest

from tracemill.sandbox.base import AssertSuite, HumanEvalSuite, PytestSuite
from tracemill.sandbox.judging.lowered import lower
from tracemill.sandbox.judging.lowering import NotLowerable
from tracemill.sandbox.judging.rules import OpaqueValue
from tracemill.sandbox.worker.codec import Opaque

HEAD = "import pytest\nfrom solution import f, g\n\n"


def _calls(body: str) -> list[Any]:
    lines = "\n".join("    " + line for line in body.split("\n"))
    return lower(PytestSuite(test_code=f"{HEAD}def test_it():\n{lines}\n"))


@pytest.mark.parametrize(
    ("body", "right", "wrong"),
    [
        pytest.param("assert f(1) == 2", 2, 3, id="equal"),
        pytest.param("assert 2 == f(1)", 2, 3, id="literal-first"),
        pytest.param("assert f(1) == [1, 2]", [1, 2], (1, 2), id="python-equality-a-tuple-is-no-list"),
        pytest.param("assert f(1) == True", 1, 0, id="python-equality-one-is-true"),
        pytest.param("assert f(1)", [0], [], id="truth"),
        pytest.param("assert not f(1)", 0, 1, id="falsehood"),
        pytest.param("assert f(1) is None", None, 0, id="is-none"),
        pytest.param("assert f(1) is True", True, 1, id="is-true-one-is-not"),
        pytest.param("assert f(1) < 3", 2, 3, id="less"),
        pytest.param("assert 3 > f(1)", 2, 3, id="swapped"),
        pytest.param("assert f(1) in (2, 3)", 3, 4, id="in"),
        pytest.param("assert 3 in f(1)", [3], [4], id="in-the-result"),
        pytest.param("assert abs(f(1) - 0.5) < 1e-6", 0.5000001, 0.6, id="distance"),
        pytest.param("assert abs(0.5 - f(1)) < 1e-6", 0.5000001, 0.6, id="distance-the-other-way"),
        pytest.param("assert math.isclose(f(1), 0.5, rel_tol=0.1)", 0.51, 0.6, id="isclose"),
        pytest.param("assert sorted(f(1)) == [1, 2]", [2, 1], [2, 2], id="sorted"),
        pytest.param("assert len(f(1)) == 2", "ab", "abc", id="len"),
        pytest.param("assert set(f(1)) == set([1, 2])", [2, 1, 1], [1], id="set"),
        pytest.param("assert round(f(1), 2) == 0.33", 0.3333, 0.34, id="round"),
        pytest.param("assert f(1)[0] == 4", [4, 5], [5], id="item"),
        pytest.param("assert f(1)[0] == 4", [4], [], id="item-missing-is-a-failure-not-an-error"),
        pytest.param("r = f(1)\nassert r == 2", 2, 3, id="variable"),
        pytest.param("r = f(1)\nassert r > 1\nassert r < 3", 2, 3, id="variable-asserted-twice"),
        pytest.param("x = 3\nassert f(x) == 2", 2, 3, id="constant"),
    ],
)
def test_one_assert_is_one_rule(body: str, right: Any, wrong: Any) -> None:
    (call,) = _calls(body)
    assert call.accept("ok", right)
    assert not call.accept("ok", wrong)
    assert not call.accept("raised", right), "a call that raised is never right"


def test_raises_wants_the_exception_or_a_subclass_of_it() -> None:
    (call,) = _calls("with pytest.raises(LookupError):\n    f(1)")
    assert call.accept("raised", ["KeyError", "LookupError", "Exception"])
    assert not call.accept("raised", ["ValueError", "Exception"])
    assert not call.accept("ok", None)


def test_a_loop_over_constants_is_unrolled() -> None:
    calls = _calls("for x, want in [(1, 2), (2, 3)]:\n    assert f(x) == want")
    assert [call.accept("ok", 3) for call in calls] == [False, True]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("x = [2, 1]\nf(x)\nassert x == [1, 2]", id="changed-in-place"),
        pytest.param("x = [1]\ny = x\nf(x)\nassert g(y) == 1", id="alias-of-what-the-program-may-change"),
        pytest.param("assert f(g(1)) == 2", id="call-in-a-call"),
        pytest.param("assert f(1) == g(1)", id="two-calls"),
        pytest.param("r = f(1)\nr.sort()\nassert r == 2", id="method-of-the-result"),
        pytest.param("with pytest.raises(ValueError, match='x'):\n    f(1)", id="match"),
        pytest.param("import random\nassert f(random.random())", id="import"),
        pytest.param("assert f([n for n in range(3)]) == 3", id="comprehension"),
        pytest.param("assert f([0] * 10**9) == 1", id="a-bomb-in-the-test"),
        pytest.param("assert f(9**9**9) == 1", id="a-power-bomb-in-the-test"),
        pytest.param("assert isinstance(f(1), g)", id="isinstance"),
        pytest.param("assert f(*[1]) == 1", id="star"),
        pytest.param("x = 1", id="no-call-at-all"),
        pytest.param("if True:\n    assert f(1) == 1", id="if"),
    ],
)
def test_anything_else_is_run_whole(body: str) -> None:
    with pytest.raises(NotLowerable):
        _calls(body)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("from solution import *\n", id="star-import"),
        pytest.param("def helper(x):\n    return x\nfrom solution import f\n", id="helper-function"),
        pytest.param("import numpy as np\nfrom solution import f\n", id="numpy"),
    ],
)
def test_a_file_with_more_than_tests_is_run_whole(head: str) -> None:
    suite = PytestSuite(test_code=f"{head}@pytest.fixture\ndef a(): pass\ndef test_f(a):\n    assert f(1) == 2\n")
    with pytest.raises(NotLowerable):
        lower(suite)


def test_each_assert_of_a_check_is_a_test() -> None:
    test = (
        "METADATA = {'a': 1}\n\ndef check(candidate):\n    assert True, 'fine'\n"
        "    assert candidate(1) == 2\n    assert candidate(2) == 3\n"
    )
    calls = lower(HumanEvalSuite(test=test, entry_point="Solution().f", max_tests=2))
    assert [call.test for call in calls] == [0, 1]
    assert calls[0].payload[0] == "Solution().f"


def test_max_tests_keeps_the_first() -> None:
    calls = lower(AssertSuite(lines=("assert f(1) == 1", "assert f(2) == 2", "assert f(3) == 3"), max_tests=2))
    assert len(calls) == 2


def test_a_value_without_plain_form_is_not_judged_here() -> None:
    (call,) = _calls("assert f(1) == 2")
    with pytest.raises(OpaqueValue):
        call.accept("ok", [Opaque("Matrix")])
