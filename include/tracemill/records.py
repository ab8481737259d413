"""The tables that steps exchange: Arrow schemas, ids and reasons. One place, so that all see the same columns.

Judgements (labels, verdicts, rewards, ...) are small tables keyed by id; the long texts of a trace are written once,
in `generations`, and never rewritten.
"""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

import pyarrow as pa

Unit = Literal["row", "problem", "generation"]
Bucket = Literal["kept", "rejected", "quarantined"]
VerdictStatus = Literal["pass", "fail", "unverifiable"]
Difficulty = Literal["very easy", "easy", "medium", "hard", "very hard"]  # table 3 of the 1.4M paper (2503.19633)
DIFFICULTIES: tuple[str, ...] = get_args(Difficulty)

MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])

SCHEMAS: dict[str, pa.Schema] = {
    # One row per shard: rows `start` to `stop` (exclusive) of a source's file; see sources.base.Slice.
    "plan": pa.schema(
        [
            ("index", pa.int32()),
            ("source", pa.string()),
            ("file", pa.string()),
            ("start", pa.int64()),
            ("stop", pa.int64()),
            ("offset", pa.int64()),
            ("length", pa.int64()),
            ("sha256", pa.string()),
            ("revision", pa.string()),
        ]
    ),
    # One row per distinct problem of a shard. `id` is problem_id() of the text: the same problem from two sources has
    # one id. `prompt` is the text a model is asked (for several turns: the human turns joined by a blank line, used
    # for dedup and decontamination) and `messages` the turns themselves, null when there is one only.
    # `test_case` is JSON (see sandbox.suite_from), `constraints` JSON (instruction-following).
    "problems": pa.schema(
        [
            ("id", pa.string()),
            ("source", pa.string()),
            ("native_id", pa.string()),
            ("category", pa.string()),
            ("prompt", pa.large_string()),
            ("messages", pa.list_(MESSAGE)),
            ("reference_answer", pa.large_string()),
            ("test_case", pa.large_string()),
            ("constraints", pa.large_string()),
            ("difficulty", pa.string()),
            ("license", pa.string()),
            ("source_rank", pa.int32()),
        ]
    ),
    # One row per response. `raw` is the response as it came and is null once it was split without loss: then
    # raw == text.think.rebuilt(style, think_content, answer_content); the styles are listed there.
    # `source_verdict` is a verdict that the source itself published for this response, null when it did not.
    "generations": pa.schema(
        [
            ("id", pa.string()),
            ("problem_id", pa.string()),
            ("source", pa.string()),
            ("teacher", pa.string()),
            ("sample_index", pa.int32()),
            ("style", pa.string()),
            ("raw", pa.large_string()),
            ("think_content", pa.large_string()),
            ("answer_content", pa.large_string()),
            ("finish_reason", pa.string()),
            ("prompt_tokens", pa.int32()),
            ("completion_tokens", pa.int32()),
            ("seconds", pa.float64()),
            ("source_verdict", pa.bool_()),
        ]
    ),
    # Where a problem came from: one row per source row that was read, so nothing is lost when two rows are one problem;
    # `reference_answer` is that row's own (two rows may disagree).
    "provenance": pa.schema(
        [
            ("origin", pa.string()),
            ("problem_id", pa.string()),
            ("source", pa.string()),
            ("native_id", pa.string()),
            ("file", pa.string()),
            ("row", pa.int64()),
            ("license", pa.string()),
            ("revision", pa.string()),
            ("reference_answer", pa.large_string()),
        ]
    ),
    # Rows that could not be read as the source documents them: the text (cut to 64 KiB) and why.
    "quarantine": pa.schema(
        [
            ("origin", pa.string()),
            ("file", pa.string()),
            ("row", pa.int64()),
            ("reason", pa.string()),
            ("detail", pa.string()),
            ("text", pa.large_string()),
        ]
    ),
    "labels": pa.schema(
        [
            ("problem_id", pa.string()),
            ("language", pa.string()),
            ("words", pa.int32()),
            ("tokens", pa.int32()),
            ("category", pa.string()),
            ("difficulty", pa.string()),
        ]
    ),
    # What dedup compares instead of the text (see docs/design/dedup.md): `exact_key` hashes the text as tokenised,
    # numbers kept; near-duplicates must share `guard`; `bands` are the marks of the MinHash bands (uint32s, see
    # minhash.band_marks); `embedding` is a unit vector (half floats) of the space that `embedder` names. Both packed.
    "signatures": pa.schema(
        [
            ("problem_id", pa.string()),
            ("exact_key", pa.string()),
            ("guard", pa.uint64()),
            ("bands", pa.binary()),
            ("embedding", pa.binary()),
            ("embedder", pa.string()),
        ]
    ),
    # Rows that are not representatives: `shard` is the shard of the dropped row, `duplicate_of` the kept problem's id;
    # `method` is exact, fuzzy (Jaccard of word n-grams) or semantic (cosine), `similarity` reached `threshold` in it.
    "duplicates": pa.schema(
        [
            ("problem_id", pa.string()),
            ("shard", pa.int32()),
            ("duplicate_of", pa.string()),
            ("duplicate_shard", pa.int32()),
            ("method", pa.string()),
            ("similarity", pa.float32()),
            ("threshold", pa.float32()),
        ]
    ),
    # Problems with a disputed reference: `answers` that exclude each other, and who says so (`sources`: sources
    # of the references, or the teachers that agree on the last answer against the first, the reference).
    "conflicts": pa.schema(
        [
            ("problem_id", pa.string()),
            ("reason", pa.string()),
            ("answers", pa.list_(pa.large_string())),
            ("sources", pa.list_(pa.string())),
        ]
    ),
    # Which shards dedup has decided, and on what; their rows are not decided again (see docs/design/dedup.md).
    "settled": pa.schema([("shard", pa.int32()), ("digest", pa.string())]),
    # Where the order of arrival decided: a new row that would have been kept, had the row it duplicates not been there.
    "held_back": pa.schema(
        [
            ("problem_id", pa.string()),
            ("shard", pa.int32()),
            ("kept_instead", pa.string()),
            ("kept_shard", pa.int32()),
        ]
    ),
    # The evidence against a contaminated problem (strongest per benchmark and rule), also when below the threshold.
    "contamination": pa.schema(
        [
            ("problem_id", pa.string()),
            ("benchmark", pa.string()),
            ("item", pa.string()),
            ("rule", pa.string()),
            ("score", pa.float32()),
            ("threshold", pa.float32()),
            ("contaminated", pa.bool_()),
        ]
    ),
    # What a benchmark that became known later takes out of a release: one row per released response, or one with a null
    # `generation_id` for a problem that is alive without one.
    "revocations": pa.schema(
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
    "verdicts": pa.schema(
        [
            ("generation_id", pa.string()),
            ("problem_id", pa.string()),
            ("verifier", pa.string()),
            ("status", pa.string()),
            ("score", pa.float64()),
            ("reason", pa.string()),
            ("detail", pa.large_string()),
        ]
    ),
    "rewards": pa.schema(
        [
            ("generation_id", pa.string()),
            ("reward_model", pa.string()),
            ("helpfulness", pa.float32()),
            ("correctness", pa.float32()),
            ("coherence", pa.float32()),
            ("complexity", pa.float32()),
            ("verbosity", pa.float32()),
            ("score", pa.float32()),
        ]
    ),
    "selected": pa.schema([("generation_id", pa.string()), ("problem_id", pa.string()), ("verifier", pa.string())]),
    # Traces that were cut and continued: the text goes on after `seam` characters, where `tokens` had been generated of
    # the first budget; `limit` is the whole budget.
    "continuations": pa.schema(
        [
            ("generation_id", pa.string()),
            ("problem_id", pa.string()),
            ("seam", pa.int64()),
            ("tokens", pa.int32()),
            ("limit", pa.int32()),
        ]
    ),
    # What models say about problems. `status` is "labelled" or "unverifiable" (no answer could be read, `attempts` were
    # made). `difficulty` is one of five words, `category` a tag of the prompt, `topic` its name in figure 5.
    "annotations": pa.schema(
        [
            ("problem_id", pa.string()),
            ("annotator", pa.string()),
            ("difficulty", pa.string()),
            ("category", pa.string()),
            ("topic", pa.string()),
            ("other_tags", pa.list_(pa.string())),
            ("status", pa.string()),
            ("attempts", pa.int32()),
        ]
    ),
    # One number about a response by one measurer: `metric` names it ("score", "perplexity").
    "measurements": pa.schema(
        [
            ("generation_id", pa.string()),
            ("problem_id", pa.string()),
            ("metric", pa.string()),
            ("measurer", pa.string()),
            ("value", pa.float64()),
            ("tokens", pa.int32()),
        ]
    ),
    # How a metric is distributed over all shards and where it is cut: `quantile` is null for an absolute cut; `edges`
    # and `counts` are a histogram (counts has one fewer).
    "cuts": pa.schema(
        [
            ("metric", pa.string()),
            ("measurer", pa.string()),
            ("group", pa.string()),
            ("rows", pa.int64()),
            ("quantile", pa.float64()),
            ("threshold", pa.float64()),
            ("minimum", pa.float64()),
            ("median", pa.float64()),
            ("maximum", pa.float64()),
            ("edges", pa.list_(pa.float64())),
            ("counts", pa.list_(pa.int64())),
        ]
    ),
    # Every row that entered a step, in exactly one bucket. `score` and `threshold` are what decided, if a number did.
    "ledger": pa.schema(
        [
            ("id", pa.string()),
            ("unit", pa.string()),
            ("bucket", pa.string()),
            ("reason", pa.string()),
            ("score", pa.float64()),
            ("threshold", pa.float64()),
            ("detail", pa.large_string()),
        ]
    ),
}


def normalised(text: str) -> str:
    """Fold what two copies of one text may differ in: letter case and white space. Numbers and symbols stay."""
    return " ".join(text.split()).lower()


def problem_id(prompt: str) -> str:
    """Identify a problem by its normalised text: 'p' and 24 hex digits of SHA-256; equal on every machine."""
    return "p" + hashlib.sha256(normalised(prompt).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def generation_id(problem: str, teacher: str, sample_index: int, text: str) -> str:
    """Identify a response by its problem, teacher, sample number and exact text: 'g' and 24 hex digits of SHA-256."""
    digest = hashlib.sha256()
    for part in (problem, teacher, str(sample_index), text):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return "g" + digest.hexdigest()[:24]


def empty(table: str) -> pa.Table:
    """A table of that name without rows."""
    return SCHEMAS[table].empty_table()
