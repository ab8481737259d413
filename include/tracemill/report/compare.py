"""Puts the teachers of a run side by side: what they solved of the same problems, at what length and at what cost.

Figures 2 to 4 of arXiv 2505.14464 for any store. Everything is added up shard by shard, so memory is that of one shard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tracemill.distill.step import Distill
from tracemill.engine.pipeline import first_of
from tracemill.engine.runner import inputs_of_shards
from tracemill.engine.standing import COLUMNS, standing
from tracemill.engine.step import Inputs
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.grade.intervals import pass_rate_interval
from tracemill.recipe import Recipe
from tracemill.report.forecast import Forecast, foreseen
from tracemill.report.spending import Tariff
from tracemill.report.tongues import astray
from tracemill.report.turned_away import turned_away
from tracemill.select.intersect import Intersect

GROUP = ("teacher", "mode", "category")
BIN = 64  # tokens: what lengths are counted in, and as fine as a median is told
LONGEST = 49_152  # tokens: the papers' limit (arXiv 2505.14464, section 4); what is longer counts in the last bin
_RESPONSES = [
    *("id", "problem_id", "teacher", "mode", "finish_reason"),
    *("prompt_tokens", "completion_tokens", "seconds"),
]
_COUNTED = {
    "responses": pl.len(),
    "problems": pl.col("problem_id").n_unique(),
    "decided": pl.col("status").is_in(["pass", "fail"]).sum(),
    "passed": pl.col("solved").sum(),
    "solved": pl.col("problem_id").filter("solved").n_unique(),  # problems
    "accepted": pl.col("accepted").sum(),
    "looped": (pl.col("finish_reason") == "repetition").sum(),
    "cut": (pl.col("finish_reason") == "length").sum(),
    "counted": pl.col("completion_tokens").count(),  # responses whose tokens are known
    "tokens": pl.col("completion_tokens").cast(pl.Int64).sum(),
    "prompt_tokens": pl.col("prompt_tokens").cast(pl.Int64).sum(),
    "timed": pl.col("seconds").count(),
    "seconds": pl.col("seconds").sum(),
    "metered": pl.col("device_seconds").count(),
    "device_seconds": pl.col("device_seconds").sum(),
    "priced": pl.col("money").count(),
    "money": pl.col("money").sum(),
    "measured": pl.col("perplexity").count(),
    "perplexities": pl.col("perplexity").sum(),
    "told": pl.col("astray").count(),  # responses whose language can be told, and their problem's
    "astray": pl.col("astray").sum(),
}

_SUMS = ("seconds", "device_seconds", "money", "perplexities")  # the others are counts


@dataclass(frozen=True)
class Comparison:
    """`rates`: one row a teacher, mode and category, and one with category null for all. `lengths`: verified responses
    by teacher, category and the first of BIN tokens. `turned_away`: responses by teacher, step and reason. `fits`: how
    well a teacher's verified responses fit each student that measured them, best first. `shared`: problems that every
    teacher solved, or each of those that a step `intersect` names, of `problems` that were asked. `answered`: how many
    problems these teachers have a response to, each and, under "", all of them. `silent`: teachers that the recipe
    names, of which there is no response. `foreseen`: what the run's pilots forecast, beside what came.

    What nobody counted is null: seconds and tokens of published responses, money without a price in the recipe.
    """

    rates: pl.DataFrame
    lengths: pl.DataFrame
    turned_away: pl.DataFrame
    fits: pl.DataFrame
    shared: int
    problems: int
    answered: Mapping[str, int]
    silent: tuple[str, ...] = ()
    foreseen: tuple[Forecast, ...] = ()

    @property
    def teachers(self) -> list[str]:
        """The teachers' names in order."""
        return self.rates["teacher"].unique(maintain_order=True).to_list()


