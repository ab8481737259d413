"""Tells of each response whether it thinks in another language than its problem was put in."""

from __future__ import annotations

import polars as pl

from tracemill.engine.step import Inputs
from tracemill.text.language import language, words

_LOOKED_AT = 2_000  # characters of a text, which may be a hundred times as long
_LEAST = 8  # words: the language of fewer is a guess, and formulas have none


def astray(inputs: Inputs) -> pl.DataFrame:
    """One row a response: `id`, and `astray`: null where the response or its problem has too few words to tell."""
    problems = pl.DataFrame(inputs.table("problems", ["id", "prompt"]))
    asked = problems.select(pl.col("id").alias("problem_id"), _told(pl.col("prompt")).alias("asked"))
    parts = [pl.DataFrame(schema={"id": pl.String, "problem_id": pl.String, "said": pl.String})]
    thought = pl.col("think_content")
    text = pl.when(thought.str.strip_chars() != "").then(thought).otherwise("answer_content")
    for batch in inputs.batches("generations", ["id", "problem_id", "think_content", "answer_content"]):
        rows = pl.DataFrame(batch)
        parts.append(rows.select("id", "problem_id", _told(text).alias("said").cast(pl.String)))
    both = pl.concat(parts).join(asked, on="problem_id", how="left")
    return both.select("id", (pl.col("said") != pl.col("asked")).alias("astray"))


def _told(text: pl.Expr) -> pl.Expr:
    """The language of the beginning of a text; null where it has too few words."""
    beginning = text.str.slice(0, _LOOKED_AT)
    return pl.when(words(beginning) >= _LEAST).then(language(beginning))
