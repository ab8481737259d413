"""The sequential test: it errs as often as was asked for, stops as soon as it may, and sends no sample in vain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc
from scipy.stats import betabinom

from tracemill.distill.decisions import Decisions, SequentialTest, best_error, decisions
from tracemill.distill.mixtures import EVEN, parts_of, shares_of, single, weights_of
from tracemill.distill.priors import Tried, beta_of, fitted, group_of

SHAPES = [(0.4, 0.6), (2.0, 1.0), (0.3, 0.3)]
PRIORS = [single(*shape) for shape in SHAPES]
WEIGHTS = [3, 2, 1]


def asked(error: float, most: int = 16, least: int = 2) -> SequentialTest:
    return SequentialTest(low=0.2, high=0.9, least=least, most=most, error=error)


def found(test: SequentialTest) -> Decisions:
    made = decisions(PRIORS, WEIGHTS, test)
    assert made is not None
    return made


def drawn(made: Decisions, test: SequentialTest, rows: int = 200_000) -> tuple[float, float]:
    """The share of wrong classes and the mean number of samples of problems drawn from the priors."""
    chance = np.random.default_rng(1)
    stratum = chance.choice(3, rows, p=np.array(WEIGHTS) / sum(WEIGHTS))
    rate = chance.beta(*np.array(SHAPES)[stratum].T)
    passed = np.zeros(rows, int)
    taken = np.zeros(rows, int)
    for d in range(test.most):
        going = ~made.stops[stratum, taken, passed] & (taken == d)
        taken[going] += 1
        passed[going] += chance.random(going.sum()) < rate[going]
    a = np.array(SHAPES)[stratum, 0] + passed
    b = np.array(SHAPES)[stratum, 1] + taken - passed
    low = betainc(a, b, test.low)
    high = 1 - betainc(a, b, test.high)
    said = np.argmax([low, 1 - low - high, high], axis=0)
    truth = np.digitize(rate, [test.low, test.high])
    return float(np.mean(said != truth)), float(np.mean(taken))


@pytest.mark.parametrize("error", [0.12, 0.15, 0.2])
def test_the_class_is_wrong_as_often_as_was_asked_for(error: float) -> None:
    test = asked(error)
    made = found(test)
    wrong, samples = drawn(made, test)
    assert made.error <= error
    assert wrong == pytest.approx(made.error, abs=0.005)
    assert samples == pytest.approx(made.samples, abs=0.1)


def test_a_smaller_error_costs_more_samples() -> None:
    costs = [found(asked(error)).samples for error in (0.12, 0.14, 0.18, 0.25)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1]


def test_it_needs_fewer_samples_than_a_fixed_number_of_that_error() -> None:
    """A test that always takes n samples is one of those that it was chosen from."""
    fixed = {n: best_error(PRIORS, WEIGHTS, asked(0.4, n, least=n)) for n in (4, 8, 12)}
    for n, error in fixed.items():
        assert found(asked(error + 1e-9, 24)).samples < 0.8 * n


def test_an_error_out_of_reach_is_told() -> None:
    assert decisions(PRIORS, WEIGHTS, asked(0.01, most=4)) is None
    assert best_error(PRIORS, WEIGHTS, asked(0.01, most=4)) > 0.1


@settings(max_examples=60, deadline=None)
@given(outcomes=st.lists(st.booleans(), min_size=16, max_size=16), stratum=st.integers(0, 2))
def test_what_goes_out_at_once_is_never_one_too_many(outcomes: list[bool], stratum: int) -> None:
    made = found(asked(0.14))
    state = (0, 0)
    while not made.stops[stratum, *state]:
        wave = made.ahead[stratum, *state]
        assert wave >= 1
        for _ in range(wave):
            assert not made.stops[stratum, *state]
            state = (state[0] + 1, state[1] + outcomes[state[0]])


def test_never_fewer_than_a_grade_needs() -> None:
    made = found(asked(0.3, least=3))
    assert not made.stops[:, :3].any(where=np.tri(3, 17, dtype=bool)[None])


def test_a_prior_is_found_again_in_what_it_made() -> None:
    chance = np.random.default_rng(2)
    passed = chance.binomial(8, chance.beta(0.5, 2.0, 4000)).astype(float)
    alpha, beta = beta_of(passed, np.full(4000, 8.0))
    assert alpha == pytest.approx(0.5, rel=0.1)
    assert beta == pytest.approx(2.0, rel=0.15)


def test_counts_that_are_all_alike_give_a_prior_all_the_same() -> None:
    alpha, beta = beta_of(np.full(30, 8.0), np.full(30, 8.0))
    assert alpha / (alpha + beta) > 0.98


def test_a_group_of_few_problems_has_the_prior_of_the_next_larger_one() -> None:
    tried = [Tried("math", "hard", 8, n % 4) for n in range(25)] + [Tried("math", "easy", 8, 7)] * 5
    tried += [Tried("code", None, 8, 4)] * 3
    rows = list(fitted(tried))
    assert [(row["category"], row["difficulty"], row["problems"], row["ruled"]) for row in rows] == [
        (None, None, 33, 3),
        ("math", None, 30, 5),
        ("math", "hard", 25, 25),
    ]
    there = {(row["category"], row["difficulty"]) for row in rows}
    assert group_of("math", "never seen", there) == ("math", None)
    assert group_of("poetry", "hard", there) == (None, None)


def test_long_samples_are_saved_before_short_ones() -> None:
    """Of two groups that are as uncertain, the one whose samples cost ten times as much is asked less."""
    test = asked(0.16)
    alike = decisions([single(0.5, 0.5)] * 2, [1, 1], test)
    weighed = decisions([single(0.5, 0.5)] * 2, [1, 1], test, [(100.0, 100.0), (1000.0, 1000.0)])
    assert alike is not None
    assert weighed is not None
    assert weighed.error <= test.error
    assert (alike.stops[0] == alike.stops[1]).all()
    assert weighed.stops[0].sum() < weighed.stops[1].sum()


def test_samples_of_one_length_are_weighed_as_if_nobody_knew_it() -> None:
    test = asked(0.15)
    plain = decisions(PRIORS, WEIGHTS, test)
    weighed = decisions(PRIORS, WEIGHTS, test, [(300.0, 300.0)] * 3)
    assert plain is not None
    assert weighed is not None
    assert (plain.stops == weighed.stops).all()


def test_the_lengths_of_a_small_group_are_near_those_of_all() -> None:
    tried = [Tried("math", "hard", 8, 2, 2 * 90, 6 * 200)] * 25 + [Tried("code", None, 2, 2, 2 * 20, 0)]
    found = {(row["category"], row["difficulty"]): row for row in fitted(tried)}
    assert found["math", "hard"]["tokens_failed"] == 200.0
    assert found[None, None]["tokens_passed"] == 87.3  # of 50 samples of 90 tokens and two of 20
    few = {row["category"]: row for row in fitted([Tried("code", None, 8, 8, 800, 0)] * 20)}
    assert few["code"]["tokens_passed"] == 100.0
    assert few["code"]["tokens_failed"] is None


def test_lengths_that_a_server_did_not_tell_are_null() -> None:
    (row,) = fitted([Tried(None, None, 8, 4)] * 3)
    assert (row["tokens_passed"], row["tokens_failed"]) == (None, None)


ENDS = (0.45, 0.2, 0.35)  # never, sometimes, always: what one Beta distribution follows poorly


def piled(rows: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rates that pile up at both ends, and what a pilot of eight samples counts of them."""
    rate = np.where(chance.random(rows) < 0.5, chance.beta(4, 4, rows), 0.5)
    kind = chance.choice(3, rows, p=ENDS)
    rate = np.select([kind == 0, kind == 1], [0.0, rate], 1.0)
    return rate, chance.binomial(8, rate).astype(float)


