"""What plans would have made of tried problems, which is chosen, and how far its totals can be believed."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemill.report.routes.plans import Choice, Plan, Sample, allows, choose
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
@given(outcomes=OUTCOMES, costs=COSTS, tolerance=st.sampled_from([0.0, 0.05, 0.3]))
def test_the_choice_is_the_cheapest_of_all_plans_that_solve_enough(
    outcomes: list[tuple[str, ...]], costs: list[int], tolerance: float
) -> None:
    """Against a search of all plans of the teachers that none beats, each from the cheapest to the dearest."""
    found = _drawn(outcomes, costs)
    choice = choose(found, tolerance)
    alone = {name: (found.spent((name,), found.cost).sum(), found.solves((name,)).sum()) for name in NAMES}
    most = max(solved for _, solved in alone.values())
    if most == 0:
        assert choice.teachers == ()
        return
    assert alone[choice.strongest][1] == most
    kept = [name for name in NAMES if not any(_beats(alone, other, name) for other in NAMES)]
    in_price = sorted(kept, key=lambda name: alone[name][0])
    every = [plan for size in (1, 2, 3) for plan in combinations(in_price, size)]
    rates = {
        plan: found.spent(plan, found.cost).sum() / found.solves(plan).sum()
        for plan in every
        if found.solves(plan).any() and _solves_enough(found, plan, choice.strongest, tolerance)
    }
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
    choice = choose(worse, 0.05)
    if solved:
        assert "waste" not in choice.teachers
        assert choice.strongest != "waste"


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
    assert choose(found, 0.05) == choose(mixed, 0.05)


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
    choice = choose(sample({"a": [1.0] * count, "b": [1.04] * count}, outcomes), tolerance)
    assert choice.strongest == "b"
    assert choice.teachers == ("b",), "the cheaper one is dearer for a solved problem"
    choice = choose(sample({"a": [1.0] * count, "b": [50.0] * count}, outcomes), tolerance)
    assert choice == Choice(("a",) if told else ("a", "b"), "b", certain=True)


@pytest.mark.parametrize(
    ("share", "price", "certain"),
    [
        pytest.param(30, 10.0, True, id="half are solved at a tenth of the price"),
        pytest.param(30, 2.2, False, id="half are solved at little less than half the price"),
        pytest.param(3, 10.0, True, id="one in twenty: the strong one alone costs less"),
    ],
)
def test_a_cascade_must_be_told_to_cost_less(share: int, price: float, certain: bool) -> None:
    outcomes = {"a": "+" * share + "-" * (60 - share), "b": "+" * 60}
    choice = choose(sample({"a": [1.0] * 60, "b": [price] * 60}, outcomes), 0.05)
    assert choice.certain is certain
    assert choice.teachers == (("b",) if share == 3 else ("a", "b"))


def test_nobody_is_asked_what_nobody_solves() -> None:
    choice = choose(sample({"a": [1.0] * 12, "b": [9.0] * 12}, {"a": "-" * 12, "b": "-" * 11 + "?"}), 0.05)
    assert (choice.teachers, choice.certain) == ((), True)


def test_what_a_teacher_could_not_be_judged_on_is_no_solved_problem() -> None:
    """Trap: one that answers half of the problems, all right, had the better share and solved half as many."""
    found = sample({"a": [1.0] * 40, "b": [1.1] * 40}, {"a": "+?" * 20, "b": "+" * 38 + "--"})
    assert choose(found, 0.05).strongest == "b"
    assert not allows(found, ("a",), 0.05)


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
