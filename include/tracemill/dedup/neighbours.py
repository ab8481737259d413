"""Looks up in the living index which old rows the new ones must be compared with, and reads those alone.

An old row matters to a new one when it has the same id or text, shares a MinHash band, or may reach the cosine by the
sketches of both vectors. With those old rows the decision is the one that the whole corpus would give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracemill.dedup.agreement_key import numberless
from tracemill.dedup.corpus import DROPPED, KEPT, Columns, Corpus, arranged, joined
from tracemill.dedup.deciding import Rules
from tracemill.dedup.index import Index
from tracemill.dedup.semantic import Half, nearest_cells
from tracemill.dedup.simhash import radius, sharing, within
from tracemill.text.jit import I32, I64, U64, Flags

PROBES = 2  # times the probes of the full search: here only the new row looks into the cells near it
SLOT_BITS = 21
_CELL = np.uint64(0x9E3779B97F4A7C15)


def grown_corpus(index: Index, new: Columns, vectors: Callable[[I64], Half], rules: Rules) -> tuple[Corpus, I32]:
    """The new rows and the old ones that matter to them, and the cell of each new row in its large group (else -1).

    `vectors` reads those of new rows by their number.
    """
    rows = np.zeros(0, np.int64)
    old = np.zeros(0, np.int64)
    visits = _visits(index, new["guard"], vectors, PROBES * rules.probes)
    comparable = np.flatnonzero(_kept(index.columns) & _among(index.columns["guard"], new["guard"]))
    if rules.semantic is not None:
        rows, old = _near(index.columns, comparable, new, visits, radius(rules.semantic))
        if rules.across is not None:
            more, others = _translated(index, new, vectors, rules.across, PROBES * rules.probes)
            rows = np.concatenate([rows, more])
            old = np.concatenate([old, others])
    matters = _same(index.columns, new)
    matters[_sharing_a_band(index.columns, comparable, new)] = True
    matters[old] = True
    matters[index.columns["target"][matters]] = True
    wanted = np.flatnonzero(matters)
    corpus = arranged(joined([_old(index, wanted), {**new, "place": len(index) + np.arange(len(new["id"]))}]))
    order = np.argsort(corpus.places)
    pairs = np.stack([old, len(index) + rows], axis=1)
    return replace(corpus, near=order[np.searchsorted(corpus.places[order], pairs)]), visits.cell


def _translated(
    index: Index, new: Columns, vectors: Callable[[I64], Half], across: float, probes: int
) -> tuple[I64, I64]:
    """Pairs of a new row and an old one of the other way of writing, with the same numbers, that may be similar."""
    chosen = np.flatnonzero(~np.isin(new["guard"], numberless()))
    guards = new["guard"][chosen] ^ np.uint64(1)
    comparable = np.flatnonzero(_kept(index.columns) & _among(index.columns["guard"], guards))
    visits = _visits(index, guards, lambda rows: vectors(chosen[rows]), probes)
    part = {"bits": new["bits"][chosen]}
    rows, old = _near(index.columns, comparable, part, visits, radius(across))
    return chosen[rows], old


def _old(index: Index, wanted: I64) -> Columns:
    """Old rows as columns of a corpus, with what was decided about them."""
    columns = {name: values[wanted] for name, values in index.columns.items()}
    target = columns["target"]
    columns["state"] = np.where(target == wanted, KEPT, DROPPED).astype(np.int8)
    columns["target"] = np.where(target == wanted, b"", index.columns["id"][target])
    del columns["cell"]
    return {**columns, "place": wanted}


def _kept(columns: Columns) -> Flags:
    kept: Flags = columns["target"] == np.arange(len(columns["target"]))
    return kept


def _same(old: Columns, new: Columns) -> Flags:
    """Old rows with the id or the text of a new one, or of such an old row."""
    found = _among(old["id"], new["id"]) | _among(old["key"], new["key"])
    return found | _among(old["id"], old["id"][found]) | _among(old["key"], old["key"][found])


def _sharing_a_band(old: Columns, rows: I64, new: Columns) -> I64:
    """Which of those old rows do."""
    rows = rows[sharing(old["bands"], rows, new["bands"])]
    found = np.zeros(len(rows), np.bool_)
    for band in range(old["bands"].shape[1]):
        found |= _among(old["bands"][rows, band], new["bands"][:, band])
    return rows[found]


def _among(values: NDArray[Any], wanted: NDArray[Any]) -> Flags:
    """Which values are among a few wanted ones: nearly all others are told by one bit of a table."""
    table = np.zeros(1 << SLOT_BITS, np.bool_)
    table[_slots(wanted)] = True
    found = table[_slots(values)]
    likely = np.flatnonzero(found)
    known = np.unique(wanted)
    if len(likely):
        place = np.minimum(np.searchsorted(known, values[likely]), len(known) - 1)
        found[likely] = known[place] == values[likely]
    return found


def _slots(values: NDArray[Any]) -> U64:
    """A slot of the table for each value; of ids and keys (hex digits of a hash) eight digits decide."""
    if values.dtype.kind == "S":
        digits = np.ascontiguousarray(values).view(np.uint8).reshape(-1, values.itemsize)[:, 8:16]
        values = np.ascontiguousarray(digits).view(np.uint64).ravel()
    slots: U64 = (values.astype(np.uint64) * _CELL) >> np.uint64(64 - SLOT_BITS)
    return slots


def _near(old: Columns, rows: I64, new: Columns, visits: Visits, limit: int) -> tuple[I64, I64]:
    """Pairs of a new row and one of those old ones, of the same guard, that may be similar; in large groups only
    near its cells.
    """
    keys = _bucket(old["guard"][rows], old["cell"][rows].astype(np.int64))
    order = np.argsort(keys, kind="stable")
    turn = np.argsort(visits.bucket)  # visits to one bucket in a row: its sketches stay in the cache
    first, last = (np.searchsorted(keys[order], visits.bucket[turn], side) for side in ("left", "right"))
    fresh, found = within(new["bits"], visits.row[turn], first, last, old["bits"][rows[order]], np.uint64(limit))
    return fresh, rows[order][found]


@dataclass(frozen=True)
class Visits:
    """New row `row[k]` looks into bucket `bucket[k]` of old rows; `cell` is the nearest cell of every new row."""

    row: I64
    bucket: U64
    cell: I32


def _visits(index: Index, guards: U64, vectors: Callable[[I64], Half], probes: int) -> Visits:
    large = np.isin(guards, np.array(list(index.centroids), np.uint64))
    small = np.flatnonzero(~large)
    own = np.full(len(large), -1, np.int32)
    rows = [small]
    buckets = [_bucket(guards[small], np.full(len(small), -1))]
    for guard in np.unique(guards[large]):
        chosen = np.flatnonzero(guards == guard)
        cells = nearest_cells(vectors(chosen).astype(np.float32), index.centroids[int(guard)], probes)
        own[chosen] = cells[:, 0]
        rows.append(np.repeat(chosen, cells.shape[1]))
        buckets.append(_bucket(np.full(cells.size, guard, np.uint64), cells.ravel().astype(np.int64)))
    return Visits(np.concatenate(rows), np.concatenate(buckets), own)


def _bucket(guard: U64, cell: NDArray[np.int64]) -> U64:
    mixed: U64 = guard ^ ((cell + 1).astype(np.uint64) * _CELL)
    return mixed
