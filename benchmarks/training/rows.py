"""Rows of every kind, with faults planted among them, as a published release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.build.planted import TWO_TURNS
from tests.build.released import release, row
from tests.build.tokenizer import tokenizer_folder
from tracemill.release.trainers.opened import Opened, release_folder

KINDS = (
    row("Two and two.\n", "\n4\n"),
    row("It is 4, as 4 is 2 + 2.", "4"),
    row("And again.", "6", *TWO_TURNS),
    row("解：二加二得四。", "答案是 $4$。", ("user", "二加二等于多少？")),
    row("def f(): ...\n\n    return", "```python\nprint('<|user|>')\n```", ("user", "Write a program.\n```\n```")),
    row("So we go on. " * 3_300, "It is 4."),
)
LENGTH = 4_000  # words of a trace, about as many tokens as a mean response of the papers (C4 of their table: 3.8 k)


def traces(rows: int) -> list[dict[str, Any]]:
    """Rows of usual length, each with words of its own."""
    return [row(f"Number {k}: " + "we think of it again. " * (LENGTH // 5), f"It is {k}.") for k in range(rows)]


@contextmanager
def released(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[Opened, str]]:
    """The rows as a release, and the folder of a tokenizer."""
    with TemporaryDirectory(prefix="tracemill-") as scratch:
        folder = release(Path(scratch) / "release", rows)
        yield release_folder(folder), str(tokenizer_folder(Path(scratch) / "tokenizer"))
