# ruff: noqa: E501
"""A control run changes what tests expect of the program, and nothing that the program is given."""

from __future__ import annotations

import pytest

from tracemill.sandbox.base import AssertSuite, HumanEvalSuite, PytestSuite
from tracemill.sandbox.control.chance import may_draw_lots
from tracemill.sandbox.control.patching import replaces_functions
from tracemill.sandbox.control.plan import falsified
from tracemill.sandbox.judging.faults import fault_in

HEAD = "from solution import f\n\n"
MANY = HEAD + "".join(f"def test_{n}():\n    assert f({n}) == {n + 1}\n\n" for n in range(5))


def changed(body: str) -> list[str]:
    """The lines that control runs write in the place of others, all runs together."""
    source = HEAD + body
    lines = source.splitlines()
    found = []
    for run in falsified(PytestSuite(test_code=source)):
        assert isinstance(run.suite, PytestSuite)
        pairs = zip(lines, run.suite.test_code.splitlines(), strict=True)
        found += [new.strip() for old, new in pairs if old != new]
    return found


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("def test_a():\n    assert f(3) == 6\n", ["assert f(3) == 1015"]),
        ("def test_a():\n    assert 6 == f(3)\n", ["assert 1015 == f(3)"]),
        ("def test_a():\n    assert f('a', n=2) == ['aa', None, True]\n", ["assert f('a', n=2) == ['aaq', False, False]"]),
        ("def test_a():\n    want = 6\n    got = f(3)\n    assert got == want\n", ["want = 1015"]),
        ("def test_a():\n    data = [3]\n    assert f(data) == data\n", []),
        ("def test_a():\n    assert abs(f(1) - 2.5) < 1e-6\n", ["assert abs(f(1) - 1012.425) < 1e-6"]),
        ("def test_a():\n    assert f(1) > 5\n", ["assert f(1) > 1000000000000000"]),
        ("def test_a():\n    assert f(1) < -5\n", ["assert f(1) < -1000000000000000"]),
        ("def test_a():\n    assert f(1)[0] == 7\n", ["assert f(1)[0] == 1016"]),
        ("def test_a():\n    assert f(2) == 3 + 4\n", ["assert f(2) == 2 + 4"]),
        ("def test_a():\n    assert f(2), 'message 5'\n", []),
        ("def test_a():\n    for x, want in [(1, 2)]:\n        assert f(x) == want\n", ["for x, want in [(1, 1011)]:"]),
        ("def check(x, want):\n    assert f(x) == want\ndef test_a():\n    check(1, 2)\n", ["check(1, 1011)"]),
        ("def test_a(capsys):\n    f(1)\n    assert capsys.readouterr().out == '1'\n", ["assert capsys.readouterr().out == '0'"]),
    ],
    ids=[
        *("right-side", "left-side", "in-a-list", "in-a-name", "given-to-the-program", "tolerance", "above", "below"),
        *("index", "sum", "message", "table", "helper", "printed"),
    ],
)  # fmt: skip
def test_expected_values_change_and_arguments_stay(body: str, lines: list[str]) -> None:
    assert changed(body) == lines


def test_every_expectation_is_true_in_one_run_and_false_in_another() -> None:
    runs = falsified(PytestSuite(test_code=MANY))
    assert len(runs) == 2
    tests = [{one.test for one in run.expectations} for run in runs]
    assert set.union(*tests) == {f"test_{n}" for n in range(5)}
    assert not set.intersection(*tests)


def test_rows_of_a_table_are_expectations_of_their_own() -> None:
    source = (
        "import pytest\n"
        + HEAD
        + "@pytest.mark.parametrize('x,y', [(1, 2), (3, 4)])\ndef test_a(x, y):\n    assert f(x) == y\n"
    )
    rows = [one.row for run in falsified(PytestSuite(test_code=source)) for one in run.expectations]
    assert set(rows) == {0, 1}


def test_a_failure_that_the_test_expects_is_no_expectation() -> None:
    body = "def test_a():\n    with pytest.raises(AssertionError):\n        assert f(1) == 2\n"
    assert changed("import pytest\n" + body) == []


