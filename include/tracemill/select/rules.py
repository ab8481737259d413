"""Checks the form of every response: template, both parts there, an end, no loops. All rows of a shard at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from tracemill.engine.ids import Unit
from tracemill.engine.sieve import Sieve
from tracemill.engine.step import Inputs
from tracemill.select.repetition import Repetition, repetition
from tracemill.text.alternation import uneven
from tracemill.text.end_tokens import holds_tokens
from tracemill.text.endings import LEAST_COPIES
from tracemill.text.jit import F32, Flags
from tracemill.text.think import Style

_WHOLE = pa.array(
    ["stop", "end_turn", "stop_sequence", "eos", "eos_token", "repetition"]
)  # that one has a rule of its own
# Controls but tab, line feed, carriage return and next line; U+FFFD and what is no character. A formula that was
# unescaped once too often holds them (`\boxed` becomes a backspace), and so does what a model says that fell apart.
_BROKEN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{84}\x{86}-\x{9f}\x{fdd0}-\x{fdef}\x{fffd}-\x{ffff}]"
SPLIT: tuple[Style, ...] = ("am", "r1", "open_am", "open_r1", "thought", "parts")


class Rules(Sieve):
    """The first rule that a response breaks gives the reason.

    truncated: the model did not stop by itself, or the chain of thought never ended. filtered: a server withheld text.
    no_think: no think tag at all. bad_template: tags in no known order, or a style that `styles` does not list (["am"]
    is the paper's own template). blank_think, blank_answer: nothing but white space in that part. end_token: a model's
    end or role token stands within the text (at its end it was cut off). broken_characters: a control character (NUL,
    backspace, escape, ...), or U+FFFD where half a character was. repetition: a block of words written `copies`
    times in a row over `loop_words` words or more; a loop of words, marks or numbers that reaches the end (`endings`,
    see text/endings.py); or a share of `repeated_share` of the text's `n`-grams written before. The paper (2503.19633)
    names the rule but no numbers; docs/design/rules.md says how far these lie from real traces. With `turns` also
    turns: the conversation that the response ends does not go from user to assistant in pairs (arXiv 2504.17565,
    section 2.5); a `filter` step has turned such problems away before anybody answers them.
    """

    kind: Literal["rules"]
    styles: tuple[Style, ...] = SPLIT
    n: Annotated[int, Field(ge=2, le=100)] = 20
    copies: Annotated[int, Field(ge=2)] = 8
    loop_words: Annotated[int, Field(ge=2)] = 40
    repeated_share: Annotated[float, Field(gt=0, le=1)] = 0.25
    endings: bool = True
    turns: Annotated[bool, Field(exclude_if=lambda asked: not asked)] = False  # an even number, user and assistant
    version: ClassVar[int] = 4
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "ledger")

    def sift(self, inputs: Inputs, alive: pa.Array) -> Iterator[pa.Table]:
        """The first rule that each living response breaks."""
        columns = ["id", "problem_id", "style", "think_content", "answer_content", "finish_reason"]
        unpaired = _unpaired(inputs) if self.turns else pa.array([], pa.string())
        for batch in inputs.batches("generations", columns):
            yield self._judged(batch.filter(pc.is_in(batch["id"], value_set=alive)), unpaired)

    def _judged(self, rows: pa.RecordBatch, unpaired: pa.Array) -> pa.Table:
        think = repetition(rows["think_content"], self.n)
        answer = repetition(rows["answer_content"], self.n)
        last = np.maximum(think.ending, answer.ending)
        ending = last > 0 if self.endings else np.zeros(len(last), np.bool_)
        looped = self._looped(think) | self._looped(answer)
        shared = self._shared(think) | self._shared(answer)
        style = rows["style"]
        finish = rows["finish_reason"]
        unclosed = pc.equal(style, "unclosed")
        rules = {
            "turns": _flags(pc.is_in(rows["problem_id"], value_set=unpaired)),
            "filtered": _flags(pc.equal(finish, "content_filter")),
            "truncated": ~_flags(pc.is_in(pc.fill_null(finish, "stop"), value_set=_WHOLE)) | _flags(unclosed),
            "no_think": _flags(pc.equal(style, "none")),
            "bad_template": ~_flags(pc.is_in(style, value_set=pa.array(self.styles))),
            "blank_think": _blank(rows["think_content"]),
            "blank_answer": _blank(rows["answer_content"]),
            "end_token": holds_tokens(rows["think_content"]) | holds_tokens(rows["answer_content"]),
            "broken_characters": _broken(rows["think_content"]) | _broken(rows["answer_content"]),
            "repetition": looped | shared | ending | _flags(pc.equal(finish, "repetition")),
        }
        broken = np.select(list(rules.values()), np.arange(len(rules)), len(rules))
        repeats = broken == len(rules) - 1
        what = np.select([looped, ending], [0, 1], 2)
        copies = np.maximum(think.copies, answer.copies)
        share = np.maximum(think.share, answer.share)
        bounds = np.choose(what, [self.copies, LEAST_COPIES, round(self.repeated_share, 6)])
        return pa.table(
            {
                "id": rows["id"],
                "reason": pa.array([*rules, None]).take(pa.array(broken)),
                "score": _only(repeats, np.choose(what, [copies, last, share])),
                "threshold": _only(repeats, bounds),
                "detail": pa.array(_DETAILS).take(pa.array(what, mask=~repeats)),
            }
        )

    def _looped(self, found: Repetition) -> Flags:
        return (found.copies >= self.copies) & (found.words >= self.loop_words)

    def _shared(self, found: Repetition) -> Flags:
        return found.share >= np.float32(self.repeated_share)


def _unpaired(inputs: Inputs) -> pa.Array:
    """The ids of the shard's problems whose turns do not alternate."""
    problems = pl.DataFrame(inputs.table("problems", ["id", "messages"]))
    return problems.filter(uneven(pl.col("messages")))["id"].to_arrow().cast(pa.string())


def _flags(values: pa.Array) -> Flags:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), np.bool_)


def _blank(texts: pa.Array) -> Flags:
    return _flags(pc.equal(pc.utf8_trim_whitespace(pc.fill_null(texts, "")), ""))


def _broken(texts: pa.Array) -> Flags:
    return _flags(pc.match_substring_regex(texts, _BROKEN))


def _only(rows: Flags, values: F32 | NDArray[np.float64]) -> pa.Array:
    return pa.array(np.round(values.astype(np.float64), 6), mask=~rows)


_DETAILS = ("copies of one block in a row", "copies of the block that the text ends in", "share of repeated n-grams")
