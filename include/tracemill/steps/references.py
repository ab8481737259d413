"""Finds problems whose source rows disagree about the answer; the step `conflicts` sets them aside.

The rows of one canonical problem are those of one id, and of its near-duplicates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import polars as pl
import pyarrow as pa

from tracemill.records import Unit
from tracemill.resources import Resources
from tracemill.steps.base import Inputs, Output, Step, ledger_rows
from tracemill.tables import columns_of, empty
from tracemill.verifiers.base import Question
from tracemill.verifiers.math import MathVerifier

REFERENCES = "reference_conflict"
MOST = 8  # different answers of one problem that are compared
_COMMAND = re.compile(r"\\[A-Za-z]+")
_WORD = re.compile(r"[^\W\d_]{3,}")


class References(Step):
    """Writes one row of `conflicts` per problem whose source rows have references that math-verify finds different.

    References that it cannot compare (prose) are no conflict: nothing was shown either way.
    """

    kind: Literal["references"]
    verifier: MathVerifier = MathVerifier()

    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "provenance", "duplicates", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("conflicts",)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Compare the references of all shards. The ledger keeps every living problem."""
        groups = _disputed(_stated(inputs), inputs.table("duplicates"))
        differing = self._differing(groups, resources)
        rows = [
            {"problem_id": row["canonical"], "reason": REFERENCES, "answers": row["answers"], "sources": row["sources"]}
            for row in groups
            if row["canonical"] in differing
        ]
        alive = [one for shard in inputs.shards() for one in inputs.alive("problem", shard).to_pylist()]
        return Output(
            ledger=ledger_rows("problem", alive),
            tables={"conflicts": pa.Table.from_pylist(rows, schema=columns_of("conflicts"))},
        )

    def _differing(self, groups: list[dict[str, Any]], resources: Resources) -> set[str]:
        formal = ((row["canonical"], list(filter(is_formal, row["answers"]))[:MOST]) for row in groups)
        questions = [question for problem, answers in formal for question in _pairs(problem, answers)]
        verdicts = self.verifier.judge(filter(self.verifier.applies, questions), resources)
        return {verdict.problem_id for verdict in verdicts if verdict.status == "fail"}


def _stated(inputs: Inputs) -> pl.DataFrame:
    """Problem, source and reference of every source row that has one."""
    columns = ["problem_id", "source", "reference_answer"]
    parts = [inputs.table("provenance", columns, shard) for shard in inputs.shards()]
    whole = pa.concat_tables(parts) if parts else empty("provenance").select(columns)
    return pl.DataFrame(whole).drop_nulls("reference_answer")


def _disputed(stated: pl.DataFrame, duplicates: pa.Table) -> list[dict[str, Any]]:
    """Canonical problems with more than one spelling of the answer; the most frequent spelling first."""
    kept = pl.DataFrame(duplicates.select(["problem_id", "duplicate_of"])).unique("problem_id", keep="first")
    folded = (
        stated.join(kept, on="problem_id", how="left")
        .with_columns(
            pl.coalesce("duplicate_of", "problem_id").alias("canonical"),
            pl.col("reference_answer").str.strip_chars().alias("answer"),
        )
        .group_by("canonical", "answer")
        .agg(pl.len().alias("rows"), pl.col("source").min())
        .sort("canonical", "rows", "answer", descending=[False, True, False])
    )
    groups = folded.group_by("canonical", maintain_order=True).agg(
        pl.col("answer").alias("answers"), pl.col("source").alias("sources")
    )
    return groups.filter(pl.col("answers").list.len() > 1).to_dicts()


def is_formal(answer: str) -> bool:
    """Whether an answer is numbers and formulas alone. Words can mean the same in many ways, so they show nothing."""
    return _WORD.search(_COMMAND.sub(" ", answer)) is None


def _pairs(problem: str, answers: list[str]) -> Iterator[Question]:
    for index, other in enumerate(answers[1:], start=1):
        yield Question(
            generation_id=f"{problem}/{index}",
            problem_id=problem,
            prompt="",
            reference_answer=answers[0],
            test_case=None,
            constraints=None,
            answer=f"$\\boxed{{{other}}}$",
        )
