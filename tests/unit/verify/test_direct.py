"""The yardstick: HumanEval's own procedure, and what it applies to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracemill.engine.resources import Resources
from tracemill.sandbox.base import SandboxSettings, SandboxUnavailable
from tracemill.sandbox.pool import open_sandbox
from tracemill.verify.human_eval import DirectVerifier
from tracemill.verify.verifier import Question

CASE = {
    "prompt": "def double(x):\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    print('noise')\n",
    "entry_point": "double",
}


def question(answer: str, case: Any = CASE) -> Question:
    return Question("g1", "p1", "", None, json.dumps(case), None, answer)


@pytest.mark.parametrize(
    ("case", "applies"),
    [
        pytest.param(CASE, True, id="humaneval"),
        pytest.param({"test_code": "", "test_entry_point": "f"}, False, id="a test file is no HumanEval row"),
        pytest.param([1, 2], False, id="not an object"),
        pytest.param({**CASE, "entry_point": None}, False, id="no entry point"),
    ],
)
def test_it_applies_to_humaneval_rows_alone(case: Any, applies: bool) -> None:
    assert DirectVerifier().applies(question("", case)) is applies


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param("    return 2 * x\n", "pass", id="right"),
        pytest.param("    return x\n", "fail", id="wrong"),
        pytest.param("    return (\n", "fail", id="does not compile"),
        pytest.param(
            "    return 2 * x\nimport os\nos._exit(0)\n", "fail", id="leaving early with code 0 proves nothing"
        ),
    ],
)
def test_a_completion_passes_when_the_whole_program_runs_to_its_end(answer: str, status: str) -> None:
    try:
        with open_sandbox(SandboxSettings(workers=1)):
            pass
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")
    (verdict,) = DirectVerifier().judge([question(answer)], Resources(workers=1))
    assert (verdict.verifier, verdict.status) == ("direct", status)
