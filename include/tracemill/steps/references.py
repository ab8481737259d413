"""Finds problems whose source rows disagree about the answer; the step `conflicts` sets them aside.

The rows of one canonical problem are those of one id, and of its near-duplicates. Answers are compared as the verifier
compares them (`verifiers.same_answer`), so that two spellings of one answer are no conflict.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import polars as pl
import pyarrow as pa

from tracemill.records import Unit
from tracemill.resources import Resources
from tracemill.steps.base import Inputs, Output, Step, ledger_rows
from tracemill.tables import columns_of, empty
from tracemill.verifiers.math import MathVerifier
from tracemill.verifiers.same_answer import Sameness, same_answers

REFERENCES = "reference_conflict"
MOST = 8  # different answers of one problem that are compared
Group = dict[str, Any]


class References(Step):
    """Writes one row of `conflicts` per problem whose source rows have references that are different answers.

    References that cannot be compared (prose) are no conflict: nothing was shown either way. `believed` is the answer
    that more sources give than any other, null where no answer has such a majority; `why` counts them.
    """

    kind: Literal["references"]
    verifier: MathVerifier = MathVerifier()

    version: ClassVar[int] = 2
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "provenance", "duplicates", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("conflicts",)

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """The comparison's version too: it decides what is a conflict."""
        return {"kind": self.kind, "verifier": {**self.verifier.settings(), "version": self.verifier.version}}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Compare the references of all shards. The ledger keeps every living problem."""
        rows = list(_conflicts(_disputed(_stated(inputs), inputs.table("duplicates")), resources.workers))
        alive = [one for shard in inputs.shards() for one in inputs.alive("problem", shard).to_pylist()]
        return Output(
            ledger=ledger_rows("problem", alive),
            tables={"conflicts": pa.Table.from_pylist(rows, schema=columns_of("conflicts"))},
        )


def _conflicts(groups: list[Group], workers: int) -> Iterator[dict[str, Any]]:
    """A row for each problem some of whose answers are different."""
    pairs = list(dict.fromkeys(pair for group in groups for pair in _pairs(group["answers"])))
    found = dict(zip(pairs, same_answers(pairs, workers), strict=True))
    for group in groups:
        if "different" in {found[pair] for pair in _pairs(group["answers"])}:
            believed, why = _believed(group, found)
            yield {
                "problem_id": group["canonical"],
                "reason": REFERENCES,
                "answers": group["answers"],
                "sources": group["sources"],
                "believed": believed,
                "why": why,
            }


def _pairs(answers: list[str]) -> Iterator[tuple[str, str]]:
    """Each of the first answers with each that follows it."""
    first = answers[:MOST]
    for place, one in enumerate(first):
        yield from ((one, other) for other in first[place + 1 :])


def _believed(group: Group, found: dict[tuple[str, str], Sameness]) -> tuple[str | None, str]:
    """The answer of the most sources, spellings of one answer counted together, and how many say so."""
    answers: list[str] = group["answers"][:MOST]
    voices = dict(zip(group["answers"], group["voices"], strict=True))
    said: dict[str, set[str]] = {}
    for answer in answers:
        same = next((one for one in said if found.get((one, answer)) == "equal"), answer)
        said.setdefault(same, set()).update(voices[answer])
    ranked = sorted(said.items(), key=lambda item: -len(item[1]))
    total = len(set().union(*said.values()))
    if len(ranked) > 1 and len(ranked[0][1]) > len(ranked[1][1]):
        return ranked[0][0], f"{len(ranked[0][1])} of {total} sources give this answer"
    return None, f"no answer has more sources than every other ({total} sources)"


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
        .agg(pl.len().alias("rows"), pl.col("source").unique().sort().alias("voices"))
        .with_columns(pl.col("voices").list.first().alias("source"))
        .sort("canonical", "rows", "answer", descending=[False, True, False])
    )
    groups = folded.group_by("canonical", maintain_order=True).agg(
        pl.col("answer").alias("answers"), pl.col("source").alias("sources"), pl.col("voices")
    )
    return groups.filter(pl.col("answers").list.len() > 1).to_dicts()
