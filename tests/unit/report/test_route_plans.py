"""What plans would have made of tried problems, which is chosen, and how far its totals can be believed."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemill.report.routes.plans import (
    Choice,
    Plan,
    Sample,
    choose,
    is_told_strongest,
    speaks_against,
    strongest,
    told_worse,
)
from tracemill.report.routes.proposing import Route
from tracemill.report.routes.totals import course

NAMES = ("a", "b", "c")


def sample(cost: dict[str, list[float]], outcomes: dict[str, str]) -> Sample:
    """Problems in columns: what each teacher took, and "+", "-" or "?" for what came of it."""
    costs = np.array([cost[name] for name in cost], float).T
    words = np.array([list(outcomes[name]) for name in cost]).T
    return Sample(tuple(cost), costs, costs, words != "?", words == "+")


@pytest.mark.parametrize(
    ("plan", "spent", "solved"),
    [
        pytest.param(("a",), [1, 1, 1, 1], "+---", id="one alone"),
        pytest.param(("a", "b"), [1, 11, 11, 11], "++--", id="a cascade asks where nobody before has solved"),
        pytest.param(("b", "a"), [11, 10, 11, 11], "++--", id="in the other order"),
        pytest.param(("a", "b", "c"), [1, 11, 111, 111], "+++-", id="what nobody could tell goes on"),
    ],
)
def test_what_a_plan_takes_and_solves(plan: Plan, spent: list[float], solved: str) -> None:
    found = sample({"a": [1] * 4, "b": [10] * 4, "c": [100] * 4}, {"a": "+-?-", "b": "-+?-", "c": "--+-"})
    assert found.spent(plan, found.cost).tolist() == spent
    assert found.solves(plan).tolist() == [one == "+" for one in solved]


OUTCOMES = st.lists(st.tuples(*[st.sampled_from("+-?")] * 3), min_size=10, max_size=40)
COSTS = st.lists(st.integers(1, 50), min_size=3, max_size=3)


def _drawn(outcomes: list[tuple[str, ...]], costs: list[int]) -> Sample:
    cost = {
        name: [float(each * (1 + n % 3)) for n in range(len(outcomes))] for name, each in zip(NAMES, costs, strict=True)
    }
    return sample(cost, {name: "".join(row[place] for row in outcomes) for place, name in enumerate(NAMES)})


@settings(deadline=None, max_examples=150)
@given(outcomes=OUTCOMES, costs=COSTS, tolerance=st.sampled_from([0.0, 0.05, 0.3]), name=st.sampled_from(NAMES))
def test_the_choice_is_the_cheapest_of_all_plans_that_solve_enough(
    outcomes: list[tuple[str, ...]], costs: list[int], tolerance: float, name: str
) -> None:
    """Against a search of all plans of that teacher and those cheaper ones that none of them beats, in their prices."""
    found = _drawn(outcomes, costs)
    choice = choose(found, name, tolerance)
    alone = {one: (found.spent((one,), found.cost).sum(), found.solves((one,)).sum()) for one in NAMES}
    cheaper = [one for one in NAMES if alone[one][0] < alone[name][0]]
    kept = [one for one in cheaper if not any(_beats(alone, other, one) for other in cheaper)]
    in_price = [*sorted(kept, key=lambda one: alone[one][0]), name]
    every = [plan for size in (1, 2, 3) for plan in combinations(in_price, size)]
    rates = {
        plan: found.spent(plan, found.cost).sum() / found.solves(plan).sum()
        for plan in every
        if found.solves(plan).any() and _solves_enough(found, plan, name, tolerance)
    }
    if rates:
        assert rates[choice.teachers] == pytest.approx(min(rates.values()))


def _solves_enough(found: Sample, plan: Plan, strongest: str, tolerance: float) -> bool:
    """By the interval of Agresti and Min, from the four cells of the problems of which anything is told."""
    pairs = [
        (bool(mine), bool(theirs))
        for mine, theirs, known in zip(found.solves(plan), found.solves((strongest,)), found.known, strict=True)
        if known.any()
    ]
    cells = {cell: pairs.count(cell) + 0.5 for cell in ((True, True), (True, False), (False, True), (False, False))}
    count = sum(cells.values())
    gained, lost = cells[True, False] / count, cells[False, True] / count
    low = gained - lost - 1.6448536 * ((gained + lost - (gained - lost) ** 2) / count) ** 0.5
    lacks = pairs.count((False, True)) - pairs.count((True, False))
    return strongest in plan or (lacks <= tolerance * len(pairs) + 1e-9 and low >= -tolerance)


def _beats(alone: dict[str, tuple[float, int]], one: str, other: str) -> bool:
    """Whether a teacher costs no more and solves no fewer than another; of two that are alike the first name does."""
    (cost, solved), (other_cost, other_solved) = alone[one], alone[other]
    is_alike = (cost, solved) == (other_cost, other_solved)
    return cost <= other_cost and solved >= other_solved and (one < other if is_alike else True)


@settings(deadline=None, max_examples=100)
@given(outcomes=OUTCOMES, costs=COSTS, extra=st.integers(1, 20), drops=st.integers(1, 9))
def test_who_is_dearer_and_worse_is_never_asked(
    outcomes: list[tuple[str, ...]], costs: list[int], extra: int, drops: int
) -> None:
    """Also where it solves problems of its own: of so few of them a pilot cannot tell."""
    found = _drawn(outcomes, costs)
    solved = [row[0] for row in outcomes].count("+")
    own = "".join("+" if n < max(0, solved - drops) else "-" for n in range(len(outcomes)))[::-1]
    dearer = [cost + extra for cost in found.cost[:, 0]]
    words = {name: "".join(row[place] for row in outcomes) for place, name in enumerate(NAMES)}
    columns = {name: found.cost[:, place].tolist() for place, name in enumerate(NAMES)}
    worse = sample({**columns, "waste": dearer}, {**words, "waste": own})
    name = strongest(worse)
    if solved:
        assert name != "waste"
        assert "waste" not in choose(worse, name, 0.05).teachers


@settings(deadline=None, max_examples=60)
@given(outcomes=OUTCOMES, costs=COSTS, order=st.permutations(range(3)), seed=st.integers(0, 9))
def test_order_of_problems_and_teachers_changes_nothing(
    outcomes: list[tuple[str, ...]], costs: list[int], order: list[int], seed: int
) -> None:
    found = _drawn(outcomes, costs)
    rows = np.random.default_rng(seed).permutation(found.tried)
    mixed = Sample(
        tuple(found.teachers[place] for place in order),
        found.tokens[rows][:, order],
        found.cost[rows][:, order],
        found.known[rows][:, order],
        found.solved[rows][:, order],
    )
    name = strongest(found)
    assert strongest(mixed) == name
    assert choose(found, name, 0.05) == choose(mixed, name, 0.05)


@pytest.mark.parametrize(
    ("count", "tolerance", "told"),
    [
        pytest.param(20, 0.07, False, id="one of twenty does not tell that it is seven in a hundred at most"),
        pytest.param(400, 0.07, True, id="twenty of four hundred do"),
        pytest.param(20, 0.3, True, id="where more may be lost, one of twenty does"),
    ],
)
def test_a_cheap_teacher_alone_must_be_told_to_solve_as_much(count: int, tolerance: float, told: bool) -> None:
    """Trap: nineteen of twenty against twenty of twenty says little of what is lost of thousands."""
    outcomes = {"a": "-" * (count // 20) + "+" * (count - count // 20), "b": "+" * count}
    near = sample({"a": [1.0] * count, "b": [1.04] * count}, outcomes)
    assert strongest(near) == "b"
    assert choose(near, "b", tolerance).teachers == ("b",), "the cheaper one is dearer for a solved problem"
    far = sample({"a": [1.0] * count, "b": [50.0] * count}, outcomes)
    assert choose(far, "b", tolerance) == Choice(("a",) if told else ("a", "b"), is_told=True)


@pytest.mark.parametrize(
    ("share", "price", "certain"),
    [
        pytest.param(30, 10.0, True, id="half are solved at a tenth of the price"),
        pytest.param(30, 2.2, False, id="half are solved at little less than half the price"),
        pytest.param(3, 10.0, False, id="one in twenty, at a tenth of the price"),
        pytest.param(0, 2.0, True, id="none: the strong one alone is told to cost less"),
    ],
)
def test_a_cascade_must_be_told_to_cost_less(share: int, price: float, certain: bool) -> None:
    outcomes = {"a": "+" * share + "-" * (60 - share), "b": "+" * 60}
    choice = choose(sample({"a": [1.0] * 60, "b": [price] * 60}, outcomes), "b", 0.05)
    assert choice.is_told is certain
    assert choice.teachers == (("b",) if share < 30 else ("a", "b"))


@pytest.mark.parametrize(
    ("own", "other", "told"),
    [
        pytest.param("+" * 5 + "-" * 5, "+" * 3 + "-" * 7, False, id="five of ten against three say nothing"),
        pytest.param("+" * 10, "+" * 10, False, id="nor do ten of ten"),
        pytest.param("+" * 60, "+" * 57 + "-" * 3, True, id="sixty against fifty-seven"),
        pytest.param("+" * 10, "-" * 10, True, id="all against none"),
    ],
)
def test_who_solves_most_must_be_told(own: str, other: str, told: bool) -> None:
    """Trap: of ten problems the worse teacher solved two more, and was asked all."""
    found = sample({"a": [1.0] * len(own), "b": [1.0] * len(own)}, {"a": own, "b": other})
    assert strongest(found) == "a"
    assert is_told_strongest(found, "a", 0.05) is told


def test_what_a_teacher_could_not_be_judged_on_is_no_solved_problem() -> None:
    """Trap: one that answers half of the problems, all right, had the better share and solved half as many."""
    found = sample({"a": [1.0] * 40, "b": [1.1] * 40}, {"a": "+?" * 20, "b": "+" * 38 + "--"})
    assert strongest(found) == "b"
    assert told_worse(found, ("a",), ("b",))
    assert choose(found, "b", 0.05).teachers != ("a",)


@pytest.mark.parametrize(
    ("plan", "against"),
    [
        pytest.param(("a",), True, id="it solves none"),
        pytest.param(("a", "b"), True, id="it asks in vain first"),
        pytest.param(("b",), False, id="the strongest itself"),
    ],
)
def test_what_a_group_shows_speaks_against_plans_of_others(plan: Plan, against: bool) -> None:
    found = sample({"a": [2.0] * 20, "b": [3.0] * 20}, {"a": "-" * 20, "b": "+" * 20})
    assert speaks_against(found, plan, "b") is against


def _route(found: Sample, problems: int, plan: Plan) -> Route:
    return Route(("math", None), problems, plan, "cheaper", "group", found.told, found, ("group", found))


@pytest.mark.slow
@pytest.mark.parametrize("solves", [0.02, 0.5, 0.97])
def test_the_intervals_hold_what_comes(solves: float) -> None:
    """A cascade over 2,000 problems of which 200 are tried, drawn again and again."""
    chance = np.random.default_rng(5)
    held = np.array([_held(chance, solves) for _ in range(300)]).mean(axis=0)
    assert (held >= 0.84).all(), held
    assert held[0] <= 0.97


def _held(chance: np.random.Generator, solves: float) -> tuple[bool, bool]:
    count, tried = 2_000, 200
    cost = np.column_stack([chance.lognormal(5, 0.8, count), chance.lognormal(7, 0.8, count)])
    solved = np.column_stack([chance.random(count) < solves, chance.random(count) < 0.9])
    whole = Sample(("a", "b"), cost, cost, np.ones_like(solved), solved)
    part = Sample(("a", "b"), cost[:tried], cost[:tried], np.ones_like(solved[:tried]), solved[:tried])
    plan = ("a", "b")
    found = course("", [_route(part, count, plan)], {("math", None): plan})
    assert found.tokens
    assert found.solved
    tokens, right = float(whole.spent(plan, cost).sum()), float(whole.solves(plan).sum())
    return found.tokens.holds(tokens), found.solved.holds(right)


def test_ten_of_ten_do_not_promise_all() -> None:
    """Trap: problems without spread gave an interval without width."""
    found = sample({"a": [5.0] * 10}, {"a": "+" * 10})
    total = course("", [_route(found, 1_000, ("a",))], {("math", None): ("a",)})
    assert total.solved
    assert total.solved.expected == 1_000
    assert total.solved.low < 900
    assert total.solved.high == 1_000


def test_what_was_all_tried_is_known() -> None:
    found = sample({"a": [5.0, 7.0], "b": [50.0, 70.0]}, {"a": "+-", "b": "++"})
    total = course("", [_route(found, 2, ("a", "b"))], {("math", None): ("a", "b")})
    assert total.tokens
    assert (total.tokens.low, total.tokens.expected, total.tokens.high) == (82, 82, 82)
    assert total.solved
    assert (total.solved.low, total.solved.high) == (2, 2)


def test_a_teacher_that_was_not_tried_on_some_has_no_totals() -> None:
    found = sample({"a": [5.0] * 10}, {"a": "+" * 10})
    assert course("b", [_route(found, 20, ("a",))], {("math", None): ("b",)}).tokens is None
