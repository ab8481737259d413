"""Who makes the environments, and with whose settings: uv with pip's, and pip where uv cannot be had."""

from __future__ import annotations

import os
import re
import subprocess
import venv
from pathlib import Path

import pytest

from tools.environment import commands, handed_over, settings_of

PROJECT = Path(__file__).resolve().parents[2]
HANDED = {
    "nothing is set": ("", {}),
    "a mirror": ("global.index-url='https://mirror/simple'", {"UV_DEFAULT_INDEX": "https://mirror/simple"}),
    "more indexes": ("global.extra-index-url='file:///a file:///b'", {"UV_INDEX": "file:///a file:///b"}),
    "several lines": ("global.extra-index-url='\\nfile:///a\\nfile:///b'", {"UV_INDEX": "file:///a file:///b"}),
    "folders of wheels": ("global.find-links='/a /b'", {"UV_FIND_LINKS": "/a,/b"}),
    "the environment first": (
        "global.cert='/file'\ninstall.cert='/command'\n:env:.cert='/environment'",
        {"SSL_CERT_FILE": "/environment"},
    ),
    "the command before all": (
        "global.trusted-host='all'\ninstall.trusted-host='install'\nfreeze.trusted-host='freeze'",
        {"UV_INSECURE_HOST": "install"},
    ),
    "what uv takes not beside hashes": ("global.constraint='/all'", {}),
    "what uv has no word for": ("global.progress-bar='off'", {}),
}


@pytest.mark.parametrize(("listed", "told"), HANDED.values(), ids=HANDED)
def test_uv_is_told_what_pip_knows(listed: str, told: dict[str, str]) -> None:
    assert handed_over(settings_of(listed)) == handed_over({}) | told


def test_uv_chooses_among_indexes_as_pip_does() -> None:
    assert handed_over({})["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_locks_come_by_hash_after_torch_and_before_the_project() -> None:
    made = commands(["install"], ["torch==2.13.0", "a.txt", "b.txt", "."])
    assert made == [
        ["install", "torch==2.13.0"],
        ["install", "--no-deps", "--require-hashes", "-r", "a.txt", "-r", "b.txt"],
        ["install", "--no-deps", "--no-build-isolation", "--editable", "."],
    ]
    assert commands(["install"], ["a.txt"]) == [[*made[1][:3], "-r", "a.txt"]]


def test_every_lock_that_is_installed_has_hashes() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    locks = set(re.findall(r"constraints-?[a-z-]*\.txt", makefile))
    assert {"constraints-vllm.txt", "constraints-vllm-gpu.txt", "constraints-train.txt", "constraints-uv.txt"} <= locks
    for lock in locks:
        pins = re.split(r"\n(?=\S)", (PROJECT / lock).read_text(encoding="utf-8"))
        assert [pin for pin in pins if "--hash=sha256:" not in pin and not pin.startswith("#")] == [], lock


@pytest.mark.slow
def test_without_uv_pip_installs_and_says_so(tmp_path: Path) -> None:
    """Trap: a machine whose index has no uv, or none at all, must get its environment all the same."""
    venv.create(tmp_path / "made", with_pip=True)
    nowhere = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    command = [str(tmp_path / "made/bin/python"), str(PROJECT / "tools/environment.py"), "pip"]
    done = subprocess.run(command, env=nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pip installs instead" in done.stdout
    command[-1] = "a-package-that-nobody-has"
    done = subprocess.run(command, env=nowhere, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "No matching distribution" in done.stderr
