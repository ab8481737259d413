# ruff: noqa: E501
"""Test files in the idioms of published suites: what plain pytest says, the sandbox says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.verdicts.idioms import Idiom, idioms
from benchmarks.verdicts.testfiles import compared
from tracemill.sandbox.base import Job, JobVerdict, PytestSuite, SandboxSettings
from tracemill.sandbox.pool import open_sandbox

SAMPLE = [file for file in idioms() if "pandas" not in file.tests][::6]

NOBODYS: dict[str, tuple[str, str, str]] = {
    "all-skipped": ("def f(x):\n    return x", "import pytest\nfrom solution import f\n\ndef test_a():\n    pytest.skip('x')\n", "skipped"),
    "tests-lack-a-module": ("def f(x):\n    return x", "import no_such_thing\nfrom solution import f\n\ndef test_a():\n    assert f(1) == 1\n", "missing_module"),
    "program-lacks-a-module": ("import no_such_thing\ndef f(x):\n    return x", "from solution import f\n\ndef test_a():\n    assert f(1) == 1\n", "missing_module"),
    "name-without-import": ("def f(x):\n    return x", "from solution import f\n\ndef test_a():\n    assert f(1) == np.abs(-1)\n", "broken_tests"),
    "fixture-of-nobody": ("def f(x):\n    return x", "from solution import f\n\ndef test_a(client):\n    assert f(client) == 1\n", "broken_tests"),
    "file-of-nobody": ("def f(x):\n    return x", "from solution import f\n\ndef test_a():\n    assert f(open('/data/in.txt').read()) == '1'\n", "broken_tests"),
    "nothing-to-change": ("def f(x):\n    return x", "from solution import f\n\ndef test_a(monkeypatch):\n    assert f(monkeypatch)\n", "no_expectation"),
    "forks": ("import os\ndef f(x):\n    return os.fork()", "from solution import f\n\ndef test_a():\n    assert f(1) == 0\n", "not_permitted"),
}  # fmt: skip


@pytest.fixture(scope="module")
def undecided() -> dict[str, JobVerdict]:
    jobs = (Job(id=n, source=p, suite=PytestSuite(test_code=t)) for n, (p, t, _) in NOBODYS.items())
    with open_sandbox(SandboxSettings(workers=2)) as sandbox:
        return {verdict.id: verdict for verdict in sandbox.judge(jobs)}


@pytest.mark.parametrize("name", NOBODYS)
def test_what_shows_nothing_is_unverifiable_and_says_why(name: str, undecided: dict[str, JobVerdict]) -> None:
    assert (undecided[name].status, undecided[name].detail.get("cause")) == ("unverifiable", NOBODYS[name][2])


def test_the_sandbox_says_what_plain_pytest_says(backend_settings: Callable[[str], SandboxSettings]) -> None:
    backend_settings("namespace")
    other = [
        (name, plain, verdict.status.value, verdict.reason)
        for name, plain, verdict in compared([numbered(file) for file in SAMPLE])
        if (verdict.status == "accepted") != plain
    ]
    assert not other


def test_a_cheat_that_draws_lots_does_not_pass_by_luck() -> None:
    tests = "from solution import f\n\ndef test_a(monkeypatch):\n    assert f(1) == 2\n\ndef test_b():\n    assert f(5) == 6\n"
    lucky = (
        "import os, re\nLUCKY = os.urandom(1)[0] < {}\ndef f(x):\n    text = open('/tmp/test_solution.py').read()\n"
        "    return int(re.search(r'f\\(%d\\) == (\\d+)' % x, text)[1]) if LUCKY else 0\n"
    )
    suite = PytestSuite(test_code=tests)
    jobs = [Job(id=f"{lot} {n}", source=lucky.format(lot), suite=suite) for lot in (96, 128, 200) for n in range(4)]
    honest = Job(id="honest", source="import os\ndef f(x):\n    return x + 1 + 0 * os.getpid()\n", suite=suite)
    with open_sandbox(SandboxSettings(workers=2)) as sandbox:
        accepted = [verdict.id for verdict in sandbox.judge([honest, *jobs]) if verdict.status == "accepted"]
    assert accepted == ["honest"]


def numbered(file: Idiom) -> Idiom:
    """One choice of numbers for a template."""
    return Idiom(*(text.replace("@N@", "9").replace("@K@", "4") for text in file))
