"""Counts the n-grams that recur, exactly, in two passes: a sketch finds which may, and these alone are counted.

The n-grams are taken in parts, so that the sketch of one part has few to a counter however many there are. Of a data
set that grew the second time only new shards are read: old ones are in the old sketch, and what came near the limit is
kept with its places. An n-gram that the kept ones do not hold and that could now be over the limit is looked up in the
old shards. Either way the frequent n-grams are the same as when everything is counted anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa

from tracemill.engine.step import Inputs
from tracemill.engine.tables import columns_of
from tracemill.select.phrases.grams import shard_grams
from tracemill.select.phrases.sketch import LARGEST, SMALLEST, Sketch
from tracemill.text.jit import U64, Flags

_LOAD = 4  # n-grams a counter: then one of 10,000 seems to occur ten times more often than it does
_MOST_PARTS = 64  # six bits of a hash that no counter's place is made of
_BYTES = 2  # stored and compressed, that a word takes about; decides nothing but how much room is made at first
_Pick = Callable[[U64], Flags]


@dataclass(frozen=True)
class Rule:
    """n-grams of `n` words, frequent above `limit`; those from `near` on are kept."""

    n: int
    limit: int

    @property
    def near(self) -> int:
        """With fewer, more than half of a frequent one's occurrences would have to be new."""
        return self.limit // 2 + 1


@dataclass(frozen=True)
class Counted:
    """What was counted: places (columns of `phrases`) near the limit, n-grams by shard, and a sketch for each part."""

    places: pa.Table
    totals: dict[int, int]
    sketches: tuple[Sketch, ...]


@dataclass
class Reading:
    """The shards' n-grams, of one part of them; `totals` adds up what the passes for a sketch have seen."""

    inputs: Inputs
    rule: Rule
    parts: int
    totals: dict[int, int] = field(default_factory=dict)

    def grams(self, shard: int, part: int) -> Iterator[U64]:
        """The n-grams of a shard that belong to the part."""
        for grams in shard_grams(self.inputs, shard, self.rule.n):
            yield grams if self.parts == 1 else grams[_of_part(grams, self.parts) == part]

    def sketch(self, shards: Sequence[int], part: int, size: int) -> Sketch:
        """How often the part's n-grams occur in the shards at most."""
        found = Sketch.of_size(size)
        for shard in shards:
            self.totals.setdefault(shard, 0)
            for grams in self.grams(shard, part):
                found.add(grams)
                self.totals[shard] += len(grams)
        return found

    def places(self, shards: Iterable[int], part: int, pick: _Pick) -> pa.Table:
        """Where the n-grams stand that `pick` chooses, and how often."""
        schema = columns_of("phrases")
        parts = [schema.empty_table()]
        for shard in shards:
            chosen = [grams[pick(grams)] for grams in self.grams(shard, part)]
            grams, counts = np.unique(np.concatenate([np.empty(0, np.uint64), *chosen]), return_counts=True)
            columns = [grams, np.full(len(grams), shard, np.int32), counts.astype(np.int32)]
            parts.append(pa.table(columns, schema=schema))
        return pa.concat_tables(parts)


