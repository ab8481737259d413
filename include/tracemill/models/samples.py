"""The sample store: whatever a model once answered is kept under what it was asked, and never paid for again.

    MODEL-DIGEST/NEAR-UUID.parquet       a part: answers with their keys
    MODEL-DIGEST-index/...               in which parts the keys lie (see sample_index)

Parts are written while a shard runs and joined into one when it is done. `near` names the shard that asked, so that a
retry finds its own answers first; every other shard, run and recipe on the same store finds them too. Two writers at
once are fine: parts are only ever added under new names, and removed only after a part that holds all of their rows was
written. When one key was paid twice, all readers take the answer that was made first.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.keys import keys_below, remove
from tracemill.engine.objects import ObjectStore
from tracemill.models.request import Packed, Reply
from tracemill.models.sample_index import Heads, SampleIndex, heads_of
from tracemill.models.sample_parts import binary, columns, groups, matches, table_of, write

_READERS = 8  # parts read at once: a look over many parts waits for the network, not for the processor
_LOOKS = 5  # how often a part may vanish (joined by another writer) before something else must be wrong
_Best = dict[str, tuple[float, Packed]]


class SampleStore:
    """The answers of one model (`identity`: which weights) below a root that runs and recipes may share."""

    def __init__(self, store: ObjectStore, identity: str) -> None:
        self.store = store
        self.folder = hashlib.sha256(identity.encode()).hexdigest()[:20]
        self.index = SampleIndex(store, f"{self.folder}-index")

    def is_empty(self) -> bool:
        """Whether the model never answered anything below this root. Raises StoreError when it cannot be read."""
        return not self._parts()

    def find(self, keys: Collection[str], near: str) -> dict[str, Reply]:
        """The answers there are among `keys`. Raises StoreError when the store cannot be read."""
        return {key: packed.reply() for key, packed in self.packed(keys, near).items()}

    def packed(self, keys: Collection[str], near: str) -> dict[str, Packed]:
        """The same answers, as many of them are best held."""
        for _ in range(_LOOKS):
            try:
                return self._look(keys, near)
            except FileNotFoundError:
                continue  # a part was joined into another between listing and reading: list again
        return self._look(keys, near)

    def add(self, replies: Mapping[str, Reply], near: str) -> str:
        """Write one part; once this returns, the answers survive anything. Returns the part's key."""
        return self._write([table_of(replies)], near)

    def join(self, near: str) -> None:
        """Make one part of all that one shard has left behind, whoever wrote them, a few answers at a time."""
        parts = [part for part in self._parts() if part.startswith(f"{self.folder}/{near}-")]
        if len(parts) < 2:
            return
        try:
            self._write(self._first_made(parts), near)
        except FileNotFoundError:
            return  # another writer is joining them just now
        self._remove(parts)

    def drop(self, finish_reason: str) -> int:
        """Forget the answers that ended for that reason, so that they are asked for again. Returns how many."""
        dropped = 0
        for part in self._parts():
            there = columns(self.store, part, ["finish_reason"])["finish_reason"]
            gone = int(pc.sum(pc.equal(there, finish_reason)).as_py() or 0)
            if gone:
                near = part.removeprefix(f"{self.folder}/").rsplit("-", 1)[0]
                self._write((_without(table, finish_reason) for table in groups(self.store, part)), near)
                self._remove([part])
                dropped += gone
        return dropped

    def _parts(self) -> list[str]:
        return [key for key in keys_below(self.store, self.folder) if key.endswith(".parquet")]

    def _look(self, keys: Collection[str], near: str) -> dict[str, Packed]:
        own: list[str] = []
        others: set[str] = set()
        for part in self._parts():
            own.append(part) if part.startswith(f"{self.folder}/{near}-") else others.add(part)
        best: _Best = {}
        self._take(own, keys, best)
        missing = [key for key in keys if key not in best]
        if missing and others:
            self._take_from_others(others, missing, best)
        return {key: packed for key, (_, packed) in best.items()}

    def _take_from_others(self, parts: set[str], keys: Collection[str], best: _Best) -> None:
        """Take answers out of the parts that the indexes name, and out of those that they do not know yet."""
        known = self.index.look(heads_of(binary(keys)))
        self._take(sorted(parts & known.hits), keys, best)
        loose = self._take(sorted(parts - known.covered), keys, best)
        if len(loose) >= self.index.together:
            self.index.cover(loose)

    def _take(self, parts: Sequence[str], keys: Collection[str], best: _Best) -> dict[str, Heads]:
        """Take the answers under these keys out of parts, of two the one made first. Returns the keys of each part."""
        wanted = binary(keys)
        seen = dict[str, Heads]()
        with ThreadPoolExecutor(_READERS) as readers:
            read = readers.map(lambda part: matches(self.store, part, wanted), parts)
            for part, (heads, rows) in zip(parts, read, strict=True):
                seen[part] = heads
                for key, made, packed in rows:
                    known = best.get(key)
                    if known is None or (made, packed.text) < (known[0], known[1].text):
                        best[key] = made, packed
        return seen

    def _first_made(self, parts: Sequence[str]) -> Iterator[pa.Table]:
        """The rows of these parts without those under whose key another part has an older one."""
        made = pa.concat_tables([columns(self.store, part, ["key", "made"]) for part in parts])
        first = made.group_by("key").aggregate([("made", "min")])
        for part in parts:
            for table in groups(self.store, part):
                moments = first["made_min"].take(pc.index_in(table["key"], value_set=first["key"]))
                yield table.filter(pc.equal(table["made"], moments))

    def _write(self, tables: Iterable[pa.Table], near: str) -> str:
        key = f"{self.folder}/{near}-{uuid.uuid4().hex}.parquet"
        self.index.note(key, write(self.store, key, tables))
        return key

    def _remove(self, parts: Sequence[str]) -> None:
        for part in parts:
            remove(self.store, part)
        self.index.forget(parts)


def _without(table: pa.Table, finish_reason: str) -> pa.Table:
    return table.filter(pc.fill_null(pc.not_equal(table["finish_reason"], finish_reason), True))
