"""Every program of the conformance table gets a verdict that it may get: on each backend, and as an ordinary user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tracemill.sandbox.base import SandboxSettings
from tracemill.sandbox.conformance import Case, Row, cases, missing_parts, run_table, summary
from tracemill.sandbox.languages import mounts
from tracemill.sandbox.pool import open_sandbox

ROOT = Path(__file__).parents[3]
_tables: dict[str, dict[str, Row]] = {}


def _table(backend: str, settings: SandboxSettings) -> dict[str, Row]:
    if backend not in _tables:
        missing = missing_parts(settings)
        with open_sandbox(settings) as sandbox:
            _tables[backend] = {row.case.name: row for row in run_table(sandbox, cases(), missing)}
        print(f"{backend}: {summary(list(_tables[backend].values()))}")
    return _tables[backend]


@pytest.mark.parametrize("backend", ["namespace", pytest.param("docker", marks=pytest.mark.docker)])
@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.group}-{case.name}")
def test_case(backend: str, case: Case, backend_settings: Callable[[str], SandboxSettings]) -> None:
    row = _table(backend, backend_settings(backend))[case.name]
    if row.verdict is None:
        pytest.skip(row.note)
    assert not row.breach, f"accepted: {row.verdict}"
    assert row.right, f"wanted {sorted(case.wanted)}: {row.verdict}"


def test_the_table_is_large_and_its_names_are_unique() -> None:
    names = [case.name for case in cases()]
    assert len(names) >= 100
    assert len(set(names)) == len(names)


@pytest.mark.skipif(os.getuid() != 0, reason="not root: the table above was run as an ordinary user already")
def test_the_table_holds_for_an_ordinary_user() -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",
        "PYTHONPATH": str(ROOT / "include"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    toolchains = [path for path, inside in mounts() if inside.startswith("/toolchains")]
    if toolchains:
        environment["RUSTUP_HOME"] = str(Path(toolchains[0]).parents[1])
    wanted = {
        "paths": [sys.base_prefix, sys.prefix, str(ROOT), *toolchains],
        "command": [sys.executable, "-m", "tracemill.cli.sandbox", "check", "--json"],
        "environment": environment,
    }
    command = [sys.executable, str(Path(__file__).with_name("ordinary.py")), json.dumps(wanted)]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT / "include")},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report: dict[str, Any] = json.loads(done.stdout)
    assert "user namespace" in report["isolation"]
    assert not [row for row in report["rows"] if not row["right"]]
    lacking = set(missing_parts(SandboxSettings()))
    skipped = {row["case"] for row in report["rows"] if row["got"] is None}
    assert skipped == {case.name for case in cases() if case.needs in lacking}, "the user lacks what root has"
    assert report["right"] + report["not_run"] == report["cases"]