def count_all(inputs: Inputs, rule: Rule, largest: int = LARGEST, expected: int | None = None) -> Counted:
    """Count every shard. Memory: two bytes for each counter up to `largest`, and the places of what is near the limit.

    All text is read twice for each part; there is more than one from 4 x `largest` n-grams on. `expected`: about how
    many n-grams there are; None guesses from the size of the stored texts.
    """
    size, parts = _room(_stored_bytes(inputs) // _BYTES if expected is None else expected, largest)
    reading = Reading(inputs, rule, parts)
    shards = list(inputs.shards())
    sketches = list[Sketch]()
    places = [columns_of("phrases").empty_table()]
    for part in range(parts):
        sketch = reading.sketch(shards, part, size)
        seen = sum(reading.totals.values())
        if part == 0 and seen > 4 * _LOAD * size and _room(seen * parts, largest) > (size, parts):
            return count_all(inputs, rule, largest, seen * parts)
        found = reading.places(shards, part, partial(_may_be_near, sketch, rule.near))
        places.append(_near(found, rule.near))
        sketches.append(sketch)
    return Counted(pa.concat_tables(places), reading.totals, tuple(sketches))


def count_new(inputs: Inputs, rule: Rule, before: Counted) -> Counted:
    """Count the shards that were not there before, and say the same as `count_all` of what is frequent."""
    parts = len(before.sketches)
    reading = Reading(inputs, rule, parts, dict(before.totals))
    new = [shard for shard in inputs.shards() if shard not in before.totals]
    sketches = list[Sketch]()
    places = [columns_of("phrases").empty_table()]
    for part, old in enumerate(before.sketches):
        every = old.with_all(reading.sketch(new, part, old.size))
        kept = before.places.filter(pa.array(_of_part(_grams(before.places), parts) == part))
        found = reading.places(new, part, partial(_may_be_near, every, rule.near))
        known = _completed(reading, part, old, kept, found, before)
        places.append(_near(pa.concat_tables([kept, *known]), rule.near))
        sketches.append(every)
    return Counted(pa.concat_tables(places), reading.totals, tuple(sketches))


def frequent(places: pa.Table, limit: int) -> pa.Table:
    """The rows of `phrases`: the places of what occurs more often than `limit`, sorted by shard and gram."""
    return _near(places, limit + 1).sort_by([("shard", "ascending"), ("gram", "ascending")])


def _completed(
    reading: Reading, part: int, old: Sketch, kept: pa.Table, found: pa.Table, before: Counted
) -> Iterator[pa.Table]:
    """Of the new places those whose n-gram has all its places known, and the old places that had to be looked up."""
    grams, at = np.unique(_grams(found), return_inverse=True)
    counts = np.bincount(at, weights=found["count"].to_numpy(), minlength=len(grams)).astype(np.int64)
    earlier = old.at_most(grams).astype(np.int64)
    known = np.isin(grams, _grams(kept)) | (earlier == 0)
    doubtful = ~known & (counts + earlier > reading.rule.limit)
    yield found.filter(pa.array((known | doubtful)[at]))
    if doubtful.any():
        yield reading.places(before.totals, part, partial(np.isin, test_elements=grams[doubtful]))


def _near(places: pa.Table, least: int) -> pa.Table:
    """The places of the n-grams that occur so often at least."""
    grams, at = np.unique(_grams(places), return_inverse=True)
    totals = np.bincount(at, weights=places["count"].to_numpy(), minlength=len(grams))
    return places.filter(pa.array((totals >= least)[at]))


def _may_be_near(sketch: Sketch, near: int, grams: U64) -> Flags:
    return sketch.at_most(grams) >= near


def _grams(places: pa.Table) -> U64:
    found: U64 = places["gram"].to_numpy()
    return found


def _of_part(grams: U64, parts: int) -> U64:
    """Which part each n-gram belongs to: by the six bits that choose no counter."""
    free = (grams >> np.uint64(29)) & np.uint64(7) | (grams >> np.uint64(61)) << np.uint64(3)
    return free % np.uint64(parts)


def _room(grams: int, largest: int) -> tuple[int, int]:
    """Counters of a row, and parts, for about so many n-grams: powers of two."""
    size = min(max(_power(-(-grams // 2)), SMALLEST), largest)
    return size, min(_power(-(-grams // (_LOAD * largest))), _MOST_PARTS)


def _power(least: int) -> int:
    return 1 << max(least - 1, 0).bit_length()


def _stored_bytes(inputs: Inputs) -> int:
    sealed = (manifest for manifests in inputs.sealed.values() for manifest in manifests)
    return sum(manifest.tables["generations"].bytes for manifest in sealed if "generations" in manifest.tables)
