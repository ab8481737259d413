"""What an export chooses by, of one shard: a row a response to a living problem, with everything but its texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.draws import draws
from tracemill.engine.pool import FIRST, pool
from tracemill.engine.step import Inputs
from tracemill.release.exports.sets import AnySet, Control, Distilled40M, Pairs, Rlvr, Sft

SECOND = 2
UNGRADED = "ungraded"  # as a grading step calls a problem of too few decided samples
RULES = ("math", "code", "instruction")  # rules of grading that verifiers alone decide
_SCORES = ["generation_id", "category", "rule", "raw", "score", "passed"]
_BLANK = r"^\s*$"
_GRADES = ["problem_id", "teacher", "mode", "asked", "decided", "passed", "pass_rate", "low", "high", "grade"]
_PLACE = ("problem_id", "teacher", "mode")


@dataclass(frozen=True)
class Facts:
    """`responses`: generation_id, problem_id, teacher, mode, sample_index, category, rule, raw, score, passed, first
    and second (taken by that stage), lucky, living, pooled (it reached selection), text (a hash of what it says), whole
    (no part of it is blank).
    `grades`: a row a problem, teacher and mode. `verdicts`: generation_id, problem_id, verifier and status.
    """

    responses: pl.DataFrame
    grades: pl.DataFrame
    verdicts: pl.DataFrame


def facts_of(inputs: Inputs, shard: int, revoked: pa.Array) -> Facts:
    """The facts of one shard; problems that a recall revoked are none of it."""
    problems = pc.cast(inputs.alive("problem", shard), pa.string())
    problems = problems.filter(pc.invert(pc.is_in(problems, value_set=revoked)))
    table = inputs.table("generations", ["id", "problem_id", "teacher", "mode", "sample_index"], shard)
    table = table.filter(pc.is_in(table["problem_id"], value_set=problems))
    responses = pl.DataFrame(table.rename_columns(["generation_id", *table.column_names[1:]]))
    scores = pl.DataFrame(inputs.table("scores", _SCORES, shard)).unique("generation_id", keep="last")
    stages = pl.DataFrame(inputs.table("stages", ["generation_id", "stage", "chosen", "lucky"], shard))
    chosen = stages.filter(pl.col("chosen"))
    sets = {
        "living": pl.Series(inputs.alive("generation", shard)),
        "pooled": pl.Series(pool(inputs, shard)),
        "lucky": chosen.filter(pl.col("lucky"))["generation_id"],
        "first": chosen.filter(stage=FIRST)["generation_id"],
        "second": chosen.filter(stage=SECOND)["generation_id"],
    }
    for known in (scores, _texts(inputs, shard)):
        responses = responses.join(known, on="generation_id", how="left", maintain_order="left")
    responses = responses.with_columns(
        pl.col("mode").fill_null(""),
        pl.col("text").is_not_null().alias("whole"),
        *(pl.col("generation_id").is_in(ids.implode()).alias(name) for name, ids in sets.items()),
    )
    grades = pl.DataFrame(inputs.table("grades", _GRADES, shard)).with_columns(pl.col("mode").fill_null(""))
    verdicts = pl.DataFrame(inputs.table("verdicts", ["generation_id", "problem_id", "verifier", "status"], shard))
    return Facts(responses, grades.unique(_PLACE, keep="last", maintain_order=True), verdicts)


def _texts(inputs: Inputs, shard: int) -> pl.DataFrame:
    """generation_id and a hash of the text of the responses with both thinking and answer, read a batch at a time."""
    parts = [pl.DataFrame(schema={"generation_id": pl.String, "text": pl.UInt64})]
    for batch in inputs.batches("generations", ["id", "think_content", "answer_content"], shard):
        texts = pl.DataFrame(pa.Table.from_batches([batch]))
        blank = pl.col("think_content", "answer_content").fill_null("").str.contains(_BLANK)
        told = texts.filter(~pl.any_horizontal(blank))
        said = pl.struct("think_content", "answer_content").hash().alias("text")
        parts.append(told.select(pl.col("id").alias("generation_id"), said))
    return pl.concat(parts).unique("generation_id", keep="first")


def in_several_shards(inputs: Inputs) -> pl.Series:
    """The problems that stand in more than one shard: none where a step removed duplicates. A number a problem."""
    living = (pl.Series("id", inputs.alive("problem", shard), pl.String) for shard in inputs.shards())
    marks = pl.concat([pl.Series("id", dtype=pl.UInt64), *(ids.unique().hash() for ids in living)])
    twice = marks.filter(marks.is_duplicated()).unique()
    if twice.is_empty():
        return pl.Series(dtype=pl.String)
    living = (pl.Series("id", inputs.alive("problem", shard), pl.String) for shard in inputs.shards())
    return pl.concat([ids.filter(ids.hash().is_in(twice.implode())) for ids in living]).unique()


def members(one: AnySet, facts: Facts, verifiers: Mapping[str, str], cutoff: int | None) -> pl.DataFrame:
    """The rows of a set in one shard: problem_id and generation_id; of pairs also rejected_id, of the 40M layout the
    pass, of rlvr no response.

    `verifiers`: the names of those that can be run again. `cutoff`: of a control, the highest draw that is in.
    """
    rows = facts.responses.filter(pl.col("whole"))
    match one:
        case Distilled40M():
            rows = rows.filter(pl.col("pooled"), pl.col("teacher").is_in(list(one.models)))
            return rows.select("problem_id", "generation_id", _pass().alias("pass"))
        case Sft():
            taken = ("first", "living") if one.stage == FIRST else ("second", "pooled")
            rows = rows.filter(*(pl.col(name) for name in taken))
        case Rlvr():
            return _verifiable(one, facts, verifiers)
        case Pairs():
            return _paired(one, rows)
        case Control():
            drawn = candidates(one, facts)
            inside = drawn.filter(pl.col("drawn") <= (cutoff or 0)) if cutoff is not None else drawn.clear()
            rows = _of(one.by, rows).join(inside.select("problem_id"), on="problem_id", how="semi")
            rows = rows.filter(pl.col("passed").is_not_null())
    return rows.select("problem_id", "generation_id")


def _pass() -> pl.Expr:
    """Which pass of its model a response is, from 1; counted in their order where several have one number.

    A file of responses gives each the number 0, and each mode counts anew.
    """
    place = ("problem_id", "teacher")
    number = pl.col("sample_index").fill_null(0)
    counted = pl.int_range(pl.len()).over(place)
    return 1 + pl.when(number.n_unique().over(place) < pl.len().over(place)).then(counted).otherwise(number)


def candidates(one: Control, facts: Facts) -> pl.DataFrame:
    """problem_id and draw of the problems that a control may take: those with a response whose score could be told."""
    told = _of(one.by, facts.responses).filter(pl.col("passed").is_not_null(), pl.col("whole"))
    problems = told.select("problem_id").unique(maintain_order=True)
    return problems.with_columns(draws(problems["problem_id"], one.salt).alias("drawn"))


def _of(teacher: str | None, rows: pl.DataFrame) -> pl.DataFrame:
    return rows if teacher is None else rows.filter(teacher=teacher)


def _verifiable(one: Rlvr, facts: Facts, verifiers: Mapping[str, str]) -> pl.DataFrame:
    """Problems that a verifier decided and whose pass rate lies within, in the order of the responses.

    None where a judge's word let a response pass that the verifiers did not: run again they would not say so.
    """
    rates = _of(one.by, facts.grades).filter(pl.col("pass_rate") > one.above, pl.col("pass_rate") < one.below)
    rates = rates.filter(pl.col("grade").fill_null("") != UNGRADED)
    said = facts.verdicts.filter(pl.col("verifier").is_in(list(verifiers)))
    decided = said.filter(pl.col("status") != "unverifiable")
    all_passed = said.group_by("generation_id").agg((pl.col("status") == "pass").all().alias("shown"))
    passing = facts.responses.filter(pl.col("passed"))
    judged = passing.join(all_passed, on="generation_id", how="left").filter(~pl.col("shown").fill_null(False))
    problems = facts.responses.filter(pl.col("rule").is_in(RULES)).select("problem_id").unique(maintain_order=True)
    for within in (rates, decided):
        problems = problems.join(within, on="problem_id", how="semi", maintain_order="left")
    problems = problems.join(judged, on="problem_id", how="anti", maintain_order="left")
    return problems.with_columns(pl.lit(None, pl.String).alias("generation_id"))


def _paired(one: Pairs, rows: pl.DataFrame) -> pl.DataFrame:
    """Of each problem the pair of the smallest draws within one teacher and mode; a failing one may be rejected.

    Never two equal texts, of which a judge or a budget passed one alone: they would teach nothing.
    """
    rows = _of(one.by, rows)
    rows = rows.with_columns(draws(rows["generation_id"], one.salt).alias("drawn"))
    passing = _drawn_first(rows.filter(pl.col("passed"), pl.col("pooled")))
    failing = _drawn_first(rows.filter(~pl.col("passed")))
    failing = failing.select(*_PLACE, rejected_id="generation_id", rejected_drawn="drawn", rejected_text="text")
    pairs = passing.join(failing, on=_PLACE, how="inner").filter(pl.col("text") != pl.col("rejected_text"))
    pairs = pairs.sort("drawn", "generation_id", "rejected_drawn", "rejected_id")
    pairs = pairs.unique("problem_id", keep="first", maintain_order=True)
    order_of = rows.select("problem_id").unique(maintain_order=True)
    return order_of.join(pairs, on="problem_id", how="inner", maintain_order="left").select(
        "problem_id", "generation_id", "rejected_id"
    )


def _drawn_first(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each problem, teacher and mode the first two different texts: of two on either side one pair differs."""
    rows = rows.sort("drawn", "generation_id").unique([*_PLACE, "text"], keep="first", maintain_order=True)
    return rows.group_by(_PLACE, maintain_order=True).head(2)
