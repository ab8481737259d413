"""Tests keep what they cache in a folder of their own, which goes with them; parallel ones compile once, together."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
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
