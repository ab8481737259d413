"""The tables of dedup and decontamination: what is compared, what was dropped, and why."""

from __future__ import annotations

import pyarrow as pa

from tracemill.engine.tables.table import Table, declare

# What dedup compares instead of the text (see docs/design/dedup.md): `exact_key` hashes the text as tokenised,
# numbers kept; near-duplicates must share `guard`; `bands` are the marks of the MinHash bands (uint32s, see
# minhash.band_marks); `embedding` is a unit vector (half floats) of the space that `embedder` names. Both packed.
SIGNATURES = declare(
    Table(
        "signatures",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("exact_key", pa.string()),
                ("guard", pa.uint64()),
                ("bands", pa.binary()),
                ("embedding", pa.binary()),
                ("embedder", pa.string()),
            ]
        ),
    )
)

# The space of a shard's vectors, one row a shard: which embedder, and the cosines from which two texts of one language,
# or of two, are compared further.
SPACES = declare(
    Table(
        "spaces",
        pa.schema(
            [
                ("embedder", pa.string()),
                ("kind", pa.string()),
                ("semantic", pa.float64()),
                ("across", pa.float64()),
            ]
        ),
    )
)

# Rows that are not representatives: `shard` is the shard of the dropped row, `duplicate_of` the kept problem's id;
# `method` is exact, fuzzy (Jaccard of word n-grams) or semantic (cosine), `similarity` reached `threshold` in it.
# `differing` are the words in which the two texts differ.
DUPLICATES = declare(
    Table(
        "duplicates",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("shard", pa.int32()),
                ("duplicate_of", pa.string()),
                ("duplicate_shard", pa.int32()),
                ("method", pa.string()),
                ("similarity", pa.float32()),
                ("threshold", pa.float32()),
                ("differing", pa.list_(pa.string())),
            ]
        ),
        about=("problem", "problem_id"),
        lean=True,
    )
)

# Which shards dedup has decided, and on what; their rows are not decided again (see docs/design/dedup.md).
SETTLED = declare(
    Table(
        "settled",
        pa.schema(
            [
                ("shard", pa.int32()),
                ("digest", pa.string()),
            ]
        ),
    )
)

# Where the order of arrival decided: a new row that would have been kept, had the row it duplicates not been there.
HELD_BACK = declare(
    Table(
        "held_back",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("shard", pa.int32()),
                ("kept_instead", pa.string()),
                ("kept_shard", pa.int32()),
            ]
        ),
        about=("problem", "problem_id"),
    )
)

# The rules that find leaks, in the order in which their evidence counts.
CONTAMINATION_RULES = ("exact", "ngram", "alignment", "embedding", "template")

# What the rules catch of the benchmarks' own items when they are changed: `texts` of a kind, and how many are `caught`.
MUTANTS = declare(
    Table(
        "mutants",
        pa.schema([("benchmark", pa.string()), ("kind", pa.string()), ("texts", pa.int64()), ("caught", pa.int64())]),
    )
)
TEMPLATES = "templates of tracemill"  # stands for a benchmark's name in `mutants`, and can be none

# The evidence against a contaminated problem (strongest per benchmark and rule), also when below the threshold.
# `evidence` is JSON: what an alignment found equal and different.
CONTAMINATION = declare(
    Table(
        "contamination",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("benchmark", pa.string()),
                ("item", pa.string()),
                ("rule", pa.string()),
                ("score", pa.float32()),
                ("threshold", pa.float32()),
                ("contaminated", pa.bool_()),
                ("evidence", pa.large_string()),
            ]
        ),
        about=("problem", "problem_id"),
    )
)

# What a benchmark that became known later takes out of a release: one row per released response, or one with a null
# `generation_id` for a problem that is alive without one.
REVOCATIONS = declare(
    Table(
        "revocations",
        pa.schema(
            [
                ("problem_id", pa.string()),
                ("generation_id", pa.string()),
                ("shard", pa.int32()),
                ("reason", pa.string()),
                ("score", pa.float64()),
                ("threshold", pa.float64()),
                ("item", pa.string()),
            ]
        ),
        about=("problem", "problem_id"),
    )
)

# The living index of dedup: columns of fixed width per block of problems (see dedup/index.py), and its semantic cells.
INDEX = declare(Table("dedup_index_", lean=True, hashes=True))
CELLS = declare(Table("dedup_cells"))