def compare(recipe: Recipe, store: Store) -> Comparison:
    """Compare the teachers of a run that is sealed up to its release.

    Raises MissingInput where a step before the release is not sealed, RecipeError for a recipe without release, and
    where no response names a teacher.
    """
    named, meant = _named(recipe)
    tariff = Tariff(recipe, store)
    parts = [_Part(inputs, meant, tariff) for inputs in _shards(recipe, store)]
    counts = pl.concat([part.counts for part in parts]).group_by(GROUP).agg(pl.all().sum()) if parts else pl.DataFrame()
    if counts.is_empty():
        raise RecipeError(f"no response of recipe {recipe.name!r} names its teacher: there is nothing to compare")
    by_mode = counts.group_by("teacher", "mode").agg(pl.exclude(GROUP).sum())
    whole = by_mode.with_columns(pl.lit(None, pl.String).alias("category")).select(counts.columns)
    rates = _rates(pl.concat([whole, counts]))
    lengths = pl.concat([part.lengths for part in parts]).group_by("teacher", "category", "tokens").agg(pl.all().sum())
    away = pl.concat([part.away for part in parts]).group_by("teacher", "step", "reason").agg(pl.all().sum())
    return Comparison(
        rates.sort(*GROUP, nulls_last=False),
        lengths.sort("teacher", "category", "tokens"),
        away.sort("teacher", "step", "reason"),
        _fits(pl.concat([part.fits for part in parts])),
        _shared(parts, meant or named | set(rates["teacher"])),
        sum(part.problems for part in parts),
        _answered(parts),
        tuple(sorted(named - set(rates["teacher"]))),
        tuple(foreseen(recipe, store)),
    )


def _named(recipe: Recipe) -> tuple[set[str], set[str]]:
    """The teachers that the recipe names in any step, and those whose common problems it keeps (none: of all)."""
    steps = recipe.steps.values()
    meant = [set(step.teachers) for step in steps if isinstance(step, Intersect)]
    asked = {step.teacher.model.name for step in steps if isinstance(step, Distill)}
    return asked.union(*meant), set().union(*meant)


def _shards(recipe: Recipe, store: Store) -> list[Inputs]:
    """What the release reads, shard by shard."""
    name = first_of(recipe, "release")
    if name is None:
        raise RecipeError(f"recipe {recipe.name!r} has no release: what its teachers were accepted for is not decided")
    return inputs_of_shards(recipe, store, name)


