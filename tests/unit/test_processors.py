"""A container's share of the processors is what its control group says, in either version's files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracemill.engine.processors import processors

V1 = ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param({}, 8, id="no control groups"),
        pytest.param({"cpu.max": "max 100000\n"}, 8, id="version 2, no quota"),
        pytest.param({"cpu.max": "200000 100000\n"}, 2, id="version 2, two"),
        pytest.param({"cpu.max": "50000 100000\n"}, 1, id="half a processor is one process"),
        pytest.param({"cpu.max": "1600000 100000\n"}, 8, id="more than there are"),
        pytest.param({"cpu.max": ""}, 8, id="an empty file"),
        pytest.param({V1[0]: "-1\n", V1[1]: "100000\n"}, 8, id="version 1, no quota"),
        pytest.param({V1[0]: "350000\n", V1[1]: "100000\n"}, 4, id="version 1, three and a half"),
    ],
)
def test_processors(files: dict[str, str], wanted: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert processors(tmp_path) == wanted
