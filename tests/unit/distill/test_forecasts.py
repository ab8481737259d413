"""What a pilot says of all problems: which are tried, and the interval of a total."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from tracemill.distill.forecasts import Tally
from tracemill.distill.stratified import stratified

Kind = tuple[str | None, str | None]
_TYPES = {"id": pl.String, "category": pl.String, "difficulty": pl.String}


def problems(sizes: dict[Kind, int]) -> pl.DataFrame:
    """So many problems of each category and difficulty, with ids as hashes have them."""
    chance = np.random.default_rng(len(sizes))
    rows = [(f"p{chance.bytes(12).hex()}", *kind) for kind, size in sizes.items() for _ in range(size)]
    return pl.DataFrame(rows, schema=_TYPES, orient="row")


def taken(values: dict[Kind, list[float | None]]) -> pl.DataFrame:
    """Rows of `piloted` whose completions are these."""
    rows = [(*kind, value) for kind, own in values.items() for value in own]
    schema = {"category": pl.String, "difficulty": pl.String, "completion_tokens": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.lit(1).alias("samples"), pl.lit(10).alias("prompt_tokens"), pl.lit(1.0).alias("seconds")
    )


def strata(sizes: dict[Kind, int]) -> pl.DataFrame:
    schema = {"category": pl.String, "difficulty": pl.String, "problems": pl.Int64}
    return pl.DataFrame([(*kind, size) for kind, size in sizes.items()], schema=schema, orient="row")


@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [
        pytest.param({("math", "a"): 60, ("code", "a"): 40}, 10, {("math", "a"): 6, ("code", "a"): 4}, id="shares"),
        pytest.param({("math", "a"): 5, ("math", "b"): 4}, 4, {("math", "a"): 2, ("math", "b"): 2}, id="remainders"),
        pytest.param({("math", "a"): 3}, 300, {("math", "a"): 3}, id="fewer problems than are wanted"),
        pytest.param({(None, None): 50, ("math", None): 50}, 10, {(None, None): 5, ("math", None): 5}, id="nulls"),
        pytest.param({("math", "a"): 990, ("code", "b"): 10}, 10, {("math", "a"): 10}, id="a rare one may have none"),
        pytest.param({}, 10, {}, id="no problems"),
    ],
)
def test_each_category_and_difficulty_has_its_share(
    sizes: dict[Kind, int], count: int, expected: dict[Kind, int]
) -> None:
    rows = problems(sizes)
    chosen = rows.filter(pl.col("id").is_in(stratified(rows, count).implode()))
    assert Counter(chosen.select("category", "difficulty").rows()) == expected


KINDS = st.sampled_from([("math", "a"), ("math", None), ("code", "a"), (None, None), (None, "b")])


@settings(deadline=None, max_examples=40)
@given(sizes=st.dictionaries(KINDS, st.integers(1, 40)), count=st.integers(1, 60), seed=st.integers(0, 9))
def test_the_choice_is_that_of_the_hashes_in_any_order(sizes: dict[Kind, int], count: int, seed: int) -> None:
    rows = problems(sizes)
    chosen = set(stratified(rows, count))
    assert len(chosen) == min(count, rows.height)
    assert chosen == set(stratified(rows.sample(fraction=1, shuffle=True, seed=seed), count))
    for kind, size in sizes.items():
        own = rows.filter(pl.col("category").eq_missing(kind[0]), pl.col("difficulty").eq_missing(kind[1]))
        ends = sorted((one[-12:], one) for one in own["id"])
        mine = [one for _, one in ends if one in chosen]
        assert mine == [one for _, one in ends[: len(mine)]], "those whose ends are lowest"
        assert abs(len(mine) - size * min(count, rows.height) / rows.height) < 1


def test_the_interval_is_that_of_a_stratified_sample() -> None:
    """Against the formulas of Cochran, worked out here once more."""
    chance = np.random.default_rng(1)
    values = {("math", "a"): chance.lognormal(6, 1, 30), ("code", "a"): chance.lognormal(8, 0.5, 40)}
    sizes = {("math", "a"): 900, ("code", "a"): 1200}
    total = Tally(taken({kind: list(own) for kind, own in values.items()}), strata(sizes)).total("completion_tokens")
    assert total
    known = sum(own.sum() for own in values.values())
    ahead = sum((sizes[kind] - len(own)) * own.mean() for kind, own in values.items())
    parts = [sizes[k] * (sizes[k] - len(own)) * own.var(ddof=1) / len(own) for k, own in values.items()]
    freedom = sum(parts) ** 2 / sum(one**2 / (len(own) - 1) for one, own in zip(parts, values.values(), strict=True))
    reach = np.exp(student.ppf(0.95, freedom) * np.sqrt(sum(parts)) / ahead)
    assert total.expected == pytest.approx(known + ahead)
    assert (total.low, total.high) == pytest.approx((known + ahead / reach, known + ahead * reach))


@pytest.mark.parametrize(
    ("values", "sizes", "expected"),
    [
        pytest.param({("m", "a"): [1.0, 2.0]}, {("m", "a"): 2}, (3, 3, 3), id="all tried: the total is known"),
        pytest.param({("m", "a"): [5.0] * 20}, {("m", "a"): 100}, (500, 500, 500), id="all alike"),
        pytest.param({("m", "a"): [0.0] * 20}, {("m", "a"): 100}, (0, 0, 0), id="nothing was ever answered"),
        pytest.param({}, {}, (0, 0, 0), id="no problem is left to ask"),
        pytest.param({("m", "a"): [5.0] * 20}, {("m", "a"): 10}, (100, 100, 100), id="fewer are left than were tried"),
        pytest.param({("m", "a"): [5.0] * 20}, {("n", "b"): 1}, (105, 105, 105), id="one of a category nobody tried"),
    ],
)
def test_totals_that_need_no_interval(
    values: dict[Kind, list[float | None]], sizes: dict[Kind, int], expected: tuple[float, ...]
) -> None:
    total = Tally(taken(values), strata(sizes)).total("completion_tokens")
    assert total
    assert (total.expected, total.low, total.high) == expected


@pytest.mark.parametrize(
    ("values", "sizes"),
    [
        pytest.param({("m", "a"): [5.0, None]}, {("m", "a"): 9}, id="a server that counted no tokens"),
        pytest.param({}, {("m", "a"): 9}, id="nothing was tried"),
        pytest.param({("m", "a"): [5.0] * 20}, {("n", "b"): 10}, id="a category that nobody tried"),
    ],
)
def test_what_nobody_counted_is_unknown(values: dict[Kind, list[float | None]], sizes: dict[Kind, int]) -> None:
    tally = Tally(taken(values), strata(sizes))
    assert tally.total("completion_tokens") is None
    rows = {row["quantity"]: row for row in tally.rows()}
    assert rows["completion_tokens"]["expected"] is None


@pytest.mark.parametrize(
    ("programs", "known"),
    [
        pytest.param(0, True, id="none"),
        pytest.param(10, True, id="a few"),
        pytest.param(300, False, id="half of them, as of a source that came later"),
    ],
)
def test_problems_of_a_category_that_nobody_tried_are_not_forecast_by_the_others(programs: int, known: bool) -> None:
    """Trap: a pilot of mathematics went on to say, within a narrow interval, what programs would take."""
    tally = Tally(taken({("math", "a"): [5.0, 7.0] * 20}), strata({("math", "a"): 300, ("code", "a"): programs}))
    assert tally.unseen == programs
    assert (tally.total("completion_tokens") is not None) == known
    assert all((row["expected"] is not None) == known for row in tally.rows())


def test_a_difficulty_that_nobody_tried_is_forecast_by_its_category() -> None:
    tally = Tally(taken({("math", "a"): [5.0, 7.0] * 20}), strata({("math", "a"): 300, ("math", "b"): 300}))
    assert (tally.unseen, tally.total("samples") is not None) == (0, True)


@pytest.mark.parametrize("tried", [0, 3])
def test_a_rare_difficulty_is_forecast_by_its_category_though_another_is_larger(tried: int) -> None:
    """Trap: mathematics of a difficulty that nobody tried was forecast by programs, of which most had been tried."""
    values: dict[Kind, list[float | None]] = {("math", "a"): [5.0] * 30, ("code", "a"): [1000.0] * 60}
    values[("math", "b")] = [5.0] * tried
    total = Tally(taken(values), strata({("math", "a"): 30, ("code", "a"): 60, ("math", "b"): 300})).total(
        "completion_tokens"
    )
    assert total
    assert total.expected == 30 * 5 + 60 * 1000 + 300 * 5


def test_small_strata_go_with_their_like() -> None:
    """Trap: the spread of two problems says nothing, and a stratum of one has none."""
    values: dict[Kind, list[float | None]] = {
        ("math", "a"): [10.0] * 20,
        ("math", "b"): [100.0, 300.0] * 4,
        ("math", "c"): [100.0, 300.0] * 4,
        ("code", "a"): [1000.0],
    }
    sizes = {kind: 100 * len(own) for kind, own in values.items()}
    total = Tally(taken(values), strata(sizes)).total("completion_tokens")
    assert total
    rest = [100.0, 300.0] * 8
    alone = Tally(taken({("m", None): list(rest)}), strata({("m", None): 1600})).total("completion_tokens")
    assert alone
    # the one problem of code joins the largest group, and math b and c stand together
    assert total.expected == pytest.approx(100 * (200 + sum(rest) + 1000), rel=0.05)
    assert total.low < total.expected < total.high
    assert total.high - total.low > alone.high - alone.low


@pytest.mark.slow
def test_the_interval_covers_what_comes() -> None:
    """Lengths with a long tail in strata of their own, drawn again and again."""
    chance = np.random.default_rng(3)
    held = [_covered(chance) for _ in range(200)]
    assert 0.84 <= np.mean(held) <= 0.96


def _covered(chance: np.random.Generator) -> bool:
    kinds: list[Kind] = [("math", "a"), ("math", "b"), ("code", None)]
    kind = chance.choice(3, 3000, p=[0.6, 0.3, 0.1])
    tokens = chance.lognormal(np.array([6.0, 7.5, 8.5])[kind], 0.7)
    rows = pl.DataFrame({"id": [f"p{n}{chance.bytes(12).hex()}" for n in range(3000)], "tokens": tokens}).with_columns(
        pl.Series("category", [kinds[k][0] for k in kind], pl.String),
        pl.Series("difficulty", [kinds[k][1] for k in kind], pl.String),
    )
    chosen = rows.filter(pl.col("id").is_in(stratified(rows, 300).implode()))
    piloted = chosen.with_columns(pl.col("tokens").alias("completion_tokens"))
    sizes = rows.group_by("category", "difficulty").agg(pl.len().cast(pl.Int64).alias("problems"))
    total: Any = Tally(piloted, sizes).total("completion_tokens")
    assert total.high / total.low < 2
    return bool(total.holds(tokens.sum()))
