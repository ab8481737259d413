"""From a file of problems and an API key to a verified release in one command: nothing served, nothing leaked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket

SECRET = "sk-planted-77aa88bb"
RECIPE = """
name: mine
description: My own problems, answered by a model behind an API key.
sources: [{{kind: jsonl, name: mine, path: {rows}, category: math, columns: {{prompt: q, reference_answer: a}}}}]
steps:
  distill:
    kind: distill
    teacher:
      kind: chat
      model:
        name: r1
        serve: {{concurrency: 2}}
        api:
          url: "{url}/v1"
          model: there
          key: "${{MY_KEY}}"
          as_of: 2026-11-01
          price: {{input: 1, output: 2}}
          limit: {limit}
  verify_math: {{kind: verify, verifiers: [{{kind: math}}]}}
  select: {{kind: select}}
  release: {{kind: release}}
"""


def say(prompt: str, _seed: int) -> str:
    """Adds the two numbers of a question, but for one that it gets wrong."""
    first, second = (int(word) for word in prompt.split() if word.isdigit())
    said = first + second + (first == 3)
    return f"<think>adding {first} and {second}</think>The answer is \\boxed{{{said}}}."


def run(folder: Path, url: str, limit: float) -> subprocess.CompletedProcess[str]:
    (folder / "mine.yaml").write_text(RECIPE.format(rows=folder / "rows.jsonl", url=url, limit=limit))
    command = [sys.executable, "-m", "tracemill", "run", str(folder / "mine.yaml"), "--root", str(folder / "store")]
    environment = {**os.environ, "MY_KEY": SECRET}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"q": f"What is {n} plus {n * n + 10} ?", "a": str(n + n * n + 10)} for n in range(1, 21)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_a_file_and_a_key_become_a_verified_release(folder: Path) -> None:
    with on_socket(FakeServer(say=say)) as served:
        done = run(folder, served.url, limit=20)
        first = len(served.fake.generated)
        again = run(folder, served.url, limit=20)
        assert len(served.fake.generated) == first == 20
    assert done.returncode == 0, done.stderr
    assert again.returncode == 0, again.stderr
    [manifest] = [json.loads(path.read_text()) for path in (folder / "store" / "select").glob("*.json")]
    assert manifest["counts"]["kept"] == 19
    [distilled] = [json.loads(path.read_text()) for path in (folder / "store" / "distill").glob("*.json")]
    facts: dict[str, Any] = distilled["made_with"]["model r1"]
    assert (facts["paid"], facts["identity"]) == (20, "api 127.0.0.1 there as of 2026-11-01")
    assert facts["money"] > 0
    assert SECRET not in done.stdout + done.stderr
    assert not [p for p in folder.rglob("*") if p.is_file() and SECRET.encode() in p.read_bytes()]


def test_a_limit_ends_the_run_with_one_sentence_and_a_raised_one_goes_on(folder: Path) -> None:
    with on_socket(FakeServer(say=say), slots=1) as served:
        stopped = run(folder, served.url, limit=1e-5)
        assert stopped.returncode == 1
        assert "raise api.limit and run again" in " ".join(stopped.stderr.split())
        paid = len(served.fake.generated)
        assert run(folder, served.url, limit=20).returncode == 0
        assert len(served.fake.generated) == 20
    assert 1 <= paid <= 5