def test_other_sources_have_control_runs_too() -> None:
    check = HumanEvalSuite(test="def check(c):\n    assert c(1) == 2\n", entry_point="f")
    lines = AssertSuite(lines=("assert f(1) == 2", "assert f(2) == 3"), setup="x = 1")
    assert [run.suite.test for run in falsified(check)] == ["def check(c):\n    assert c(1) == 1011\n"]  # type: ignore[union-attr]
    suites = [run.suite for run in falsified(lines)]
    assert [suite.lines for suite in suites if isinstance(suite, AssertSuite)] == [
        ("assert f(1) == 1011", "assert f(2) == 3"),
        ("assert f(1) == 2", "assert f(2) == 1012"),
    ]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("ModuleNotFoundError: No module named 'torch'", "missing_module"),
        ("ModuleNotFoundError: No module named 'solution.part'", None),
        ("ImportError: cannot import name 'f' from 'solution' (x.py)", None),
        ("ImportError: cannot import name 'trapz' from 'numpy' (x.py)", "missing_module"),
        ("NameError: name 'np' is not defined", "broken_tests"),
        ("NameError: name 'other' is not defined", None),
        ("fixture 'client' not found", "broken_tests"),
        ("PermissionError: [Errno 1] Operation not permitted", "not_permitted"),
        ("AssertionError: assert 1 == 2", None),
    ],
)
def test_what_is_nobodys_fault_is_told_from_the_programs(text: str, cause: str | None) -> None:
    fault = fault_in(text, {"np"})
    assert (fault.cause if fault else None) == cause


@pytest.mark.parametrize(
    ("source", "lots"),
    [
        ("import math\nfrom collections import Counter\ndef f(x):\n    return Counter([math.floor(x)])\n", False),
        ("class P:\n    def __init__(self, x):\n        self.x = x\n    def __eq__(self, o):\n        return self.x == o.x\n", False),
        ("if __name__ == '__main__':\n    print(1)\n", False),
        ("import random\ndef f(x):\n    return random.random()\n", True),
        ("import os\ndef f(x):\n    return os.urandom(1)\n", True),
        ("from time import time\ndef f(x):\n    return time()\n", True),
        ("import statistics\ndef f(x):\n    return statistics.random.random()\n", True),
        ("from statistics import random\ndef f(x):\n    return 1\n", True),
        ("def f(x):\n    return ().__class__.__base__.__subclasses__()\n", True),
        ("def f(x):\n    return getattr(f, '__glo' + 'bals__')\n", True),
        ("def f(x):\n    return id(object()) % 2\n", True),
        ("import typing\ndef f(x):\n    return typing.sys.modules['ran' + 'dom']\n", True),
        ("import operator\ndef f(x):\n    return operator.attrgetter('f.__globals__')(x)\n", True),
        ("def f(x):\n    'Takes time; see id.'\n    return x\n", False),
        ("import numpy as np\ndef f(x):\n    return np.array(x)\n", True),
        ("def f(x:\n", True),
    ],
    ids=[
        *("pure", "class", "main", "random", "os", "time", "through-a-pure-module", "from-a-pure-module", "dunders"),
        *("getattr", "addresses", "typing", "dotted", "prose", "library", "no-python"),
    ],
)  # fmt: skip
def test_what_may_draw_lots_is_run_again(source: str, lots: bool) -> None:
    assert may_draw_lots(source) is lots


@pytest.mark.parametrize(
    ("source", "replaces"),
    [
        ("import numpy as np\nnp.allclose = lambda *a, **k: True\n", True),
        ("import math\nmath.isclose, x = max, 1\n", True),
        ("import builtins\nsetattr(builtins, 'abs', int)\n", True),
        ("import math\nmath.__dict__['isclose'] = max\n", True),
        ("import sys\nsys.modules['math'] = None\n", True),
        ("import sys\nsys.stdin = open(0)\n", False),
        ("import sys\nsys.setrecursionlimit(9999)\n", False),
        ("import pandas as pd\npd.options.mode.chained_assignment = None\n", False),
        ("class P:\n    def __init__(self, x):\n        self.x = x\n        self.__dict__.update(y=1)\n", False),
        ("def f(x:\n", False),
    ],
    ids=[
        *("library", "several", "setattr", "table", "modules", "stream", "call", "settings", "own", "no-python"),
    ],
)
def test_what_replaces_functions_of_modules_is_known(source: str, replaces: bool) -> None:
    assert replaces_functions(source) is replaces
