"""Checks the form of every response: template, both parts there, an end, no loops. All rows of a shard at once."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from tracemill.records import Unit
from tracemill.resources import Resources
from tracemill.steps.base import Inputs, Output, Step, ledger_rows
from tracemill.text.kernels import F32, Flags
from tracemill.text.repetition import Repetition, repetition
from tracemill.text.think import Style

SPLIT: tuple[Style, ...] = ("am", "r1", "open_am", "open_r1", "thought", "parts")


class Rules(Step):
    """The first rule that a response breaks gives the reason.

    truncated: the model stopped for length, or the chain of thought never ended. no_think: no think tag at all.
    bad_template: tags in no known order, or a style that `styles` does not list (["am"] is the paper's own template).
    blank_think, blank_answer: nothing but white space in that part. repetition: a block of words written `copies` times
    in a row over `loop_words` words or more, or a share of `repeated_share` of the text's `n`-grams written before. The
    paper (2503.19633) names the rule but no numbers; docs/design/rules.md says how far these lie from real traces.
    """

    kind: Literal["rules"]
    styles: tuple[Style, ...] = SPLIT
    n: Annotated[int, Field(ge=2, le=100)] = 20
    copies: Annotated[int, Field(ge=2)] = 8
    loop_words: Annotated[int, Field(ge=2)] = 40
    repeated_share: Annotated[float, Field(gt=0, le=1)] = 0.25
    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("ledger",)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Every living response: kept, or rejected with the first rule it breaks."""
        alive = inputs.alive("generation")
        columns = ["id", "style", "think_content", "answer_content", "finish_reason"]
        parts = [self._judged(batch, alive) for batch in inputs.batches("generations", columns)]
        return Output(pa.concat_tables([ledger_rows("generation", []), *parts]))

    def _judged(self, batch: pa.RecordBatch, alive: pa.Array) -> pa.Table:
        rows = batch.filter(pc.is_in(batch["id"], value_set=alive))
        think = repetition(rows["think_content"], self.n)
        answer = repetition(rows["answer_content"], self.n)
        looped, shared = self._looped(think) | self._looped(answer), self._shared(think) | self._shared(answer)
        style = rows["style"]
        rules = {
            "truncated": _flags(pc.or_kleene(pc.equal(rows["finish_reason"], "length"), pc.equal(style, "unclosed"))),
            "no_think": _flags(pc.equal(style, "none")),
            "bad_template": ~_flags(pc.is_in(style, value_set=pa.array(self.styles))),
            "blank_think": _blank(rows["think_content"]),
            "blank_answer": _blank(rows["answer_content"]),
            "repetition": looped | shared,
        }
        broken = np.select(list(rules.values()), np.arange(len(rules)), len(rules))
        reasons = pa.array([*rules, None]).take(pa.array(broken))
        copies, share = np.maximum(think.copies, answer.copies), np.maximum(think.share, answer.share)
        return ledger_rows(
            "generation",
            rows["id"].to_pylist(),
            np.where(broken < len(rules), "rejected", "kept").tolist(),
            reasons.to_pylist(),
            _only(broken == len(rules) - 1, np.where(looped, copies, share)),
            _only(broken == len(rules) - 1, np.where(looped, self.copies, self.repeated_share)),
            _details(broken == len(rules) - 1, looped),
        )

    def _looped(self, found: Repetition) -> Flags:
        return (found.copies >= self.copies) & (found.words >= self.loop_words)

    def _shared(self, found: Repetition) -> Flags:
        return found.share >= np.float32(self.repeated_share)


def _flags(values: pa.Array) -> Flags:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), np.bool_)


def _blank(texts: pa.Array) -> Flags:
    return _flags(pc.equal(pc.utf8_trim_whitespace(pc.fill_null(texts, "")), ""))


def _only(rows: Flags, values: F32 | NDArray[np.float64]) -> list[float | None]:
    return [round(float(value), 6) if row else None for row, value in zip(rows.tolist(), values.tolist(), strict=True)]


def _details(rows: Flags, looped: Flags) -> list[str | None]:
    text = np.where(looped, "copies of one block in a row", "share of repeated n-grams")
    return [str(what) if row else None for row, what in zip(rows.tolist(), text.tolist(), strict=True)]
