"""Proves a batch of released rows: laid out as a trainer would load them, against what the release says they say."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from tracemill.release.proof.example import example
from tracemill.release.proof.faults import Found
from tracemill.release.proof.prover import Prover
from tracemill.release.trainers.layouts import LayoutName, laid_out
from tracemill.release.trainers.spoken import Spoken, spoken

_NO_PROMPT = ("am", "am_thinking")  # `system` of the sibling's layout is not used in training, as its card says


@dataclass(frozen=True)
class Line:
    """What was found about one row; nothing for a row that is whole. `file` and `row` as in metadata.parquet."""

    id: str
    file: str | None
    row: int | None
    found: tuple[Found, ...]


def proved_batch(prover: Prover, layout: LayoutName, system: str | None, rows: pa.Table, about: pa.Table) -> list[Line]:
    """One line a row, in order."""
    before = (("system", system),) if system and layout not in _NO_PROMPT else ()
    told = [spoken(row, "am") for row in rows.to_pylist()]
    said = [Spoken((*before, *each.earlier), each.think, each.answer) for each in told]
    given = [example(row) for row in laid_out(rows, about, layout, system).to_pylist()]
    found = prover.proved(list(zip(given, said, strict=True)))
    lines = about.select(["generation_id", "file", "row"]).to_pylist()
    return [
        Line(line["generation_id"], line["file"], line["row"], tuple(faults))
        for line, faults in zip(lines, found, strict=True)
    ]
