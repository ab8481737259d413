"""Turns away queries that are no good to ask a teacher: the filters of DeepDistill (arXiv 2504.17565, section 2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import polars as pl
import pyarrow as pa
from pydantic import Field, field_validator

from tracemill.curate.wellformed import TABLE, URL, incomplete, needs_link, unusual_share
from tracemill.engine.ids import Unit
from tracemill.engine.sieve import Sieve
from tracemill.engine.step import Inputs
from tracemill.text.alternation import uneven
from tracemill.text.language import words

Script = Literal[
    "Han", "Latin", "Greek", "Cyrillic", "Hiragana", "Katakana", "Hangul", "Arabic", "Devanagari", "Hebrew"
]


class Filter(Sieve):
    """The first rule that hits gives the reason; null or false turns a rule off.

    turns       several turns that do not alternate from user to user, so that an answer would not make pairs; system
                turns may stand before a user's
    empty       fewer than `min_words` words (a Han character is a word)
    incomplete  ends in the middle; see wellformed.py
    unicode     more than `unusual` of the visible characters are of no script in `scripts` (score: the share)
    url         asks about what lies behind a link (`needed`), or has any link (`any`, as the paper removes them)
    table       has a table
    """

    kind: Literal["filter"]
    min_words: Annotated[int, Field(ge=0)] = 2
    incomplete: bool = True
    unusual: Annotated[float, Field(ge=0, le=1)] | None = 0.2
    scripts: tuple[Script, ...] = ("Han", "Latin", "Greek")
    url: Literal["needed", "any"] | None = "needed"
    table: bool = True
    turns: bool = True

    version: ClassVar[int] = 2
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "ledger")

    def sift(self, inputs: Inputs, alive: pa.Array) -> Iterator[pa.Table]:
        """All living problems of the shard at once."""
        problems = pl.DataFrame(inputs.table("problems", ["id", "prompt", "messages"]))
        rows = pl.DataFrame({"id": alive}).join(problems, on="id", how="left", maintain_order="left")
        by_share = pl.when(pl.col("reason") == "unicode")
        judged = rows.select("id", unusual_share(pl.col("prompt"), self.scripts).alias("share"), self._reason())
        limit = by_share.then(pl.lit(self.unusual, pl.Float64)).alias("threshold")
        yield judged.select("id", "reason", by_share.then("share").alias("score"), limit).to_arrow()

    def _reason(self) -> pl.Expr:
        prompt = pl.col("prompt")
        off = pl.lit(False)
        unusual = off if self.unusual is None else unusual_share(prompt, self.scripts) > self.unusual
        rules = {
            "turns": uneven(pl.col("messages")) if self.turns else off,
            "empty": words(prompt) < self.min_words,
            "incomplete": incomplete(prompt) if self.incomplete else off,
            "unicode": unusual,
            "url": self._linked(prompt),
            "table": prompt.str.contains(TABLE) if self.table else off,
        }
        reason = pl.coalesce(pl.when(hit.fill_null(False)).then(pl.lit(name)) for name, hit in rules.items())
        return reason.alias("reason")

    def _linked(self, prompt: pl.Expr) -> pl.Expr:
        if self.url is None:
            return pl.lit(False)
        return needs_link(prompt) if self.url == "needed" else prompt.str.contains(URL)

    @field_validator("url", mode="before", json_schema_input_type=Literal["needed", "any"] | bool | None)
    @classmethod
    def _said_yes_or_no(cls, value: object) -> object:
        """Recipes of earlier versions say true or false."""
        return {True: "any", False: None}.get(value, value) if isinstance(value, bool) else value
