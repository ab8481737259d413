"""The tables of phrases that recur in a whole data set: which they are, where they stand, and what refreshes keep."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

_PLACES = pa.schema([("gram", pa.uint64()), ("shard", pa.int32()), ("count", pa.int32())])

# The word n-grams that occur in living responses more often than the limit allows, by the shards in which they occur:
# `gram` is the hash of the words, `count` how often it stands in that shard. Sorted by shard and gram.
PHRASES = declare(Table("phrases", _PLACES, lean=True, hashes=True))

# The same of all n-grams that came near the limit (frequent ones too), with all their places: what a refresh need not
# read old shards for.
PHRASE_COUNTS = declare(Table("phrase_counts", _PLACES, lean=True, hashes=True))

# The shards that were counted: `digest` of what they held, `grams` how many n-grams.
PHRASE_SHARDS = declare(
    Table(
        "phrase_shards", pa.schema([("shard", pa.int32()), ("digest", pa.string()), ("grams", pa.int64())]), lean=True
    )
)

# How often each n-gram occurs at most: two rows of counters that stop at 255, in blocks, for each part of the n-grams.
PHRASE_SKETCH = declare(
    Table(
        "phrase_sketch",
        pa.schema([("part", pa.int32()), ("row", pa.int32()), ("block", pa.int32()), ("cells", pa.large_binary())]),
    )
)
