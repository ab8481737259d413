"""What `prove` says of tokens is what trl itself makes of an export, token by token; needs .venv-train."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.build.planted import TWO_TURNS
from tests.build.released import release, row
from tests.build.tokenizer import tokenizer_folder
from tracemill.release.proof.example import example
from tracemill.release.proof.masks import encoded_all
from tracemill.release.proof.rendering import rendered
from tracemill.release.proof.templates import Template, template
from tracemill.release.trainers.folder import Wanted, export
from tracemill.release.trainers.layouts import LayoutName
from tracemill.release.trainers.opened import release_folder

PYTHON = Path(".venv-train/bin/python")
SCRIPT = Path("tests/build/trl_labels.py")
ROWS = [
    row("Two and two.\n", "\n4\n"),
    row("And again.", "6", *TWO_TURNS),
    row("解：二加二得四。", "答案是 $4$。", ("user", "二加二等于多少？")),
    row("def f(): ...\n\n    return", "```python\nprint('<|im_start|>')\n```", ("user", "Write a program.")),
    row("So we go on. " * 3_300, "It is 4."),
]


CASES: tuple[tuple[str, LayoutName, str | None], ...] = (
    ("qwen2_5", "prompt_completion", "Think first."),
    ("qwen2_5", "am", None),
    ("qwen3", "prompt_completion_reasoning", None),
    ("gptoss", "prompt_completion_thinking", None),
    ("gptoss", "gptoss", None),
)


@pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-train here: make train-env makes it")
def test_trl_puts_the_loss_where_the_proof_says(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path / "tokenizer")
    found = release_folder(release(tmp_path / "release", ROWS))
    command = [PYTHON, "-P", SCRIPT, folder]
    for number, (name, layout, system) in enumerate(CASES):
        (tmp_path / f"{name}.jinja").write_text(template(name).text)
        export(found, Wanted(layout=layout, system=system), tmp_path / f"out-{number}", lambda _: None)
        command += [tmp_path / f"out-{number}", tmp_path / f"{name}.jinja"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "PYTHONPATH": ""}

    ran = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr[-2000:]
    told = [line for line in ran.stdout.splitlines() if line.startswith("[{")]
    assert len(told) == len(CASES)
    for number, (name, _, _) in enumerate(CASES):
        ours = labels(template(name, str(folder)), tmp_path / f"out-{number}/train-00000.parquet")
        assert json.loads(told[number]) == ours, CASES[number]


def labels(against: Template, path: Path) -> list[dict[str, list[int]]]:
    """What a trainer would make of the rows, by the masks of the proof."""
    lines = pq.read_table(path).to_pylist()
    made = encoded_all(against, [rendered(against, example(line)) for line in lines])
    pairs = [(row.encoding.ids, row.loss.tolist()) for row in made]
    return [
        {"ids": ids, "labels": [token if loss else -100 for token, loss in zip(ids, mask, strict=True)]}
        for ids, mask in pairs
    ]
