"""Gives each response its verify_score: what the rule of its problem's category makes of what was said of it.

DeepDistill (arXiv 2504.17565), section 2.4:

math         1 or 0 by what all verdicts come to (engine/standing.py): math-verify, and a judge where that did not pass
code         tests passed of the tests run: the code verifier's score (`max_tests: 10` in its step is the paper's)
science      a judge's number from 0 to 5; as a share, of 5. Where none looked (one that gives second opinions looks at
             what no verifier passed), 5 or 0 by what the verdicts come to
instruction  the constraints followed of those that could be told; with `strict` 1 for all of them, else 0
reward       (coherence + correctness + helpfulness) / 12, each clipped to 0..4; the mean of several reward models

"Could not verify" has no score. One outside its range or no number is none either, with the reason.
"""

from __future__ import annotations

import polars as pl

from tracemill.engine.standing import COLUMNS, is_judge, standing
from tracemill.engine.step import Inputs
from tracemill.grade.categories import Rule

OUT_OF_RANGE = "out_of_range"
NOT_A_NUMBER = "not_a_number"
NOT_JUDGED = "not_judged"
VERDICTS = [*COLUMNS, "score", "reason", "detail"]
_SCIENCE = 5.0
_HIGH = 4.0  # HelpSteer2's scale (judge/rewards/base.py)
_ATTRIBUTES = ("coherence", "correctness", "helpfulness")
EXACT = 6  # decimals of a score: rewards have 32 bits, and 8.4 / 12 is 0.7, no more and no less


def verify_scores(inputs: Inputs, strict: bool) -> pl.DataFrame:
    """One row for each response and rule by which something was said of it: id, rule, raw, score and reason.

    `raw` is in the rule's own range, `score` in [0, 1]; both are null, with a reason, where nothing can be told.
    """
    verdicts = pl.DataFrame(inputs.table("verdicts", VERDICTS)).rename({"generation_id": "id"})
    rewards = pl.DataFrame(inputs.table("rewards", ["generation_id", *_ATTRIBUTES])).rename({"generation_id": "id"})
    math = _math(verdicts)
    science = _science(verdicts, math)
    parts = [math, _code(verdicts), science, _instruction(verdicts, strict), _reward(rewards)]
    return _checked(pl.concat(parts))


def refuted(inputs: Inputs) -> pl.DataFrame:
    """`id` and the reason (`refuted`) of each response of which a fail stands, by whichever verifier."""
    found = standing(inputs.table("verdicts", [*COLUMNS, "reason"])).filter(status="fail")
    return found.select(id="generation_id", refuted=pl.col("reason").fill_null("fail"))


def _math(verdicts: pl.DataFrame) -> pl.DataFrame:
    """By what stands. Constraints alone, followed or not, say nothing of the sum."""
    judged = verdicts.filter((pl.col("verifier") != "instruction").any().over("id"))
    found = standing(judged.rename({"id": "generation_id"})).rename({"generation_id": "id"})
    score = pl.col("status").replace_strict({"pass": 1.0, "fail": 0.0}, default=None, return_dtype=pl.Float64)
    return _rows(found, "math", score)


def _code(verdicts: pl.DataFrame) -> pl.DataFrame:
    return _rows(_first(verdicts.filter(verifier="code")), "code", _told(pl.col("score")))


def _science(verdicts: pl.DataFrame, math: pl.DataFrame) -> pl.DataFrame:
    """A science judge's word, else another judge's; of several the lowest number, as the gravest verdict stands.

    Where no judge looked what stands, as `math` has it: a judge that is asked about the others alone would fail most.
    """
    judged = verdicts.filter(is_judge(pl.col("verifier")))
    own = pl.col("verifier").str.starts_with("science")
    judged = judged.filter(own | ~own.any().over("id")).with_columns(score=_told(pl.col("score")))
    found = _first(judged.sort("score", nulls_last=True, maintain_order=True))
    unseen = math.join(found, on="id", how="anti")
    told = [_rows(found, "science", pl.col("score"), _SCIENCE), _rows(unseen, "science", pl.col("score"), _SCIENCE)]
    return pl.concat(told)


def _instruction(verdicts: pl.DataFrame, strict: bool) -> pl.DataFrame:
    """The verifier's detail lists each instruction with true, false, or null where it could not be told."""
    found = _first(verdicts.filter(verifier="instruction"))
    followed = pl.col("detail").str.count_matches(", true]", literal=True).fill_null(0)
    broken = pl.col("detail").str.count_matches(", false]", literal=True).fill_null(0)
    told = followed + broken
    share = pl.when(told > 0).then(followed / told).otherwise(pl.col("score"))
    whole = (pl.col("status") == "pass").cast(pl.Float64)
    return _rows(found, "instruction", _told(whole if strict else share))


def _reward(rewards: pl.DataFrame) -> pl.DataFrame:
    """Attributes are regressions and may leave their scale a little; no number in one of them leaves no score."""
    each = [pl.col(name).cast(pl.Float64) for name in _ATTRIBUTES]
    sound = pl.all_horizontal(value.is_finite() for value in each)
    total = pl.sum_horizontal(value.clip(0.0, _HIGH) for value in each) / (len(_ATTRIBUTES) * _HIGH)
    scored = rewards.with_columns(score=pl.when(sound).then(total))
    found = scored.group_by("id", maintain_order=True).agg(pl.col("score").mean())
    reason = pl.when(pl.col("score").is_null()).then(pl.lit(NOT_A_NUMBER))
    return _rows(found.with_columns(reason=reason), "reward", pl.col("score"))


def _told(score: pl.Expr) -> pl.Expr:
    """The score where the verdict shows something."""
    return pl.when(pl.col("status").is_in(["pass", "fail"])).then(score)


def _first(verdicts: pl.DataFrame) -> pl.DataFrame:
    return verdicts.unique("id", keep="first", maintain_order=True)


def _rows(found: pl.DataFrame, rule: Rule, score: pl.Expr, scale: float = 1.0) -> pl.DataFrame:
    scored = found.with_columns(score=score.cast(pl.Float64).round(EXACT), rule=pl.lit(rule, pl.String))
    raw = (pl.col("score") * scale).round(EXACT)
    return scored.select("id", "rule", raw.alias("raw"), "score", pl.col("reason").cast(pl.String))


def _checked(found: pl.DataFrame) -> pl.DataFrame:
    """Without the scores that are none: NaN, infinite, below 0 or above 1."""
    score = pl.col("score")
    sound = score.is_null() | score.is_between(0.0, 1.0)
    why = pl.when(score.is_finite()).then(pl.lit(OUT_OF_RANGE)).otherwise(pl.lit(NOT_A_NUMBER))
    kept = [pl.when(sound).then(pl.col(name)).alias(name) for name in ("raw", "score")]
    return found.select("id", "rule", *kept, pl.when(sound).then("reason").otherwise(why).alias("reason"))
