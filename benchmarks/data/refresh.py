"""Grows a corpus by a share of new rows and runs everything again: what a refresh costs beside the full run."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import orjson

from benchmarks.data.corpus import SOURCES, Corpus, written

COPIED = 0.2  # of the new rows: copies of old ones


def grown(corpus: Corpus, share: float) -> int:
    """Append new rows to the last source: new problems, and copies of old rows. Returns how many."""
    count = max(1, int(corpus.rows * share))
    folder = corpus.folder / "new"
    folder.mkdir()
    fresh = written(folder, count, seed=99)
    copies = int(count * COPIED)
    with corpus.source(SOURCES - 1).open("ab") as out:
        for number, line in enumerate(islice(_lines(corpus.source(0)), copies)):
            out.write(_renumbered(line, corpus.rows + number))
        new = (line for k in range(SOURCES) for line in _lines(fresh.source(k)))
        for number, line in enumerate(islice(new, count - copies)):
            out.write(_renumbered(line, corpus.rows + copies + number))
    return count


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def _renumbered(line: bytes, number: int) -> bytes:
    return orjson.dumps({**orjson.loads(line), "id": number}) + b"\n"