class _Part:
    """The counts of one shard; the responses themselves are forgotten."""

    def __init__(self, inputs: Inputs, meant: set[str], tariff: Tariff) -> None:
        timed = pl.when(~pl.col("teacher").is_in(tariff.batched)).then("seconds").alias("seconds")
        rows = _responses(inputs).with_columns(timed).join(tariff.costs(inputs), on="id", how="left")
        rows = rows.join(astray(inputs), on="id", how="left")
        counted = {name: counts.cast(pl.Float64 if name in _SUMS else pl.Int64) for name, counts in _COUNTED.items()}
        self.problems = rows["problem_id"].n_unique()
        self.counts = rows.group_by(GROUP).agg(**counted)
        solved = rows.filter(pl.col("solved") & (pl.col("teacher").is_in(meant) if meant else True))
        asked = rows.filter(pl.col("teacher").is_in(meant)) if meant else rows
        by = asked.group_by("problem_id").agg(pl.col("teacher").unique().sort().alias("teachers"))
        self.answered_by = by["teachers"].value_counts()
        self.solved_by = solved.group_by("problem_id").agg(pl.col("teacher").n_unique())["teacher"].value_counts()
        bin_of = (pl.col("completion_tokens").clip(0, LONGEST) // BIN * BIN).cast(pl.Int64).alias("tokens")
        long = rows.filter(pl.col("solved") & pl.col("completion_tokens").is_not_null())
        self.lengths = long.group_by("teacher", "category", bin_of).agg(pl.len().cast(pl.Int64).alias("responses"))
        away = turned_away(inputs, "generation").join(rows.select("id", "teacher"), on="id")
        self.away = away.group_by("teacher", "step", "reason").agg(pl.len().cast(pl.Int64).alias("responses"))
        self.fits = _surprises(inputs, rows.filter("solved"))


def _responses(inputs: Inputs) -> pl.DataFrame:
    """One row a response that names its teacher."""
    rows = pl.DataFrame(inputs.table("generations", _RESPONSES)).drop_nulls("teacher")
    categories = pl.DataFrame(inputs.table("problems", ["id", "category"])).rename({"id": "problem_id"})
    judged = standing(inputs.table("verdicts", COLUMNS)).select(pl.col("generation_id").alias("id"), "status")
    alive = pl.DataFrame({"id": inputs.alive("generation")}).with_columns(pl.lit(True).alias("accepted"))
    measured = pl.DataFrame(inputs.table("measurements", ["generation_id", "metric", "value"]))
    likely = measured.filter(pl.col("metric") == "perplexity", pl.col("value").is_finite())
    perplexity = likely.group_by(pl.col("generation_id").alias("id")).agg(pl.col("value").mean().alias("perplexity"))
    joined = rows.join(categories, on="problem_id", how="left").join(judged, on="id", how="left")
    joined = joined.join(alive, on="id", how="left").join(perplexity, on="id", how="left")
    return joined.with_columns(
        pl.col("accepted").fill_null(False),
        (pl.col("status") == "pass").fill_null(False).alias("solved"),
        pl.col("mode", "category").fill_null(""),
    )


def _surprises(inputs: Inputs, rows: pl.DataFrame) -> pl.DataFrame:
    """By student and teacher: responses that the student measured, and the sums of their mean ranks and surprisals."""
    measured = pl.DataFrame(inputs.table("measurements", ["generation_id", "measurer", "metric", "value"]))
    own = ["generation_id", "measurer"]
    ratio = measured.filter(metric="rsr").select(*own, pl.col("value").alias("ratio"))
    surprisal = measured.filter(metric="surprisal").select(*own, pl.col("value").alias("surprisal"))
    both = ratio.join(surprisal, on=own).join(rows.select("id", "teacher"), left_on="generation_id", right_on="id")
    return both.group_by(pl.col("measurer").alias("student"), "teacher").agg(
        pl.len().cast(pl.Int64).alias("traces"),
        (pl.col("ratio") * pl.col("surprisal")).sum().alias("ranks"),
        pl.col("surprisal").sum().alias("surprisals"),
    )


def _fits(sums: pl.DataFrame) -> pl.DataFrame:
    """The ratio of the sums over a teacher's traces (arXiv 2601.14249, appendix A.8), lowest first: it fits best."""
    whole = sums.group_by("student", "teacher").agg(pl.all().sum())
    ratio = (pl.col("ranks") / pl.col("surprisals")).alias("rank_surprisal_ratio")
    mean = (pl.col("surprisals") / pl.col("traces")).alias("mean_surprisal")
    return whole.select("student", "teacher", "traces", ratio, mean).sort("student", "rank_surprisal_ratio", "teacher")


def _shared(parts: list[_Part], teachers: set[str]) -> int:
    found = pl.concat([part.solved_by for part in parts])
    return int(found.filter(pl.col("teacher") == len(teachers))["count"].sum())


def _answered(parts: list[_Part]) -> dict[str, int]:
    """The problems that each teacher has a response to, and under "" those that all of them have one to."""
    found = Counter[str]()
    sets = Counter[tuple[str, ...]]()
    for part in parts:
        for names, problems in part.answered_by.iter_rows():
            sets[tuple(names)] += problems
            found.update(dict.fromkeys(names, problems))
    return {**dict(sorted(found.items())), "": sets[tuple(sorted(found))]}


def _rates(counts: pl.DataFrame) -> pl.DataFrame:
    """The counts with what follows from them; per accepted response where there is one."""
    low, high = pass_rate_interval(counts["passed"].to_numpy(), counts["decided"].to_numpy())
    per = 1 / pl.when(pl.col("accepted") > 0).then("accepted")
    whole = pl.col("counted") == pl.col("responses")
    timed = pl.col("timed") == pl.col("responses")
    metered = pl.col("metered") == pl.col("responses")
    priced = pl.col("priced") == pl.col("responses")
    return counts.with_columns(
        (pl.col("passed") / pl.when(pl.col("decided") > 0).then("decided")).alias("pass_rate"),
        pl.Series("low", low).fill_nan(None),
        pl.Series("high", high).fill_nan(None),
        (pl.col("responses") * per).alias("attempts_per_accepted"),
        (pl.col("tokens") / pl.when(pl.col("counted") > 0).then("counted")).alias("mean_tokens"),
        pl.when(whole).then(pl.col("tokens") * per).alias("tokens_per_accepted"),
        pl.when(timed).then(pl.col("seconds") * per).alias("seconds_per_accepted"),
        pl.when(metered).then(pl.col("device_seconds") * per).alias("device_seconds_per_accepted"),
        pl.when(priced).then(pl.col("money") * per).alias("money_per_accepted"),
        (pl.col("perplexities") / pl.when(pl.col("measured") > 0).then("measured")).alias("mean_perplexity"),
    ).drop("perplexities")
