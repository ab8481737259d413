"""Finds in which parts of a sample store some keys lie, without opening the parts.

    MODEL-DIGEST-index/ROWS-UUID.parquet    the first eight bytes of each key of some parts, in order, and which part

An index holds nothing that its parts do not say, and is never changed: one that is lost, damaged or written twice costs
time and no answer. Parts that no index covers are looked through themselves, and indexed by whoever had to do that once
they are many. Sixteen indexes of about one size are put together, so a look reads few of them, and of these only the
row groups in which a wanted key can lie. This is the log-structured merge tree (O'Neil et al. 1996) over the keys
alone: the long texts are never written again.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tracemill.engine.keys import keys_below, remove
from tracemill.engine.objects import ObjectStore, scratch_folder, store_io

Heads = NDArray[np.uint64]
_GROUP = 1 << 16  # keys of a row group
_PARTS = b"parts"
_DAMAGED = (pa.ArrowException, OSError, KeyError, TypeError, ValueError)  # of bytes that were read already
_log = logging.getLogger(__name__)
_noted: dict[tuple[str, str], dict[str, Heads]] = {}  # parts that this process wrote and that no index covers yet
_noting = threading.Lock()


def heads_of(keys: pa.Array | pa.ChunkedArray) -> Heads:
    """The first eight bytes of 32-byte keys, as numbers."""
    flat = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    data = flat.buffers()[1]
    if data is None:
        return np.empty(0, np.uint64)
    return np.frombuffer(data, ">u8", 4 * len(flat), 32 * flat.offset)[::4].astype(np.uint64)


@dataclass(frozen=True)
class Found:
    """`hits`: parts that hold a wanted key, but for one in 2**64 that shares its beginning; `covered`: parts known."""

    hits: frozenset[str]
    covered: frozenset[str]


class SampleIndex:
    """The indexes of one model's parts. Parts are called by their keys in the store.

    `together`: parts that are indexed together, so that so many may lie about without an index. `fanout`: indexes of
    one size that are put together, unless they hold more than `most` keys (50 MB).
    """

    together: ClassVar[int] = 64
    fanout: ClassVar[int] = 16
    most: ClassVar[int] = 1 << 22

    def __init__(self, store: ObjectStore, folder: str) -> None:
        self.store = store
        self.folder = folder

    def look(self, wanted: Heads) -> Found:
        """In which parts the wanted keys lie. Raises FileNotFoundError when an index was put together meanwhile."""
        sought = np.unique(wanted)
        hits: set[str] = set()
        covered: set[str] = set()
        for key in keys_below(self.store, self.folder):
            parts, table = self._read(key, sought)
            covered.update(parts)
            found = np.isin(table["head"].to_numpy(), sought)
            hits.update(parts[place] for place in np.unique(table["part"].to_numpy()[found]))
        return Found(frozenset(hits), frozenset(covered))

    def note(self, part: str, heads: Heads) -> None:
        """Take note of a part that was just written; it is indexed together with others, whoever wrote them here."""
        with _noting:
            noted = _noted.setdefault((self.store.root, self.folder), {})
            noted[part] = heads
            due = dict(noted) if len(noted) >= self.together else {}
            if due:
                noted.clear()
        if due:
            self.cover(due)

    def forget(self, parts: Iterable[str]) -> None:
        """Parts that were removed need no index."""
        with _noting:
            noted = _noted.get((self.store.root, self.folder), {})
            for part in parts:
                noted.pop(part, None)

    def cover(self, parts: Mapping[str, Heads]) -> None:
        """Write an index of these parts, and put indexes together of whose size there are many."""
        self.forget(parts)
        names = sorted(parts)
        places = np.repeat(np.arange(len(names), dtype=np.int32), [len(parts[name]) for name in names])
        self._write(np.concatenate([parts[name] for name in names]), places, names)
        self._merge()

    def _merge(self) -> None:
        """Put indexes of about one size together. Of two who do so at once, one gives up or both are right."""
        sizes: dict[int, list[str]] = {}
        for key in keys_below(self.store, self.folder):
            rows = int(key.rsplit("/", 1)[-1].split("-", 1)[0])
            if rows * self.fanout <= self.most:
                sizes.setdefault(rows.bit_length() // 4, []).append(key)
        for keys in sizes.values():
            if len(keys) >= self.fanout:
                self._put_together(keys)

    def _put_together(self, keys: list[str]) -> None:
        there = set(keys_below(self.store, self.folder.removesuffix("-index")))
        names: list[str] = []
        heads: list[Heads] = []
        places: list[NDArray[np.int32]] = []
        try:
            for key in keys:
                parts, table = self._read(key)
                kept = np.array([part in there for part in parts], dtype=bool)
                moved = np.cumsum(kept, dtype=np.int32) - 1 + len(names)
                part = table["part"].to_numpy()
                heads.append(table["head"].to_numpy()[kept[part]])
                places.append(moved[part[kept[part]]])
                names += [part for part, is_there in zip(parts, kept, strict=True) if is_there]
        except FileNotFoundError:
            return  # another writer is doing the same
        if names:
            self._write(np.concatenate(heads), np.concatenate(places), names)
        for key in keys:
            remove(self.store, key)

    def _read(self, key: str, sought: Heads | None = None) -> tuple[list[str], pa.Table]:
        """The parts that an index covers, and its rows: all, or those of row groups that can hold what is sought."""
        data = self.store.read_bytes(key)
        try:
            with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True) as file:
                every = range(file.num_row_groups)
                groups = [g for g in every if sought is None or _may_hold(file, g, sought)]
                return _covered(file), file.read_row_groups(groups)
        except _DAMAGED as error:
            _log.warning("%s is damaged and not used: %s", key, error)
            return [], _table(np.empty(0, np.uint64), np.empty(0, np.int32), [])

    def _write(self, heads: Heads, places: NDArray[np.int32], names: list[str]) -> None:
        order = np.argsort(heads, kind="stable")
        key = f"{self.folder}/{len(heads):010d}-{uuid.uuid4().hex}.parquet"
        with scratch_folder(key) as folder:
            local = folder / "index.parquet"
            with store_io(f"cannot write a scratch file for {key}"):
                made = _table(heads[order], places[order], names)
                pq.write_table(
                    made,
                    local,
                    compression="none",
                    use_dictionary=False,
                    row_group_size=_GROUP,
                    write_page_checksum=True,
                )
            self.store.put(local, key)


def _table(heads: Heads, places: NDArray[np.int32], names: list[str]) -> pa.Table:
    made = pa.table({"head": pa.array(heads, pa.uint64()), "part": pa.array(places, pa.int32())})
    return made.replace_schema_metadata({_PARTS: json.dumps(names).encode()})


def _covered(file: pq.ParquetFile) -> list[str]:
    names = json.loads(file.schema_arrow.metadata[_PARTS])
    if not isinstance(names, list):
        raise ValueError("no list of parts")
    return names


def _may_hold(file: pq.ParquetFile, group: int, sought: Heads) -> bool:
    """Whether a wanted key can lie in that row group, by its smallest and greatest."""
    seen = file.metadata.row_group(group).column(0).statistics
    if seen is None or not seen.has_min_max:
        return True
    first = int(np.searchsorted(sought, np.uint64(seen.min)))
    return first < len(sought) and int(sought[first]) <= seen.max
