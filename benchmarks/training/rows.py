"""Rows of every kind, with faults planted among them, as a published release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.build.released import release, row
from tests.build.tokenizer import tokenizer_folder
from tracemill.release.layout import response_text
from tracemill.release.trainers.opened import Opened, release_folder

TWO_TURNS = (("user", "What is 1 + 1?"), ("assistant", "It is 2."), ("user", "And 2 + 2?"))
KINDS = (
    row("Two and two.\n", "\n4\n"),
    row("It is 4, as 4 is 2 + 2.", "4"),
    row("And again.", "6", *TWO_TURNS),
    row("解：二加二得四。", "答案是 $4$。", ("user", "二加二等于多少？")),
    row("def f(): ...\n\n    return", "```python\nprint('<|im_start|>')\n```", ("user", "Write a program.\n```\n```")),
    row("So we go on. " * 3_300, "It is 4."),
)
LENGTH = 4_000  # words of a trace, about as many tokens as a mean response of the papers (C4 of their table: 3.8 k)


def traces(rows: int) -> list[dict[str, Any]]:
    """Rows of usual length, each with words of its own."""
    return [row(f"Number {k}: " + "we think of it again. " * (LENGTH // 5), f"It is {k}.") for k in range(rows)]


def planted() -> dict[str, dict[str, Any]]:
    """By the fault that must be found in it, one row each (layout `am`, template of Qwen2.5, 1,024 tokens)."""
    lost = row("I thought so.", "It is 4.")
    lost["messages"][-1]["content"] = "<answer>It is 4.</answer>"
    doubled = row("I thought so.", "It is 4.")
    doubled["messages"][-1]["content"] = "<think>I thought so.</think>\n" + response_text("I thought so.", "It is 4.")
    null = row("I thought so.", "It is 4.")
    null["messages"][-1]["info"]["think_content"] = None
    return {
        "thinking_missing": lost,
        "thinking_doubled": doubled,
        "empty_thinking": row("\n\n", "4"),
        "earlier_in_loss": row("And again.", "6", *TWO_TURNS),
        "answer_cut": row("Short.", "So we go on. " * 400),
        "null": null,
    }


@contextmanager
def released(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[Opened, str]]:
    """The rows as a release, and the folder of a tokenizer."""
    with TemporaryDirectory(prefix="tracemill-") as scratch:
        folder = release(Path(scratch) / "release", rows)
        yield release_folder(folder), str(tokenizer_folder(Path(scratch) / "tokenizer"))
