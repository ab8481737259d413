"""A difference between students is called one in as many null changes as its interval says, and no more often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tracemill.ablate.deltas import delta

SEEDS = 5
REPEATS = 1_000


def students(
    chance: np.random.Generator, items: NDArray[np.float64], of_seed: float, samples: int
) -> NDArray[np.float64]:
    """Pass rates of SEEDS students of one recipe: each is a little better or worse on all items."""
    rates = np.clip(items[None, :] + chance.normal(0, of_seed, (SEEDS, 1)), 0, 1)
    return chance.binomial(samples, rates) / samples


# Trap of each: what makes most rules call too often or too seldom.
NULLS = {
    "seeds vary and items hardly": (0.05, 120, 4),
    "seeds do not vary: all noise is the samples'": (0.0, 120, 1),
    "few items": (0.03, 20, 4),
    "many samples: seeds are all that varies": (0.05, 60, 64),
}


@pytest.mark.parametrize(("of_seed", "items", "samples"), NULLS.values(), ids=NULLS)
def test_null_changes_are_called_at_the_level(of_seed: float, items: int, samples: int) -> None:
    chance = np.random.default_rng(5)
    base = chance.beta(1.0, 1.0, items)
    pairs = [[students(chance, base, of_seed, samples) for _ in range(2)] for _ in range(REPEATS)]
    called = np.mean([delta(*pair).p < 0.05 for pair in pairs])
    assert 0.03 <= called <= 0.07


def test_a_change_that_helps_some_items_and_harms_others_is_called_no_more_often() -> None:
    """Trap: over seeds alone the items that were asked by chance look like a difference that is there."""
    chance = np.random.default_rng(7)
    called = []
    for _ in range(REPEATS):
        base = chance.beta(1.0, 1.0, 60)
        moved = np.clip(base + chance.normal(0, 0.2, 60), 0, 1)
        base -= base.mean() - moved.mean()  # in truth none: the mean over all such items is the same
        drawn = chance.integers(60, size=60)
        pair = [students(chance, one[drawn], 0.02, 8) for one in (moved, np.clip(base, 0, 1))]
        called.append(delta(*pair).p < 0.05)
    assert np.mean(called) <= 0.08


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 6), st.integers(2, 30), st.integers(0, 10_000))
def test_the_interval_holds_its_mean_and_turning_the_arms_turns_the_sign(seeds: int, items: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    one, other = chance.random((2, seeds, items))
    found = delta(one, other)
    turned = delta(other, one)
    assert -1 <= found.low <= found.mean <= found.high <= 1
    assert (turned.mean, turned.p) == (pytest.approx(-found.mean), pytest.approx(found.p))
    assert (found.p < 0.05) == (found.low > 0 or found.high < 0) == (found.call() != "not told")


def test_what_is_visible_is_found_in_four_of_five_cases() -> None:
    chance = np.random.default_rng(3)
    base = chance.uniform(0.3, 0.6, 80)
    seen = np.mean([delta(*(students(chance, base, 0.02, 4) for _ in range(2))).visible for _ in range(100)])
    found = [delta(students(chance, base + seen, 0.02, 4), students(chance, base, 0.02, 4)).call() for _ in range(500)]
    assert 0.72 <= np.mean([one == "helpful" for one in found]) <= 0.88
    assert "harmful" not in found


def test_where_nothing_varies_nothing_is_told() -> None:
    found = delta(np.full((5, 4), 0.5), np.full((5, 4), 0.5))
    assert (found.mean, found.low, found.high, found.p, found.call()) == (0.0, -1.0, 1.0, 1.0, "not told")
    assert np.isnan(found.visible)


@pytest.mark.parametrize(
    ("one", "other"),
    [((5, 4), (5, 3)), ((1, 4), (1, 4)), ((5, 1), (5, 1)), ((5,), (5,))],
    ids=["other items", "one seed", "one item", "no table"],
)
def test_what_cannot_be_compared_is_refused(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="the same seeds and items"):
        delta(np.zeros(one), np.ones(other))


def test_what_differs_by_rounding_alone_is_told_of_nothing() -> None:
    """Trap: students that all gained the same by a hair's breadth of error were called helpful beyond all doubt."""
    base = np.linspace(0.1, 0.7, 12)[None, :].repeat(5, axis=0)
    found = delta(base + 0.1, base)
    assert found.mean == pytest.approx(0.1)
    assert (found.p, found.call()) == (1.0, "not told")
