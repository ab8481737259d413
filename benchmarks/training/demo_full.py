"""`make demo-full` from nothing to its page, with environments made: how long it takes, what its student is worth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.build.training import LACKING, has_environment
from tracemill.engine.resources import Resources
from tracemill.errors import ServingError
from tracemill.models.server.command import vllm_python
from zoo.demo_full import write

FOLDER = Path("var/demo_full")  # where its recipes look


def figures() -> dict[str, float | int]:
    """`demo_full_gain`: points more than its base; `demo_full_seen`: from how many on a difference is seen."""
    if not has_environment():
        print(LACKING)
        return {}
    try:
        vllm_python(Resources())
    except ServingError as error:
        print(error)
        return {}
    began = time.monotonic()
    write(FOLDER)
    with TemporaryDirectory(prefix="tracemill-") as scratch:
        (gain,) = _ran(Path(scratch))["gains"]
    return {
        "demo_full_minutes": (time.monotonic() - began) / 60,
        "demo_full_gain": 100 * gain["difference"],
        "demo_full_gain_at_least": 100 * gain["low"],
        "demo_full_seen": 100 * gain["visible"],
        "demo_full_gain_beyond_seen": 100 * (gain["difference"] - gain["visible"]),
    }


def _ran(scratch: Path) -> dict[str, list[dict[str, float]]]:
    """What the demo said at its end, on a store and a cache of its own."""
    places = {"TRACEMILL_STORE": (scratch / "store").as_uri(), "TRACEMILL_CACHE": str(scratch / "cache")}
    folders = ["--home", str(scratch / "airflow"), "--page", str(scratch / "page")]
    command = [sys.executable, "-m", "tracemill_airflow.demo_full", *folders, "--stop", "--json"]
    told = subprocess.run(command, env={**os.environ, **places}, stdout=subprocess.PIPE, text=True, check=True).stdout
    print(told)
    found: dict[str, list[dict[str, float]]] = json.loads(told.splitlines()[-1])
    return found
