"""Tests keep what they cache in a folder of their own, which goes with them; parallel ones compile once, together."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_cache = tempfile.TemporaryDirectory(prefix="tracemill-cache-")
os.environ["TRACEMILL_CACHE"] = _cache.name
_LIBRARY = Path(__file__).resolve().parents[1] / "include"


def pytest_configure(config: pytest.Config) -> None:
    """Compile the inner loops before the workers start, each of which would compile them (17 s of a core)."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        environment = {**os.environ, "PYTHONPATH": str(_LIBRARY)}
        subprocess.run([sys.executable, "-m", "tracemill.compiling"], env=environment, check=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Give every test the root logger as the one before it found it: Celery's and the command line set their own."""
    root = logging.getLogger()
    level = root.level
    handlers = list(root.handlers)
    silenced = root.manager.disable
    result = yield
    root.setLevel(level)
    root.handlers[:] = handlers
    logging.disable(silenced)
    return result
