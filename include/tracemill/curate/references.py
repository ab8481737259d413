"""Finds problems whose source rows disagree about the answer; the step `conflicts` sets them aside.

The rows of one canonical problem are those of one id, of its near-duplicates, and of every other id whose text is the
same in another print (dedup keeps one problem for each answer of a text). Answers are compared as the verifier compares
them (`verify.math.same_answer`), so that two spellings of one answer are no conflict; a choice's letter stands for the
choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.tables import columns_of, empty
from tracemill.text.choices import parted
from tracemill.text.problem_text import normalised_problem
from tracemill.text.wording import prints
from tracemill.text.wording.evidence import said
from tracemill.verify.math.same_answer import Sameness, same_answers
from tracemill.verify.math.verifier import MathVerifier

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

    version: ClassVar[int] = 3
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "provenance", "signatures", "duplicates", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("conflicts",)

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """The comparison's version too: it decides what is a conflict."""
        return {"kind": self.kind, "verifier": {**self.verifier.settings(), "version": self.verifier.version}}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Compare the references of all shards. The ledger keeps every living problem."""
        groups = list(_printed_alike(_disputed(_stated(inputs), inputs), inputs))
        rows = list(_conflicts(groups, resources.workers))
        alive = [one for shard in inputs.shards() for one in inputs.alive("problem", shard).to_pylist()]
        return Output(
            ledger=ledger_rows("problem", alive),
            tables={"conflicts": pa.Table.from_pylist(rows, schema=columns_of("conflicts"))},
        )


def _conflicts(groups: list[Group], workers: int) -> Iterator[dict[str, Any]]:
    """A row for each problem (of a text with several, for each of them) some of whose answers are different."""
    pairs = list(dict.fromkeys(pair for group in groups for pair in _pairs(_said(group))))
    found = dict(zip(pairs, same_answers(pairs, workers), strict=True))
    for group in groups:
        if "different" in {found[pair] for pair in _pairs(_said(group))}:
            believed, why = _believed(group, found)
            for problem in group["problems"]:
                yield {
                    "problem_id": problem,
                    "reason": REFERENCES,
                    "answers": group["answers"],
                    "sources": group["sources"],
                    "believed": believed,
                    "why": why,
                }


def _said(group: Group) -> list[str]:
    """The answers, a choice's letter as what the choice says."""
    return [said(answer, group["choices"]) for answer in group["answers"]]


def _pairs(answers: list[str]) -> Iterator[tuple[str, str]]:
    """Each of the first answers with each that follows it."""
    first = answers[:MOST]
    for place, one in enumerate(first):
        yield from ((one, other) for other in first[place + 1 :])


def _believed(group: Group, found: dict[tuple[str, str], Sameness]) -> tuple[str | None, str]:
    """The answer of the most sources, spellings of one answer counted together, and how many say so."""
    answers: list[str] = group["answers"][:MOST]
    voices = dict(zip(group["answers"], group["voices"], strict=True))
    given: dict[str, set[str]] = {}
    meant = dict(zip(group["answers"], _said(group), strict=True))
    for answer in answers:
        same = next((one for one in given if _equal(meant[one], meant[answer], found)), answer)
        given.setdefault(same, set()).update(voices[answer])
    ranked = sorted(given.items(), key=lambda item: -len(item[1]))
    total = len(set().union(*given.values()))
    if len(ranked) > 1 and len(ranked[0][1]) > len(ranked[1][1]):
        return ranked[0][0], f"{len(ranked[0][1])} of {total} sources give this answer"
    return None, f"no answer has more sources than every other ({total} sources)"


def _equal(one: str, other: str, found: dict[tuple[str, str], Sameness]) -> bool:
    return one == other or found.get((one, other)) == "equal"


def _stated(inputs: Inputs) -> pl.DataFrame:
    """Problem, source and reference of every source row that has one."""
    columns = ["problem_id", "source", "reference_answer"]
    parts = [inputs.table("provenance", columns, shard) for shard in inputs.shards()]
    whole = pa.concat_tables(parts) if parts else empty("provenance").select(columns)
    return pl.DataFrame(whole).drop_nulls("reference_answer")


def _disputed(stated: pl.DataFrame, inputs: Inputs) -> pl.DataFrame:
    """Canonical problem, answer, and who gives it, of every text with more than one spelling of the answer."""
    kept = pl.DataFrame(inputs.table("duplicates", ["problem_id", "duplicate_of"])).unique("problem_id", keep="first")
    folded = (
        stated.join(kept, on="problem_id", how="left")
        .with_columns(
            pl.coalesce("duplicate_of", "problem_id").alias("canonical"),
            pl.col("reference_answer").str.strip_chars().alias("answer"),
        )
        .group_by("canonical", "answer")
        .agg(pl.len().alias("rows"), pl.col("source").unique().sort().alias("voices"))
        .join(_texts(inputs), on="canonical", how="left")
        .with_columns(pl.coalesce("text", "canonical").alias("text"))
    )
    return folded.filter(pl.col("answer").n_unique().over("text") > 1)


def _texts(inputs: Inputs) -> pl.DataFrame:
    """The key of each problem's text, where a step has signed it."""
    columns = ["problem_id", "exact_key"]
    parts = [inputs.table("signatures", columns, shard) for shard in inputs.shards()]
    signed = pl.DataFrame(pa.concat_tables(parts) if parts else empty("signatures").select(columns))
    return signed.rename({"problem_id": "canonical", "exact_key": "text"}).unique("canonical", keep="first")


def _printed_alike(disputed: pl.DataFrame, inputs: Inputs) -> Iterator[Group]:
    """The problems of each text, parted where their prints may be two problems; only with several answers."""
    prompts = _prompts(inputs, disputed["canonical"].unique())
    for part in disputed.sort("text", "canonical").partition_by("text", maintain_order=True):
        ids = part["canonical"].unique(maintain_order=True).to_list()
        texts = [prompts.get(one, "") for one in ids]
        heads = pl.DataFrame({"canonical": ids, "head": prints.groups(texts)})
        for alike in part.join(heads, on="canonical").partition_by("head", maintain_order=True):
            if alike["answer"].n_unique() > 1:
                yield _group(alike, texts[alike["head"][0]])


def _group(rows: pl.DataFrame, text: str) -> Group:
    """The answers of one text, the most frequent first."""
    answers = (
        rows.group_by("answer")
        .agg(pl.col("rows").sum(), pl.col("voices").explode().unique().sort())
        .sort("rows", "answer", descending=[True, False])
    )
    return {
        "problems": rows["canonical"].unique(maintain_order=True).to_list(),
        "answers": answers["answer"].to_list(),
        "voices": answers["voices"].to_list(),
        "sources": [voices[0] for voices in answers["voices"].to_list()],
        "choices": parted(text)[1],
    }


def _prompts(inputs: Inputs, wanted: pl.Series) -> dict[str, str]:
    """The texts of those problems, in their one spelling; of the shards only the rows that are wanted are read."""
    value_set = pa.array(wanted.to_list(), pa.string())
    found = dict[str, str]()
    for shard in inputs.shards() if len(wanted) else ():
        ids = inputs.table("problems", ["id"], shard)["id"]
        places = np.flatnonzero(pc.is_in(ids, value_set=value_set).to_numpy())
        for row in inputs.rows("problems", ["id", "prompt"], places, shard).to_pylist() if len(places) else ():
            found[row["id"]] = normalised_problem(row["prompt"])
    return found
