"""Real reference solutions pass their real tests: a verdict other than accepted would be a false reject."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tracemill.sandbox.base import Job, SandboxSettings, suite_from
from tracemill.sandbox.pool import open_sandbox

FILE = Path(os.environ.get("TRACEMILL_DATA", "/nowhere")) / "leetcode_train.jsonl"
MISSING_HERE = "ModuleNotFoundError"


@pytest.mark.real_data
@pytest.mark.skipif(not FILE.is_file(), reason="TRACEMILL_DATA does not name a folder with leetcode_train.jsonl")
def test_leetcode_reference_solutions_are_accepted() -> None:
    rows = [json.loads(line) for line in FILE.read_text().splitlines()][::5]
    jobs = (Job(id=str(n), source=row["solutions"], suite=suite_from(row["tests"])) for n, row in enumerate(rows))
    with open_sandbox(SandboxSettings(workers=2)) as sandbox:
        failed = [v for v in sandbox.judge(jobs) if v.status != "accepted" and MISSING_HERE not in v.reason]
    assert not failed
