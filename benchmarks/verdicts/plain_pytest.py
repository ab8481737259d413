"""What plain pytest says of a program and its test file: the opponent of the sandbox, for programs of our own only.

Each file runs in a fork of this process with its own working folder, so that pytest is imported once.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

_SECONDS = 120


def passes(program: str, tests: str) -> bool:
    """Whether `pytest` in a folder with solution.py and test_solution.py ends well (some test ran, none failed)."""
    import pandas  # noqa: F401 - imported here so that every fork finds it imported
    import pytest  # noqa: F401
    import sympy  # type: ignore[import-untyped]  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "solution.py").write_text(program)
        Path(folder, "test_solution.py").write_text(tests)
        pid = os.fork()
        if pid == 0:
            _run(folder)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _run(folder: str) -> None:
    code = 70
    try:
        import pytest

        os.chdir(folder)
        signal.alarm(_SECONDS)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # an environment's plugins cost a second a file
        null = os.open(os.devnull, os.O_RDWR)
        for target in (0, 1, 2):
            os.dup2(null, target)
        sys.path.insert(0, folder)
        options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={folder}"]
        code = int(pytest.main([*options, "test_solution.py"]))
    finally:
        os._exit(code)
