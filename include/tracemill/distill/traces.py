"""The traces of one shard while they come in: cut ones get their continuations, and rows become tables at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa

from tracemill.engine.tables import columns_of
from tracemill.models.request import Answer, Refusal, Reply

_BATCH = 16  # traces whose texts are held twice for a moment


@dataclass(frozen=True)
class Trace:
    """One trace for one problem: the whole text, and where it was continued (None when it was not)."""

    problem_id: str
    sample: int
    reply: Reply
    seam: int | None = None
    seam_tokens: int | None = None


def joined(trace: Trace, rest: Answer) -> Trace:
    """The trace with its continuation, if the server gave it."""
    if not isinstance(rest, Reply):
        return trace
    first = trace.reply
    whole = Reply(
        text=first.text + rest.text,
        finish_reason=rest.finish_reason,
        prompt_tokens=first.prompt_tokens,
        completion_tokens=(first.completion_tokens or 0) + (rest.completion_tokens or 0),
        seconds=first.seconds + rest.seconds,
        served_model=first.served_model,
    )
    return replace(trace, reply=whole, seam=len(first.text), seam_tokens=first.completion_tokens)


@dataclass
class Written:
    """The rows of a shard's traces, made into tables a few at a time: their texts are held about once.

    `problems` are those with a trace, `refusals` those that the server gave none for.
    """

    refusals: dict[str, Refusal] = field(default_factory=dict)
    problems: set[str] = field(default_factory=set)
    _places: list[int] = field(default_factory=list)
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _batches: list[pa.RecordBatch] = field(default_factory=list)
    _seams: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def add(self, place: int, row: dict[str, Any], seam: dict[str, Any] | None = None) -> None:
        """Add a trace's row, which stands at that place among all, and where it was continued."""
        self.problems.add(row["problem_id"])
        self._places.append(place)
        self._rows.append(row)
        if seam is not None:
            self._seams.append((place, seam))
        if len(self._rows) >= _BATCH:
            self._pack()

    def generations(self) -> pa.Table:
        """The traces in their order."""
        self._pack()
        table = pa.Table.from_batches(self._batches, columns_of("generations"))
        places = np.array(self._places)
        return table if (places[1:] > places[:-1]).all() else table.take(np.argsort(places))

    def continuations(self) -> pa.Table:
        """Where traces were continued, in the order of the traces."""
        rows = [seam for _, seam in sorted(self._seams, key=itemgetter(0))]
        return pa.Table.from_pylist(rows, columns_of("continuations"))

    def _pack(self) -> None:
        self._batches.append(pa.RecordBatch.from_pylist(self._rows, columns_of("generations")))
        self._rows = []
