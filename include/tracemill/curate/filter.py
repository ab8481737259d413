"""Turns away queries that are no good to ask a teacher: the filters of DeepDistill (arXiv 2504.17565, section 2.2)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
import pyarrow as pa
from pydantic import Field, field_validator

from tracemill.curate.wellformed import TABLE, URL, incomplete, needs_link, unusual_share
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step
from tracemill.engine.tables import columns_of
from tracemill.text.language import words

Script = Literal[
    "Han", "Latin", "Greek", "Cyrillic", "Hiragana", "Katakana", "Hangul", "Arabic", "Devanagari", "Hebrew"
]


class Filter(Step):
    """The first rule that hits gives the reason; null or false turns a rule off.

    turns       several turns that do not alternate from user to user, so that an answer would not make pairs; system
                turns may stand before a user's
    empty       fewer than `min_words` words (a Han character is a word)
    incomplete  ends in the middle; see text.wellformed
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
    writes: ClassVar[tuple[str, ...]] = ("ledger",)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """All living problems of the shard at once."""
        alive = pl.DataFrame({"id": inputs.alive("problem")})
        problems = pl.DataFrame(inputs.table("problems", ["id", "prompt", "messages"]))
        rows = alive.join(problems, on="id", how="left", maintain_order="left")
        judged = rows.select("id", unusual_share(pl.col("prompt"), self.scripts).alias("share"), self._reason())
        return Output(_ledger(judged, self.unusual))

    def _reason(self) -> pl.Expr:
        prompt = pl.col("prompt")
        off = pl.lit(False)
        unusual = off if self.unusual is None else unusual_share(prompt, self.scripts) > self.unusual
        rules = {
            "turns": _uneven(pl.col("messages")) if self.turns else off,
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

    @field_validator("url", mode="before")
    @classmethod
    def _said_yes_or_no(cls, value: object) -> object:
        """Recipes of earlier versions say true or false."""
        return {True: "any", False: None}.get(value, value) if isinstance(value, bool) else value


def _uneven(messages: pl.Expr) -> pl.Expr:
    """Whether turns are there and are not user, assistant, user, …, user, each with system turns before it or not."""
    roles = messages.list.eval(pl.element().struct.field("role")).list.join(",")
    return messages.is_not_null() & ~roles.str.contains(
        r"^(?:(?:system|developer),)*user(?:,assistant,(?:(?:system|developer),)*user)*$"
    )


def _ledger(judged: pl.DataFrame, threshold: float | None) -> pa.Table:
    by_share = pl.col("reason") == "unicode"
    table = judged.select(
        "id",
        pl.lit("problem").alias("unit"),
        pl.when(pl.col("reason").is_null()).then(pl.lit("kept")).otherwise(pl.lit("rejected")).alias("bucket"),
        "reason",
        pl.when(by_share).then("share").alias("score"),
        pl.when(by_share).then(pl.lit(threshold, pl.Float64)).alias("threshold"),
        pl.lit(None, pl.String).alias("detail"),
    )
    return table.to_arrow().cast(columns_of("ledger"))
