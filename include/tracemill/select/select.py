"""Decides which of a problem's responses are released: the best few of those that may be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, TypeVar

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from tracemill.engine.identities import former_ids, migration
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.sieve import sifted_ledger
from tracemill.engine.standing import COLUMNS, standing
from tracemill.engine.step import Inputs, Output, Step
from tracemill.engine.tables import columns_of
from tracemill.errors import RecipeError
from tracemill.judge.perplexity import Perplexity

By = Literal["reward", "rsr", "perplexity", "shortest"]
_MEASURED = ("rsr", "perplexity")
Measuring = TypeVar("Measuring", bound=Step)


class Select(Step):
    """Rank each problem's responses and keep the first `responses_per_problem`, of each teacher with `each: teacher`.

    See docs/design/release.md.

    A response is *verified* when its verdicts together are a pass (`engine/standing.py`): no verifier that applies
    says fail, or could not tell, unless the recipe lets a judge overrule it. The rank: verified first, then what `by`
    says, then the shorter thinking, then the smaller id. `by` is the higher reward (mean over reward models), the lower
    `rsr` (how well it fits a student: arXiv 2601.14249) or `perplexity` under `measurer`, or `shortest`: nothing before
    the thinking's length. A response without the number comes last.
    The last two make the choice unique; they never depend on the order of rows. In a store that was migrated the older
    id decides, as it did before. Rejected, in this order:
    `unformatted` (thinking or answer is blank, so the released layout cannot hold it), `failed` (a verifier said fail
    and was not overruled), `unverified` (nothing was shown either way; only with `unverified: drop`), `surplus`.
    """

    kind: Literal["select"]
    responses_per_problem: Annotated[int, Field(ge=1)] = 1
    unverified: Literal["keep", "drop"] = "drop"
    by: Annotated[By, Field(exclude_if=lambda by: by == "reward")] = "reward"
    measurer: Annotated[str | None, Field(exclude_if=lambda name: name is None)] = None  # the model that measured `by`
    each: Annotated[Literal["teacher"] | None, Field(exclude_if=lambda each: each is None)] = (
        None  # so many of each teacher; null: of all together
    )

    @model_validator(mode="after")
    def _names_a_measurer_of_something(self) -> Self:
        if self.measurer and self.by not in _MEASURED:
            raise ValueError(f"measurer names who measured {' or '.join(_MEASURED)}; `by` is {self.by}")
        return self

    version: ClassVar[int] = 2
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("generations", "verdicts", "rewards", "measurements", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("selected",)

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The migration that the store went through, if any: it knows older ids."""
        made = migration(inputs.store)
        return {} if made is None else {"migration": made.fingerprint}

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """Of what the rank depends on: not on numbers that it is not by."""
        used = "measurements" if self.by in _MEASURED else "rewards" if self.by == "reward" else None
        return inputs.digests([n for n in self.reads if n == used or n not in ("rewards", "measurements")])

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Rank one shard; the ledger gives a surplus row's rank as `score` against `responses_per_problem`.

        Raises RecipeError when several models measured what it is by and `measurer` names none.
        """
        candidates = _candidates(inputs, self._merits(inputs))
        tie = former_ids(inputs.store, candidates["id"]).alias("tie")
        judged = self._decided(candidates.with_columns(tie))
        ledger = judged.select(
            "id",
            "reason",
            pl.when(pl.col("ranked")).then(pl.col("rank")).cast(pl.Float64).alias("score"),
            pl.when(pl.col("ranked")).then(pl.lit(float(self.responses_per_problem))).alias("threshold"),
        )
        selected = judged.filter(pl.col("reason").is_null()).select(
            pl.col("id").alias("generation_id"), "problem_id", "verifier"
        )
        return Output(
            ledger=sifted_ledger("generation", ledger.to_arrow()),
            tables={"selected": selected.to_arrow().cast(columns_of("selected"))},
        )

    def _decided(self, candidates: pl.DataFrame) -> pl.DataFrame:
        """The candidates in their given order, with `reason` (null for the selected), `ranked` and `rank` (from 1)."""
        verified = pl.col("verifier").is_not_null()
        unfit = (
            pl.when(pl.col("blank"))
            .then(pl.lit("unformatted"))
            .when(~verified & pl.col("failed"))
            .then(pl.lit("failed"))
            .when(~verified & pl.lit(self.unverified == "drop"))
            .then(pl.lit("unverified"))
        )
        group = ["problem_id", *([self.each] if self.each else [])]
        order = ["ranked", verified, "merit", "length", "tie"]
        ranked = (
            candidates.with_row_index("place")
            .with_columns(unfit.alias("unfit"))
            .with_columns(pl.col("unfit").is_null().alias("ranked"))
            .sort(order, descending=[True, True, True, False, False], nulls_last=True)
            .with_columns(pl.int_range(1, pl.len() + 1).over(group).alias("rank"))
            .sort("place")
        )
        surplus = pl.when(pl.col("rank") > self.responses_per_problem).then(pl.lit("surplus"))
        return ranked.with_columns(pl.coalesce(pl.col("unfit"), surplus).alias("reason"))

    def _merits(self, inputs: Inputs) -> pl.DataFrame:
        """Per response with a number, `merit`: of two the higher goes first."""
        if self.by == "shortest":
            return pl.DataFrame(schema={"id": pl.String, "merit": pl.Float64})
        if self.by == "reward":
            return _rewards(inputs)
        found = _polars(inputs.table("measurements", ["generation_id", "metric", "measurer", "value"]))
        found = found.filter(pl.col("metric") == self.by, pl.col("value").is_finite())
        names = found["measurer"].unique().sort().to_list()
        if self.measurer is None and len(names) > 1:
            raise RecipeError(
                f"select by {self.by}: {' and '.join(names)} measured it: say with `measurer` which of them it is for"
            )
        mine = found.filter(pl.col("measurer") == self.measurer) if self.measurer else found
        return mine.group_by(pl.col("generation_id").alias("id")).agg(merit=-pl.col("value").last())


def require_measured(steps: dict[str, Measuring]) -> dict[str, Measuring]:
    """The steps of a recipe. Raises ValueError when a `select` step is by a number that no step before it measures, or
    by one that several models measure without saying whose.
    """
    measured: set[tuple[str, str]] = set()
    for name, step in steps.items():
        if isinstance(step, Perplexity):
            measured |= {(metric, step.model.name) for metric in step.metrics}
        if isinstance(step, Select) and step.by in _MEASURED:
            found = sorted(measurer for metric, measurer in measured if metric == step.by)
            if step.measurer is None and len(found) > 1:
                raise ValueError(
                    f"step {name!r} selects by {step.by}, which {' and '.join(found)} measure: say with "
                    "`measurer` whose it is by"
                )
            if not found or step.measurer not in (None, *found):
                by_whom = f" under {step.measurer!r}" if step.measurer else ""
                setting = ", rsr: true" if step.by == "rsr" else ""
                raise ValueError(
                    f"step {name!r} selects by {step.by}{by_whom}, which no step before it measures: put a "
                    f"`perplexity` step with that model{setting} before it"
                )
    return steps


def _candidates(inputs: Inputs, merits: pl.DataFrame) -> pl.DataFrame:
    """The living responses in stored order; `verifier` is null when none passed, `merit` when there is no number."""
    table = inputs.table("generations", ["id", "problem_id", "teacher", "think_content", "answer_content"])
    table = table.filter(pc.is_in(table["id"], value_set=inputs.alive("generation")))
    blank = pc.or_(_is_blank(table["think_content"]), _is_blank(table["answer_content"]))
    length = pc.utf8_length(table["think_content"])
    narrow = table.select(["id", "problem_id", "teacher"]).append_column("blank", blank).append_column("length", length)
    return (
        _polars(narrow)
        .join(_verdicts(inputs), on="id", how="left", maintain_order="left")
        .join(merits, on="id", how="left", maintain_order="left")
        .with_columns(pl.col("failed").fill_null(False))
    )


def _is_blank(text: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.equal(pc.utf8_trim_whitespace(pc.fill_null(text, "")), "")


def _verdicts(inputs: Inputs) -> pl.DataFrame:
    """Per judged response: the passing verifiers' names joined by '+' (null when it is not verified), and a fail."""
    found = standing(inputs.table("verdicts", COLUMNS))
    return found.select(
        pl.col("generation_id").alias("id"),
        pl.when(pl.col("status") == "pass").then(pl.col("passed_by")).alias("verifier"),
        (pl.col("status") == "fail").alias("failed"),
    )


def _rewards(inputs: Inputs) -> pl.DataFrame:
    """Per response: the mean score over the reward models that gave one; NaN counts as none."""
    rewards = _polars(inputs.table("rewards", ["generation_id", "score"]))
    score = pl.col("score").cast(pl.Float64).fill_nan(None).mean()
    return rewards.group_by(pl.col("generation_id").alias("id")).agg(score.alias("merit"))


def _polars(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
