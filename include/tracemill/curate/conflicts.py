"""Quarantines problems whose reference answer cannot be trusted, and writes down who disputes it.

AM-Thinking-v1 (arXiv 2505.08311) repairs such references with a stronger model; here they are only set aside.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tracemill.curate.references import REFERENCES
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.tables import columns_of
from tracemill.text.extract import final_answer
from tracemill.verify.math.same_answer import same_spelling

TEACHERS = "teachers_against_reference"


class Conflicts(Step):
    """Quarantines problems with `reference_conflict`, or with `teachers_against_reference`: none of a problem's judged
    responses passed, and `teachers` or more reliable teachers gave one and the same other answer.

    A teacher is reliable when at least `pass_rate` of its judged responses in the shard pass.
    """

    kind: Literal["conflicts"]
    teachers: Annotated[int, Field(ge=2)] = 2
    pass_rate: Annotated[float, Field(ge=0, le=1)] = 0.5

    version: ClassVar[int] = 2
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "verdicts", "conflicts", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("conflicts",)

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """Of the gathered conflicts only this shard's: new shards elsewhere do not touch a sealed one."""
        own = hashlib.sha256(repr(_own(inputs)).encode()).hexdigest()
        return [d for d in inputs.digests(self.reads) if d[2] != "conflicts"] + [["", inputs.index, "conflicts", own]]

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """One shard: its part of the gathered conflicts, and what its teachers say."""
        ids = inputs.alive("problem").to_pylist()
        gathered = _own(inputs)
        voted = self._outvoted(inputs)
        ledger = ledger_rows(
            "problem",
            ids,
            ["quarantined" if one in gathered or one in voted else "kept" for one in ids],
            [REFERENCES if one in gathered else TEACHERS if one in voted else None for one in ids],
            detail=[_detail(gathered.get(one) or voted.get(one)) for one in ids],
        )
        rows = [voted[one] for one in ids if one in voted and one not in gathered]
        return Output(ledger, {"conflicts": pa.Table.from_pylist(rows, schema=columns_of("conflicts"))})

    def _outvoted(self, inputs: Inputs) -> dict[str, dict[str, Any]]:
        """Problems where reliable teachers agree against the reference, as rows of `conflicts`."""
        judged = _judged(inputs)
        reliable = judged.group_by("teacher").agg(pl.col("passed").mean()).filter(pl.col("passed") >= self.pass_rate)
        never = judged.filter(~pl.col("passed").any().over("problem_id"))
        votes = _with_answers(inputs, never.join(reliable.select("teacher"), on="teacher", how="semi"))
        agreed = (
            votes.group_by("problem_id", "answer")
            .agg(pl.col("teacher").unique().sort().alias("sources"))
            .filter(pl.col("sources").list.len() >= self.teachers)
            .sort("problem_id", pl.col("sources").list.len(), "answer", descending=[False, True, False])
        )
        best = agreed.group_by("problem_id", maintain_order=True).first()
        references = _references(inputs, best["problem_id"].to_list())
        return {
            row["problem_id"]: {
                "problem_id": row["problem_id"],
                "reason": TEACHERS,
                "answers": [references[row["problem_id"]], row["answer"]],
                "sources": row["sources"],
                "believed": None,
                "why": f"{len(row['sources'])} reliable teachers agree on {row['answer']}, and none gave the reference",
            }
            for row in best.to_dicts()
        }


def _own(inputs: Inputs) -> dict[str, dict[str, Any]]:
    """The gathered conflicts about problems of this shard."""
    found = inputs.table("conflicts")
    mine = inputs.table("problems", ["id"])["id"]
    return {row["problem_id"]: row for row in found.filter(pc.is_in(found["problem_id"], value_set=mine)).to_pylist()}


def _judged(inputs: Inputs) -> pl.DataFrame:
    """Generation, problem, teacher and whether it passed, for every response that math verifiers could judge."""
    verdicts = pl.DataFrame(inputs.table("verdicts", ["generation_id", "problem_id", "verifier", "status"]))
    teachers = pl.DataFrame(inputs.table("generations", ["id", "teacher"])).rename({"id": "generation_id"})
    decided = verdicts.filter(pl.col("verifier").str.starts_with("math") & pl.col("status").is_in(["pass", "fail"]))
    joined = decided.join(teachers, on="generation_id", how="inner", maintain_order="left")
    return joined.select("generation_id", "problem_id", "teacher", (pl.col("status") == "pass").alias("passed"))


def _with_answers(inputs: Inputs, votes: pl.DataFrame) -> pl.DataFrame:
    """The votes with the final answer that each response states; those that state none are left out."""
    wanted = pa.array(votes["generation_id"].to_list(), pa.string())
    table = inputs.table("generations", ["id", "answer_content"])
    texts = table.filter(pc.is_in(table["id"], value_set=wanted))
    answers = {row["id"]: same_spelling(final_answer(row["answer_content"] or "")) for row in texts.to_pylist()}
    said = [answers.get(one) for one in votes["generation_id"].to_list()]
    return votes.with_columns(pl.Series("answer", said, dtype=pl.String)).drop_nulls("answer")


def _references(inputs: Inputs, ids: Iterable[str]) -> Mapping[str, str]:
    table = inputs.table("problems", ["id", "reference_answer"])
    chosen = table.filter(pc.is_in(table["id"], value_set=pa.array(list(ids), pa.string())))
    return {row["id"]: row["reference_answer"] or "" for row in chosen.to_pylist()}


def _detail(row: Mapping[str, Any] | None) -> str | None:
    return (
        None
        if row is None
        else json.dumps(
            {"answers": row["answers"], "from": row["sources"], "believed": row["believed"], "why": row["why"]},
            ensure_ascii=False,
        )
    )
