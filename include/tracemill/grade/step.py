"""Grades problems by what models solve of them: a score for each response, a pass rate for each problem and model."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import polars as pl
import pyarrow as pa
from pydantic import Field, model_validator

from tracemill.engine.categories import named
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.sieve import sifted_ledger
from tracemill.engine.step import Inputs, Output, Step
from tracemill.engine.tables import columns_of
from tracemill.grade.categories import RULE_OF, Rule
from tracemill.grade.counting import Counting, counted
from tracemill.grade.grades import KEY, UNGRADED, Bands, graded
from tracemill.grade.samples import samples
from tracemill.grade.scores import refuted, verify_scores
from tracemill.grade.standards import standards

Share = Annotated[float, Field(ge=0, le=1)]


class Grade(Step):
    """Write `scores` and `grades` of all living problems; see docs/design/grading.md. Nothing is turned away here.

    A response is scored by the rule of its problem's category (DeepDistill, arXiv 2504.17565, section 2.4): `rules`
    names rules for categories of your own, `thresholds` what a pass must exceed, by category as a share of its rule's
    range (the paper: 0.99; 0.998 for science; 0.7 for multi-turn and other). `at_threshold` says what the threshold
    itself is; the paper's text has it exceeded. With `strict` one broken instruction is a score of 0.

    Rejected responses count: a pass rate is about the model. `cut_answers`: an answer that ran out of tokens or ended
    in a loop did not pass (fail), or tells nothing. `turned_away`: a response that another step than a judging one
    turned away (`rules`, `perplexity`) tells nothing (undecided), is scored all the same, or did not pass.

    Ledger, by problem: kept, with the reason `ungraded` where no model has `least_decided` decided samples.
    """

    kind: Literal["grade"]
    rules: dict[str, Rule] = Field(default_factory=dict)  # by category: the rule, for those that are not the paper's
    thresholds: dict[str, Share] = Field(default_factory=dict)  # by category: what a pass exceeds
    at_threshold: Literal["pass", "fail"] = "fail"
    strict: bool = False
    cut_answers: Literal["fail", "undecided"] = "fail"
    turned_away: Literal["undecided", "judged", "fail"] = "undecided"
    least_decided: Annotated[int, Field(ge=2)] = 2  # of fewer decided samples a problem is ungraded
    hopeless: Share = 0.0  # a pass rate up to this
    easy: Share = 1.0  # a pass rate from this on
    interval: Annotated[float, Field(gt=0, lt=1)] = 0.9  # how sure `low` to `high` holds the pass rate
    ddof: Literal[0, 1] = 0  # of the deviation: 0 is the paper's formula, 1 its worked examples

    version: ClassVar[int] = 2
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "verdicts", "rewards", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("scores", "grades")

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        """Refuse settings that contradict each other. Raises ValueError naming them."""
        if self.hopeless >= self.easy:
            raise ValueError(f"hopeless ({self.hopeless}) must be below easy ({self.easy})")
        rules = {named(category): rule for category, rule in self.rules.items()}
        thresholds = {named(category): share for category, share in self.thresholds.items()}
        if len(rules) < len(self.rules) or len(thresholds) < len(self.thresholds):
            raise ValueError("rules and thresholds name one category twice, in two spellings")
        if unknown := sorted(set(thresholds) - set(rules) - set(RULE_OF)):
            raise ValueError(f"thresholds name {unknown[0]!r}, which is no category: {', '.join(RULE_OF)}, or of rules")
        senseless = {"fail": 1.0, "pass": 0.0}[self.at_threshold]
        for category, share in thresholds.items():
            if share == senseless:
                said = "never" if share else "always"
                raise ValueError(
                    f"thresholds.{category}: {share:g} is {said} passed with at_threshold {self.at_threshold}"
                )
        return self

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Score and grade one shard."""
        every = samples(inputs, self.turned_away)
        problems = standards(inputs, self.rules, self.thresholds)
        rules = Counting(self.cut_answers, self.turned_away, self.at_threshold)
        scores = counted(every, problems, verify_scores(inputs, self.strict), refuted(inputs), rules)
        models = every.select("teacher", "mode").unique(maintain_order=True).sort("teacher", "mode", nulls_last=False)
        asked = problems.select(pl.col("id").alias("problem_id"), "category", "threshold").join(models, how="cross")
        spent = every.select(*KEY, pl.col("completion_tokens").cast(pl.Int64).alias("tokens"), "seconds")
        bands = Bands(self.hopeless, self.easy, self.least_decided, self.interval, self.ddof)
        grades = graded(scores, spent, asked, bands)
        tables = {"scores": _table(scores, "scores"), "grades": _table(grades, "grades")}
        return Output(_ledger(inputs.alive("problem"), grades), tables)


def _table(rows: pl.DataFrame, name: str) -> pa.Table:
    schema = columns_of(name)
    return rows.select(schema.names).to_arrow().cast(schema)


def _ledger(alive: pa.Array, grades: pl.DataFrame) -> pa.Table:
    told = grades.filter(pl.col("grade") != UNGRADED)["problem_id"].unique().to_list()
    reason = pl.when(~pl.col("id").is_in(told)).then(pl.lit(UNGRADED)).alias("reason")
    return sifted_ledger("problem", pl.DataFrame({"id": alive}).with_columns(reason).to_arrow(), spares=(UNGRADED,))