def test_a_mixture_follows_rates_that_pile_up_at_both_ends() -> None:
    """Trap: one Beta distribution puts far too many problems near 0 and 1 and too few at them, or none between."""
    rate, passed = piled(4000, np.random.default_rng(3))
    prior = parts_of(weights_of(passed, np.full(4000, 8.0)))
    near = {"never": rate < 0.05, "always": rate > 0.95}
    for end, (shape, there) in {"never": ((0.5, 60.0), near["never"]), "always": ((60.0, 0.5), near["always"])}.items():
        (weight,) = [weight for weight, *own in prior if tuple(own) == shape]
        assert weight == pytest.approx(there.mean(), abs=0.03), end
    assert sum(weight for weight, _, _ in prior) == pytest.approx(1, abs=1e-4)


def test_samples_weigh_the_parts_as_bayes_says() -> None:
    prior = ((0.5, 1.0, 1.0), (0.5, 60.0, 0.5))
    shares = shares_of(prior, np.array([0.0, 8.0]), np.array([8.0, 8.0]))
    assert shares.sum(axis=-1) == pytest.approx([1, 1])
    assert shares[0, 0] > 0.999  # eight failures: not the one that always passes
    even = 1 / 9  # the chance of eight passes where every rate is as likely
    always = float(np.prod([(60 + k) / (60.5 + k) for k in range(8)]))
    assert shares[1, 1] == pytest.approx(always / (always + even))


def test_one_distribution_is_a_mixture_of_one() -> None:
    """Trap: a table of a store that was made before there were mixtures would change, and with it its fingerprint."""
    test = asked(0.15)
    plain = decisions([single(0.4, 0.6)], [1], test)
    split = decisions([((0.25, 0.4, 0.6), (0.75, 0.4, 0.6))], [1], test)
    assert plain is not None
    assert split is not None
    assert (plain.stops == split.stops).all()
    a = 0.4 + np.arange(17)
    b = 0.6 + 16 - np.arange(17)
    low = betainc(a, b, 0.2)
    high = 1 - betainc(a, b, 0.9)
    assert best_error([single(0.4, 0.6)], [1], asked(0.4, 16, 16)) == pytest.approx(
        float(_beta_binomial(0.4, 0.6, 16) @ (1 - np.maximum(np.maximum(low, high), 1 - low - high)))
    )


def _beta_binomial(alpha: float, beta: float, n: int) -> np.ndarray:
    return np.asarray(betabinom.pmf(np.arange(n + 1), n, alpha, beta))


def test_a_group_of_few_problems_leans_towards_the_one_around_it() -> None:
    tried = [Tried("math", "hard", 8, 0, 0, 800)] * 40 + [Tried("math", "easy", 8, 8, 400, 0)] * 2
    found = {(row["category"], row["difficulty"]): row for row in fitted(tried, "mixture")}
    assert [row["ruled"] for row in found.values()] == [0, 0, 2, 40]
    means = {group: _mean(row["parts"]) for group, row in found.items()}
    assert means["math", "hard"] < means["math", None] < means["math", "easy"] < 0.5
    assert all(row.get("alpha") is None for row in found.values())


def _mean(parts: list[dict[str, float]]) -> float:
    return sum(one["weight"] * one["alpha"] / (one["alpha"] + one["beta"]) for one in parts)


def test_counts_that_say_nothing_leave_the_weights_as_they_were() -> None:
    assert weights_of(np.zeros(0), np.zeros(0)) == pytest.approx(EVEN)
