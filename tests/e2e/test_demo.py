"""`make demo` as a user meets it: a real Airflow, a trigger over REST, a release; a second run that costs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tracemill_airflow.local import running

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(2700)


def demo(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(PROJECT / folder) for folder in ("include", "plugins"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
    environment |= {"PYTHONPATH": paths, "TRACEMILL_STORE": (home.parent / "store").as_uri()}
    command = [sys.executable, "-m", "tracemill_airflow.demo", "--home", str(home), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any, Path]]:
    home = tmp_path_factory.mktemp("demo") / "airflow"
    try:
        yield demo(home, "--json"), demo(home, "--json", "--stop"), home.parent
    finally:
        left = running(home)
        if left:  # a demo that failed leaves Airflow up for its user; nobody uses this one
            left.stop()


def test_the_first_demo_ends_with_funnel_release_and_login(runs: tuple[Any, Any, Path]) -> None:
    first, _, folder = runs
    assert first.returncode == 0, first.stdout + first.stderr
    for words in ("verify_math", "Release:", "Airflow UI: http://127.0.0.1:", "login: admin /"):
        assert words in first.stdout
    release = folder / "releases" / "demo" / "v1"
    assert (release / "README.md").is_file()
    assert list(release.glob("*.jsonl.zst"))


def test_the_demo_releases_traces_that_the_served_teacher_wrote_and_a_verifier_passed(
    runs: tuple[Any, Any, Path],
) -> None:
    rows = pq.read_table(runs[2] / "releases" / "demo" / "v1" / "metadata.parquet").to_pylist()
    written = [row for row in rows if row["teacher"] == "teacher-small"]
    assert len(written) > 50, "the teacher is right about three of four of the open problems"
    assert all(row["reward"] is not None for row in rows[:50])


def test_the_second_demo_recomputes_nothing_and_says_so(runs: tuple[Any, Any, Path]) -> None:
    first, second, _ = runs
    assert second.returncode == 0, second.stdout + second.stderr
    assert "Nothing was recomputed" in second.stdout
    summary = json.loads(second.stdout.splitlines()[-1])
    assert summary["computed"] == 0
    assert summary["reused"] == sum(json.loads(first.stdout.splitlines()[-1])[k] for k in ("computed", "reused"))
