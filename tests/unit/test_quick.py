"""`make test-quick` stays quick: a test that is not quick fails there, and says which mark it lacks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
WAYS = {
    "spin": ("exec(SPIN)", "mark it `slow`"),
    "child": ("import subprocess, sys\n    subprocess.run([sys.executable, '-c', SPIN])", "mark it `slow`"),
    "listen": ("import socket\n    socket.create_server(('127.0.0.1', 0)).close()", "mark it `server`"),
    "serve": ("import contextlib\n    with contextlib.suppress(ImportError): import vllm", "loads vllm"),
    "quick": ("pass", ""),
}


@pytest.mark.slow
def test_what_is_not_quick_fails_and_is_told_its_mark(tmp_path: Path) -> None:
    lines = [f"def test_{name}() -> None:\n    {body}\n" for name, (body, _) in WAYS.items()]
    spin = "SPIN = 'import time as t\\nend = t.process_time() + 1\\nwhile t.process_time() < end: pass'\n"
    (tmp_path / "test_ways.py").write_text("import tests.quick\ntests.quick.SECONDS = 0.2\n" + spin + "".join(lines))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.quick", "-p", "no:cacheprovider", str(tmp_path)]
    wide = {**os.environ, "COLUMNS": "300"}
    done = subprocess.run(command, cwd=PROJECT, env=wide, capture_output=True, text=True, check=False)
    told = dict(re.findall(r"^ERROR .*::test_(\w+) - Failed: (.*)$", done.stdout, re.M))
    assert told.keys() == {name for name, (_, mark) in WAYS.items() if mark}, done.stdout
    assert [name for name, (_, mark) in WAYS.items() if mark not in told.get(name, "")] == []
    assert "5 passed, 4 errors" in done.stdout
