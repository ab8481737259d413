"""What `prove` says of tokens is what trl itself makes of an export, token by token; needs .venv-train."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.build.released import release, row
from tests.build.tokenizer import tokenizer_folder
from tracemill.release.trainers.folder import Wanted, export
from tracemill.release.trainers.layouts import LayoutName
from tracemill.release.trainers.opened import release_folder
from tracemill.train.example import example
from tracemill.train.masks import encoded_all
from tracemill.train.rendering import rendered
from tracemill.train.templates import template

PYTHON = Path(".venv-train/bin/python")
SCRIPT = Path("tests/build/trl_labels.py")
TWO_TURNS = (("user", "What is 1 + 1?"), ("assistant", "It is 2."), ("user", "And 2 + 2?"))
ROWS = [
    row("Two and two.\n", "\n4\n"),
    row("And again.", "6", *TWO_TURNS),
    row("解：二加二得四。", "答案是 $4$。", ("user", "二加二等于多少？")),
    row("def f(): ...\n\n    return", "```python\nprint('<|im_start|>')\n```", ("user", "Write a program.")),
    row("So we go on. " * 3_300, "It is 4."),
]


@pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-train here: make train-env makes it")
@pytest.mark.parametrize(
    ("name", "layout", "system"),
    [
        ("qwen2_5", "prompt_completion", "Think first."),
        ("qwen2_5", "am", None),
        ("qwen3", "prompt_completion_reasoning", None),
        ("gptoss", "prompt_completion_thinking", None),
        ("gptoss", "gptoss", None),
    ],
)
def test_trl_puts_the_loss_where_the_proof_says(
    name: str, layout: LayoutName, system: str | None, tmp_path: Path
) -> None:
    folder = tokenizer_folder(tmp_path / "tokenizer")
    against = template(name, str(folder))
    (tmp_path / "template.jinja").write_text(against.text)
    found = release_folder(release(tmp_path / "release", ROWS))
    export(found, Wanted(layout=layout, system=system), tmp_path / "out", lambda _: None)

    command = [PYTHON, SCRIPT, tmp_path / "out", folder, tmp_path / "template.jinja"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "PYTHONPATH": ""}
    ran = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    theirs = json.loads(ran.stdout.splitlines()[-1])

    lines = pq.read_table(tmp_path / "out/train-00000.parquet").to_pylist()
    ours = encoded_all(against, [rendered(against, example(line)) for line in lines])
    assert len(theirs) == len(ROWS)
    for line, made in zip(theirs, ours, strict=True):
        assert line["ids"] == made.encoding.ids
        labels = [token if loss else -100 for token, loss in zip(made.encoding.ids, made.loss, strict=True)]
        assert [
            place for place, pair in enumerate(zip(line["labels"], labels, strict=True)) if pair[0] != pair[1]
        ] == []
