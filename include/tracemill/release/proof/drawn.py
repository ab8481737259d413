"""Draws the rows on which all templates are tried: some by the digest of their id, and every row of a rare shape."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from tracemill.release.trainers.opened import Opened

ROWS = 2000
RARE = 50  # rows: a shape with more of them is met among those drawn by digest
_MARKS = r"</?think>|</?answer>|<\|"
_MESSAGES = pl.col("messages")
_LAST = _MESSAGES.list.last()


def _shape() -> pl.Expr:
    """Turns, marks inside the words, Chinese, code, blanks, and the length by powers of four, as one text."""
    info = _LAST.struct.field("info").struct
    words = pl.concat_str(info.field("think_content"), info.field("answer_content"), separator="\n")
    blank = pl.any_horizontal(
        (info.field(name).str.strip_chars() == "").fill_null(True) for name in ("think_content", "answer_content")
    )
    asked = _MESSAGES.list.eval(pl.element().struct.field("content")).list.join("\n")
    kinds = (words.str.contains(_MARKS), asked.str.contains(r"\p{Han}"), asked.str.contains("```"), blank)
    length = words.str.len_chars().add(1).log(4).floor().cast(pl.Int8).clip(2, 12)
    turns = _MESSAGES.list.len().clip(0, 9)
    parts = [turns.cast(pl.String), *(kind.cast(pl.String) for kind in kinds), length.cast(pl.String)]
    return pl.concat_str([part.fill_null("-") for part in parts], separator=" ").alias("shape")


@dataclass
class _Chosen:
    rows: int
    digests: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    places: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    shapes: dict[str, list[int] | None] = field(default_factory=dict)  # None: no longer rare

    def see(self, start: int, ids: list[str], shapes: pl.Series) -> None:
        digests = np.array([_digest(one) for one in ids], np.uint64)
        places = np.arange(start, start + len(ids))
        self.digests = np.concatenate([self.digests, digests])
        self.places = np.concatenate([self.places, places])
        kept = np.argsort(self.digests, kind="stable")[: self.rows]
        self.digests = self.digests[kept]
        self.places = self.places[kept]
        frame = pl.DataFrame({"shape": shapes, "place": places}).group_by("shape", maintain_order=True)
        for shape, found in frame.agg("place").iter_rows():
            held = self.shapes.get(shape, [])
            more = None if held is None or len(held) + len(found) > RARE else [*held, *found]
            self.shapes[shape] = more

    def all(self) -> NDArray[np.int64]:
        rare = [place for held in self.shapes.values() for place in held or ()]
        return np.union1d(self.places, np.array(rare, np.int64))


def drawn(release: Opened, rows: int = ROWS) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The rows drawn with their metadata, in order of the release. It is read twice; only what was drawn is held."""
    chosen = _Chosen(rows)
    for start, published, about in numbered(release):
        shapes = pl.DataFrame(pl.from_arrow(published)).select(_shape())["shape"]
        chosen.see(start, about["generation_id"].to_pylist(), shapes)
    wanted = chosen.all()
    for start, published, about in numbered(release):
        here = wanted[(wanted >= start) & (wanted < start + published.num_rows)] - start
        if here.size:
            yield published.take(here), about.take(here)


def numbered(release: Opened) -> Iterator[tuple[int, pa.Table, pa.Table]]:
    start = 0
    for part in release.parts:
        for published, about in release.rows(part):
            yield start, published, about
            start += published.num_rows


def _digest(identity: str) -> int:
    return int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest(), "big")
