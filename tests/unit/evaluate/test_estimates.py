"""A score's interval covers what other items and other samples would have given, and no more than that."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pace import within
from tracemill.evaluate.estimates import Counts, difference, pass_at_1

F64 = npt.NDArray[np.float64]
REPEATS = 200
DRAWS = 1_000


def of(*pairs: tuple[int, int]) -> Counts:
    """(passed, decided) of each item."""
    passed, decided = zip(*pairs, strict=True)
    return Counts(list(passed), list(decided))


def drawn(chance: np.random.Generator, rates: F64, samples: int) -> Counts:
    """One evaluation of these items."""
    return Counts(chance.binomial(samples, rates), np.full(len(rates), samples))


# Trap of each: what makes most rules too wide or too narrow.
POPULATIONS = {
    "no item is like another": (lambda chance, n: chance.beta(0.4, 0.3, n), 60, 4),
    "all items are alike: drawing items and samples counts the samples twice": (lambda _, n: np.full(n, 0.6), 60, 4),
    "one sample an item": (lambda chance, n: chance.beta(1.0, 1.0, n), 60, 1),
    "thirty items, as AIME has": (lambda chance, n: chance.beta(0.8, 0.6, n), 30, 16),
}


@pytest.mark.slow
@pytest.mark.parametrize(("rates", "items", "samples"), POPULATIONS.values(), ids=POPULATIONS)
def test_the_interval_holds_the_true_score_as_often_as_it_says(rates: object, items: int, samples: int) -> None:
    assert callable(rates)
    chance = np.random.default_rng(3)
    true = float(np.mean(rates(chance, 200_000)))
    found = [pass_at_1(drawn(chance, rates(chance, items), samples), draws=DRAWS) for _ in range(REPEATS)]
    held = np.mean([one.low <= true <= one.high for one in found])
    low, high = np.quantile([one.mean for one in found], [0.05, 0.95])
    assert 0.84 <= held <= 0.96  # 200 repeats: 90 % give or take three times 2 %
    assert np.mean([one.high - one.low for one in found]) <= 1.25 * (high - low)


@pytest.mark.slow
def test_a_difference_of_the_smallest_size_that_can_be_seen_is_mostly_seen() -> None:
    chance = np.random.default_rng(4)
    items = chance.beta(1.0, 1.0, 80)
    seen = difference(drawn(chance, items, 8), drawn(chance, items, 8), draws=DRAWS).visible
    better = np.clip(items + seen, 0, 1)
    true = float((better - items).mean())
    found = [difference(drawn(chance, better, 8), drawn(chance, items, 8), draws=DRAWS) for _ in range(REPEATS)]
    assert np.mean([one.low > 0 for one in found]) >= 0.7
    assert np.mean([one.low <= true <= one.high for one in found]) >= 0.84


def test_what_is_hard_for_both_models_is_in_no_difference() -> None:
    chance = np.random.default_rng(5)
    items = np.repeat([0.0, 1.0], 50)
    one = drawn(chance, items, 8)
    other = drawn(chance, items, 8)
    alone = pass_at_1(one)
    both = difference(one, other)
    assert both.mean == 0
    assert both.high - both.low < (alone.high - alone.low) / 2


@pytest.mark.parametrize(
    ("counts", "mean", "low", "high"),
    [
        pytest.param(of((3, 4)), 0.75, 0.0, 1.0, id="one item says nothing of others"),
        pytest.param(of(*[(4, 4)] * 30), 1.0, 0.9, 1.0, id="all right: others may be wrong"),
        pytest.param(of(*[(0, 1)] * 30), 0.0, 0.0, 0.1, id="all wrong: others may be right"),
        pytest.param(of((1, 1), (0, 4)), 0.5, 0.0, 1.0, id="two items, of unequal samples"),
    ],
)
def test_few_and_unanimous_items_are_not_certain(counts: Counts, mean: float, low: float, high: float) -> None:
    found = pass_at_1(counts)
    assert found.mean == mean
    assert low <= found.low <= mean <= found.high <= high
    assert found.high - found.low > 0.05


def test_an_item_counts_once_whatever_its_samples() -> None:
    assert pass_at_1(of((1, 1), (0, 64))).mean == 0.5


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(1, 8)), min_size=1, max_size=12))
def test_an_interval_is_of_numbers_and_always_the_same(rows: list[tuple[int, int]]) -> None:
    counts = of(*[(min(passed, decided), decided) for passed, decided in rows])
    found = pass_at_1(counts, draws=200)
    assert 0 <= found.low <= found.high <= 1
    assert found[:3] == pass_at_1(counts, draws=200)[:3]
    nothing = difference(counts, counts, draws=200)
    assert nothing.mean == 0
    assert -1 <= nothing.low <= 0 <= nothing.high <= 1


@pytest.mark.slow
def test_a_thousand_items_take_seconds_and_little_memory() -> None:
    """Trap: 10,000 draws of 1,055 items at once are 84 MB an array."""
    chance = np.random.default_rng(6)
    within(4, lambda: pass_at_1(drawn(chance, chance.random(1_055), 16)))
