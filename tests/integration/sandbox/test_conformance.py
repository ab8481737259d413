"""Every program of the conformance table gets a verdict that it may get: on each backend, and as an ordinary user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tracemill.sandbox.base import SandboxSettings
from tracemill.sandbox.conformance import Case, Row, cases, missing_parts, run_table, summary

ROOT = Path(__file__).parents[3]
USER = 54_321
_tables: dict[str, dict[str, Row]] = {}


def _table(backend: str, settings: SandboxSettings) -> dict[str, Row]:
    if backend not in _tables:
        missing = missing_parts(settings)
        with settings.open() as sandbox:
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


@cache
def _as_user() -> tuple[list[str], dict[str, str]] | str:
    """Return (interpreter, environment) that an ordinary user can run here, or why there is none."""
    if os.getuid() != 0:
        return "not root: the table above was run as an ordinary user already"
    site = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",
        "PYTHONPATH": f"{ROOT / 'include'}:{site}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for python in (sys.executable, "/usr/bin/python3"):
        command = [python, "-c", "import sys, pydantic, typer; assert sys.version_info[:2] == (3, 11)"]
        try:
            subprocess.run(
                command, user=USER, group=USER, extra_groups=[], env=environment, check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return [python], environment
    return "no Python 3.11 on this machine that an ordinary user can read (the one of the tests lies in a closed home)"


def test_the_table_holds_for_an_ordinary_user() -> None:
    found = _as_user()
    if isinstance(found, str):
        pytest.skip(found)
    python, environment = found
    command = [*python, "-m", "tracemill.sandbox_cli", "check", "--json"]
    done = subprocess.run(
        command,
        user=USER,
        group=USER,
        extra_groups=[],
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        cwd="/tmp",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report: dict[str, Any] = json.loads(done.stdout)
    assert "user namespace" in report["isolation"]
    wrong = [row for row in report["rows"] if not row["right"]]
    assert not wrong
    assert report["right"] + report["not_run"] == report["cases"]
