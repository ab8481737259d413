"""Says which responses of a shard are samples of a model, and which of them count whatever their verdicts say.

A pass rate is about a model, so responses that a verifier rejected count like any other. What no model had its say in
does not: a sample that was cancelled or broke off with the server is none, and one that another step than a judging
one turned away (its form, its perplexity) shows nothing of whether it is right, unless a setting says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.responses import told_once
from tracemill.engine.step import Inputs
from tracemill.engine.store import Manifest
from tracemill.models.finish import ending, is_known

CUT = "cut"
FILTERED = "filtered"
_NO_SAMPLE = "no sample"
# Steps whose rejections are about what a response is worth, which its score says, or (select) about nothing but rank.
_JUDGING = frozenset({"verify", "judge", "reward", "score", "select"})
_COLUMNS = ["id", "problem_id", "teacher", "mode", "sample_index", "style", "finish_reason", *("completion_tokens",)]


def samples(inputs: Inputs, turned_away: Literal["undecided", "judged", "fail"]) -> pl.DataFrame:
    """The responses to living problems, in stored order: `_COLUMNS`, seconds, `ended` and `away`.

    `ended`: "cut", "filtered" (a server withheld text), "no sample" (cancelled, or the server failed) or null. `away`:
    the reason with which a step that does not judge turned it away, null for none or where `turned_away` is "judged".
    One of which a phrase was cut out is none beside what is left of it.
    """
    rows = told_once(inputs, inputs.table("generations", [*_COLUMNS, "seconds"]))
    rows = rows.filter(pc.is_in(rows["problem_id"], value_set=inputs.alive("problem")))
    frame = pl.DataFrame(rows)
    found = {reason: _ended(reason) for reason in frame["finish_reason"].unique().drop_nulls()}
    ended = pl.col("finish_reason").replace_strict(found, default=None, return_dtype=pl.String)
    unclosed = pl.when(pl.col("style") == "unclosed").then(pl.lit(CUT))
    away = _turned_away(inputs) if turned_away != "judged" else _nobody()
    return frame.with_columns(ended=pl.coalesce(ended, unclosed)).join(away, on="id", how="left", maintain_order="left")


def is_sample() -> pl.Expr:
    """Whether a row of `samples` is a sample of its model at all."""
    return pl.col("ended").is_null() | (pl.col("ended") != _NO_SAMPLE)


def _ended(reason: str) -> str | None:
    if ending(reason) == "fault":
        return _NO_SAMPLE
    if reason == "content_filter":
        return FILTERED
    return CUT if ending(reason) == "cut" and is_known(reason) else None


def _turned_away(inputs: Inputs) -> pl.DataFrame:
    """Of responses that a step which does not judge turned away: `id`, and `away`, the first reason."""
    parts = [
        inputs.store.get_table(manifest.tables["ledger"], ["id", "unit", "bucket", "reason"])
        for manifest in inputs.sealed.get(inputs.index, ())
        if "ledger" in manifest.tables and not _judges(manifest)
    ]
    if not parts:
        return _nobody()
    rows = pl.DataFrame(pa.concat_tables(parts)).filter(pl.col("unit") == "generation", pl.col("bucket") != "kept")
    reason = pl.col("reason").fill_null("turned_away")
    return rows.select("id", reason.alias("away")).unique("id", keep="first", maintain_order=True)


def _judges(manifest: Manifest) -> bool:
    settings: Mapping[str, Any] = manifest.settings
    kind = settings.get("kind")
    return kind in _JUDGING or (kind == "gate" and settings.get("metric") not in ("perplexity", "rsr"))


def _nobody() -> pl.DataFrame:
    return pl.DataFrame(schema={"id": pl.String, "away": pl.String})
