"""The table of routes that pilots of a store lead to, and what of it cannot be told."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy.stats import beta
from typer.testing import CliRunner

from tests.build.routed import VERIFY, piloted, recipe, seal
from tracemill.cli import app
from tracemill.distill import AnyTeacher
from tracemill.distill.pilot import Pilot
from tracemill.engine.runner import inputs_for
from tracemill.engine.store import Store
from tracemill.errors import MissingInput, RecipeError
from tracemill.recipe import Recipe, load_recipe, parse_recipe
from tracemill.report.routes import lines
from tracemill.report.routes.proposal import Routes, routes
from tracemill.report.routes.proposing import propose
from tracemill.report.routes.steps import said
from tracemill.report.routes.tried import Tried

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
EASY, HARD, LOGIC, BARE = ("math", "easy"), ("math", "hard"), ("logic", "easy"), (None, None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


def proposed(folder: Path, store: Store, tried: Rows, sizes: Mapping[Any, int], **said_of: Any) -> Routes:
    made = recipe(folder, 1, tuple(tried), **said_of)
    for name, rows in tried.items():
        seal(store, f"pilot_{name}", rows, sizes)
    made.remember(store)
    return routes(made, store)


def asked(found: Routes) -> dict[Any, tuple[tuple[str, ...], str, str]]:
    return {one.kind: (one.teachers, one.verdict, one.level) for one in found.routes}


def both(kind: Any, cheap: str, strong: str, price: int = 10) -> Rows:
    """Two teachers on as many problems as there are outcomes."""
    return {
        "cheap": piloted(kind, [10] * len(cheap), cheap),
        "strong": piloted(kind, [10 * price] * len(strong), strong),
    }


def joined(*parts: Rows) -> dict[str, list[Mapping[str, Any]]]:
    return {name: [row for part in parts for row in part[name]] for name in ("cheap", "strong")}


@pytest.mark.parametrize(
    ("cheap", "strong", "route"),
    [
        pytest.param("+" * 20 + "-" * 20, "+" * 40, (("cheap", "strong"), "cheaper", "group"), id="a cascade"),
        pytest.param("+" * 40, "+" * 40, (("cheap",), "strongest", "group"), id="the cheap one, which solves as much"),
        pytest.param("-" * 40, "+" * 40, (("strong",), "strongest", "group"), id="the strong one"),
        pytest.param("-" * 40, "-" * 40, ((), "unsolved", "group"), id="nobody, as nobody solves any"),
        pytest.param("?" * 40, "?" * 40, ((), "untold", "group"), id="nobody can say"),
        pytest.param("?" * 40, "+" * 40, (("strong",), "strongest", "group"), id="of one nobody can say"),
        pytest.param("+" * 5, "+" * 5, ((), "few", "all"), id="too few, even of all"),
        pytest.param("", "", ((), "untried", "category"), id="nobody tried any"),
    ],
)
def test_a_group_of_its_own(tmp_path: Path, store: Store, cheap: str, strong: str, route: Any) -> None:
    found = proposed(tmp_path, store, both(EASY, cheap, strong), {EASY: 400})
    assert asked(found) == {EASY: route}
    shown = " ".join(" ".join(row) for row in lines.proposed_rows(found))
    assert " → ".join(route[0]) or "nobody" in shown
    undecided = [one for one in lines.cautions(found) if "nothing is proposed" in one]
    assert bool(undecided) == (route[1] in ("untold", "few", "untried"))
    assert found.steps == "" if not route[0] else "distill_" in found.steps


def test_a_group_of_few_goes_by_its_category_and_says_so(tmp_path: Path, store: Store) -> None:
    tried = joined(both(EASY, "+" * 20 + "-" * 20, "+" * 40), both(HARD, "+-", "++"))
    found = proposed(tmp_path, store, tried, {EASY: 400, HARD: 20, ("math", "mad"): 8})
    cascade = ("cheap", "strong")
    expected = {EASY: (cascade, "cheaper", "group"), HARD: (cascade, "cheaper", "category")}
    assert asked(found) == {**expected, ("math", "mad"): (cascade, "cheaper", "category")}
    why = {row[1]: row[-2:] for row in lines.proposed_rows(found)}
    assert why["hard"][0] == "category math"
    assert "of its own, 2 could be told" in why["hard"][1]
    assert "of its own, 0 could be told" in why["mad"][1]


def test_rare_groups_go_by_their_like_and_not_by_what_their_category_is_else(tmp_path: Path, store: Store) -> None:
    """Trap: rare easy problems were taken to be like the hard ones of their category, which so counted twice."""
    names = ("one", "two", "three", "four")
    rare = [both(("math", name), "+" * 9, "+" * 9, 1) for name in names]
    hard = {name: piloted(HARD, [100] * 30, "-" * 30) for name in ("cheap", "strong")}
    tried = joined(hard, *rare)
    sizes = {HARD: 3000, **dict.fromkeys((("math", name) for name in names), 900)}
    found = proposed(tmp_path, store, tried, sizes)
    assert asked(found)["math", "one"] == (("cheap",), "strongest", "few")
    assert asked(found)[HARD] == ((), "unsolved", "group")
    for alone in found.courses[1:]:
        assert alone.solved
        assert alone.tokens
        assert alone.solved.expected == 3600
        assert alone.tokens.expected == 3000 * 100 + 3600 * 10
    assert {row[4] for row in lines.proposed_rows(found) if row[1] == "one"} == {"small groups of math"}


def test_a_category_of_few_goes_by_all(tmp_path: Path, store: Store) -> None:
    tried = joined(both(EASY, "+" * 20 + "-" * 20, "+" * 40), both(LOGIC, "+-", "++"))
    found = proposed(tmp_path, store, tried, {EASY: 400, LOGIC: 20, BARE: 30})
    assert asked(found)[LOGIC] == (("cheap", "strong"), "cheaper", "all")
    assert asked(found)[BARE] == ((), "untried", "category"), "nobody tried any of it: all others tell nothing of it"


def test_a_category_of_which_nobody_can_say_does_not_go_by_the_others(tmp_path: Path, store: Store) -> None:
    tried = joined(both(EASY, "+" * 40, "+" * 40), both(LOGIC, "????", "????"))
    assert asked(proposed(tmp_path, store, tried, {EASY: 400, LOGIC: 20}))[LOGIC] == ((), "untold", "category")


def test_where_intervals_overlap_the_category_tells(tmp_path: Path, store: Store) -> None:
    near = both(HARD, "+" * 8 + "-" * 12, "+" * 20, 3)
    sure = both(EASY, "+" * 70 + "-" * 10, "+" * 80, 3)
    alone = proposed(tmp_path, store, near, {HARD: 200})
    assert asked(alone) == {HARD: (("strong",), "overlap", "group")}
    found = proposed(tmp_path, store, joined(near, sure), {HARD: 200, EASY: 800})
    assert asked(found)[HARD] == (("cheap", "strong"), "cheaper", "category")
    assert "the intervals overlap" in {row[1]: row[-1] for row in lines.proposed_rows(found)}["hard"]


def test_a_category_does_not_decide_against_what_its_group_shows(tmp_path: Path, store: Store) -> None:
    """Trap: by the easy problems of its category the cheap teacher was asked hard ones, which it never solved."""
    near = both(HARD, "-" * 11 + "+", "+" * 12, 3)
    sure = both(EASY, "+" * 400, "+" * 400, 3)
    found = proposed(tmp_path, store, joined(near, sure), {HARD: 200, EASY: 8000})
    assert asked(found)[EASY][0] == ("cheap",)
    assert asked(found)[HARD] == (("strong",), "strongest", "group")


def test_who_is_better_on_ten_problems_by_chance_is_not_the_strongest(tmp_path: Path, store: Store) -> None:
    """Trap: in a real pilot the small teacher solved five of ten, the large one three, and more of all others."""
    few = both(HARD, "+++++-----", "++-+------", 1)
    many = both(EASY, "+" * 30 + "-" * 30, "+" * 55 + "-" * 5, 1)
    dearer = {"cheap": [*few["cheap"], *many["cheap"]], "strong": [*few["strong"], *many["strong"]]}
    found = proposed(tmp_path, store, dearer, {HARD: 300, EASY: 1800})
    assert asked(found)[HARD][0] == ("strong",)
    assert asked(found)[HARD][2] == "category"


def test_order_of_rows_and_steps_changes_nothing(tmp_path: Path, store: Store) -> None:
    tried = joined(both(EASY, "+-" * 20, "+" * 40, 7), both(LOGIC, "+--" * 5, "++?" * 5, 7))
    sizes = {EASY: 400, LOGIC: 90, HARD: 9}
    found = proposed(tmp_path, store, tried, sizes)
    other = Store.at(str(tmp_path / "other"), create=True)
    chance = random.Random(3)
    mixed = {name: chance.sample(rows, len(rows)) for name, rows in reversed(tried.items())}
    again = proposed(tmp_path, other, mixed, dict(reversed(sizes.items())))
    assert lines.as_data(again) == {**lines.as_data(found), "replaced": again.replaced}
    assert set(again.replaced) == set(found.replaced)


def test_only_problems_that_all_were_tried_on_are_compared(tmp_path: Path, store: Store) -> None:
    """Trap: one teacher's pilot was larger, and its further problems were easier."""
    cheap, strong = both(EASY, "-" * 20 + "+" * 80, "+" * 20).values()
    found = proposed(tmp_path, store, {"cheap": cheap, "strong": strong}, {EASY: 400})
    assert [(one.teacher, one.tried, one.solved) for one in found.measured[0]] == [("cheap", 20, 0), ("strong", 20, 20)]
    assert found.notes == ("cheap: of 100 problems that it was tried on 20 are compared, those that all were tried on",)
    assert asked(found)[EASY][0] == ("strong",)


def test_a_pilot_of_fewer_problems_is_named(tmp_path: Path, store: Store) -> None:
    """Trap: what the first teacher's server refuses is gone when the second one's pilot chooses, if it comes later."""
    made = recipe(tmp_path, 1, ("cheap", "strong"))
    for (name, rows), size in zip(both(EASY, "+" * 12, "+" * 12).items(), (400, 380), strict=True):
        seal(store, f"pilot_{name}", rows, {EASY: size, HARD: 5})
    found = routes(made, store)
    assert found.routes[0].problems == 380
    (note,) = found.notes
    assert note.startswith("pilot_strong: steps before it turned 20 problems away")


def test_groups_are_known_in_any_spelling(tmp_path: Path, store: Store) -> None:
    parts = (both(("Maths", "Very  Hard"), "+" * 8, "+" * 8), both(("math", "very hard"), "+" * 8, "+" * 8))
    (found,) = proposed(tmp_path, store, joined(*parts), {("Maths", "Very  Hard"): 40, ("math", "very hard"): 2}).routes
    assert (found.kind, found.problems, found.sample.tried) == (("math", "very hard"), 42, 16)


def test_shares_have_their_interval_and_tokens_those_of_failures(tmp_path: Path, store: Store) -> None:
    found = proposed(tmp_path, store, both(EASY, "+++++-----????", "+" * 14), {EASY: 100})
    cheap = found.measured[0][0]
    assert (cheap.tried, cheap.told, cheap.solved, cheap.share) == (14, 10, 5, 0.5)
    assert (cheap.low, cheap.high) == pytest.approx(beta.ppf([0.05, 0.95], 5.5, 5.5))
    assert (cheap.tokens, cheap.tokens_solved, cheap.money) == (10, 28, None)


PRICES = {"cheap": {"input": 1.0, "output": 100.0}, "strong": {"input": 1.0, "output": 1.0}}


def test_money_decides_where_all_prices_are_known(tmp_path: Path, store: Store) -> None:
    """By tokens the one is cheaper, by money the other."""
    tried = both(EASY, "+" * 40, "+" * 40)
    assert asked(proposed(tmp_path, store, tried, {EASY: 400}))[EASY][0] == ("cheap",)
    found = proposed(tmp_path, store, tried, {EASY: 400}, prices=PRICES)
    assert (asked(found)[EASY][0], found.currency) == (("strong",), "USD")
    assert found.measured[0][0].money == pytest.approx(10 * 100 / 1e6)
    cost = found.courses[0].cost
    assert cost
    assert cost.expected == pytest.approx(400 * 100 / 1e6)
    assert any("USD" in name for name in lines.total_head(found))


@pytest.mark.parametrize(
    "prices",
    [
        pytest.param({"cheap": PRICES["cheap"]}, id="one has no price"),
        pytest.param({**PRICES, "strong": {**PRICES["strong"], "currency": "EUR"}}, id="two currencies"),
    ],
)
def test_else_tokens_do_and_that_is_said(tmp_path: Path, store: Store, prices: Any) -> None:
    found = proposed(tmp_path, store, both(EASY, "+" * 40, "+" * 40), {EASY: 400}, prices=prices)
    assert (asked(found)[EASY][0], found.currency) == (("cheap",), "")
    assert any("chosen by tokens" in one for one in lines.cautions(found))


FIXED = {"kind": "fixed"}


@pytest.mark.parametrize(
    ("rows", "how", "said_of_it"),
    [
        pytest.param(piloted(EASY, [10] * 12, "+" * 12), {"old": True}, "raise its `refit`", id="of an older store"),
        pytest.param(piloted(EASY, [None] * 12, "+" * 12), {}, "counted no tokens", id="no tokens"),
        pytest.param(None, {}, "has not run yet", id="not run"),
    ],
)
def test_a_pilot_that_tells_nothing_is_left_out_and_named(
    tmp_path: Path, store: Store, rows: Any, how: Any, said_of_it: str
) -> None:
    made = recipe(tmp_path, 1, ("cheap", "strong"))
    seal(store, "pilot_cheap", piloted(EASY, [10] * 12, "+" * 12), {EASY: 40})
    if rows:
        seal(store, "pilot_strong", rows, {EASY: 40}, **how)
    found = routes(made, store)
    assert [one.teachers for one in found.routes] == [("cheap",)]
    assert [one for one in lines.cautions(found) if one.startswith("pilot_strong: ") and said_of_it in one]


def test_a_pilot_of_other_settings_than_todays_is_left_out_and_named(tmp_path: Path, store: Store) -> None:
    """Trap: with a cap, a temperature or a model changed since, steps were proposed for what nobody had tried."""
    tried = both(EASY, "+" * 20 + "-" * 20, "+" * 40)
    proposed(tmp_path, store, tried, {EASY: 400})
    made = recipe(tmp_path, 1, tuple(tried), policy={"kind": "until_pass", "max": 5, "verifiers": [{"kind": "math"}]})
    before = recipe(tmp_path, 1, tuple(tried)).steps["pilot_cheap"]
    sealed = store.manifest("pilot_cheap", 0)
    assert sealed
    settings = before.settings(inputs_for(made, store, "plan", 0))
    store.seal(sealed.model_copy(update={"settings": settings, "fingerprint": "other"}))
    found = routes(made, store)
    assert asked(found) == {EASY: (("strong",), "strongest", "group")}
    assert any(said.startswith("pilot_cheap: tried its teacher with other settings") for said in found.notes)


def test_a_teacher_whose_policy_judges_nothing_is_named(tmp_path: Path, store: Store) -> None:
    made = recipe(tmp_path, 1, ("cheap",), policy=FIXED)
    seal(store, "pilot_cheap", piloted(EASY, [10] * 12, "?" * 12), {EASY: 40})
    with pytest.raises(MissingInput, match="judges nothing: give it `until_pass`"):
        routes(made, store)


def test_who_is_asked_what_another_left_is_not_compared(tmp_path: Path, store: Store) -> None:
    """Trap: all that both had tried were problems that the cheap one had failed: it seemed to solve none."""
    first = recipe(tmp_path, 1, ("cheap", "other", "strong"), forecast={"strong": {"problems": "unverified"}})
    steps = {name: step.model_dump(mode="json") for name, step in first.steps.items()}
    late = {name: steps.pop(name) for name in ("pilot_strong", "distill_strong")}
    made = recipe(tmp_path, 1, steps={**{n: s for n, s in steps.items() if "_" in n}, "check": VERIFY, **late})
    for name in ("cheap", "other", "strong"):
        seal(store, f"pilot_{name}", piloted(EASY, [10] * 12, "+" * 12), {EASY: 40})
    found = routes(made, store)
    assert set(found.routes[0].sample.teachers) == {"cheap", "other"}
    (note,) = found.notes
    assert note.startswith("pilot_strong: tries other problems than pilot_cheap, pilot_other")


def test_a_recipe_without_pilots_says_what_to_do(store: Store) -> None:
    with pytest.raises(RecipeError, match="put a `pilot` step"):
        routes(load_recipe("demo"), store)


def _same_model(folder: Path) -> Recipe:
    one = recipe(folder, 1, ("cheap", "strong"))
    steps = {name: step.model_dump(mode="json") for name, step in one.steps.items() if "_" in name}
    steps["pilot_strong"]["teacher"]["model"]["name"] = "cheap"
    steps["distill_strong"]["teacher"]["model"]["name"] = "cheap"
    steps["pilot_strong"]["teacher"] = steps["pilot_cheap"]["teacher"]
    return recipe(folder, 1, steps=steps)


def test_two_pilots_of_one_name_are_refused(tmp_path: Path, store: Store) -> None:
    made = _same_model(tmp_path)
    for name in ("cheap", "strong"):
        seal(store, f"pilot_{name}", piloted(EASY, [10] * 12, "+" * 12), {EASY: 40})
    with pytest.raises(RecipeError, match="both try teacher 'cheap'"):
        routes(made, store)


@pytest.mark.parametrize("name", ["compare_demo", "am_thinking_distilled", "grade_decided", "deepdistill_40m"])
def test_a_teacher_is_written_as_it_is(name: str) -> None:
    for step in load_recipe(name).steps.values():
        if teacher := getattr(step, "teacher", None):
            assert TypeAdapter(AnyTeacher).validate_python(said(teacher)) == teacher


def test_the_recipe_of_the_how_to_can_be_run() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "route-problems.md").read_text(encoding="utf-8")
    shown = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    source = {"kind": "jsonl", "name": "sums", "path": "sums.jsonl", "columns": {"prompt": "q"}}
    made = parse_recipe({**shown, "description": "", "sources": [source]}, "the how-to")
    pilots = [step for step in made.steps.values() if isinstance(step, Pilot)]
    assert {one.teacher.model.name for one in pilots if one.teacher.policy.judged_by} == {"small", "large"}


def test_from_the_command_line(tmp_path: Path, store: Store) -> None:
    proposed(tmp_path, store, both(EASY, "+" * 20 + "-" * 20, "+" * 40), {EASY: 400, BARE: 7})
    shown = CliRunner().invoke(app, ["routes", store.root])
    assert shown.exit_code == 0, shown.output
    for words in (
        "cheap → strong",
        "the proposal",
        "strong alone",
        "Of 7 problems nothing is proposed",
        "# In the place",
    ):
        assert words in shown.output
    data = json.loads(CliRunner().invoke(app, ["routes", store.root, "--json"]).output)
    assert [one["teachers"] for one in data["routes"]] == [["cheap", "strong"], []]
    assert [one["name"] for one in data["totals"]] == ["proposal", "cheap", "strong"]
    bare = CliRunner().invoke(app, ["routes", store.root, "--steps"]).output
    assert bare.startswith("# In the place of these steps of the recipe: pilot_cheap, pilot_strong, distill_cheap")
    assert bare.endswith(data["steps"])
    assert CliRunner().invoke(app, ["routes", store.root, "--tolerance", "1.5"]).exit_code == 2


OUTCOMES = st.lists(st.tuples(st.sampled_from("+-?"), st.sampled_from("+-")), max_size=25)
GROUPS = [EASY, HARD, LOGIC, ("logic", None), BARE]


def _tried(groups: Mapping[Any, list[tuple[str, str]]], drops: int) -> Tried:
    """Three teachers, of whom the third is dearer than the first in each group, and solves fewer or none, too."""
    columns: dict[str, list[Any]] = {}
    for kind, outcomes in groups.items():
        cheap, strong = ["".join(row[place] for row in outcomes) for place in (0, 1)]
        waste = "-" * min(len(cheap), drops) + cheap[drops:] if cheap.count("+", 0, drops) else "-" * len(cheap)
        for name, said_of, took in (("cheap", cheap, 10), ("strong", strong, 60), ("waste", waste, 11)):
            for number, outcome in enumerate(said_of):
                row = (f"{kind}{number:03d}", *kind, took + number, outcome != "?", outcome == "+")
                columns.setdefault(name, []).append(row)
    names = ("cheap", "strong", "waste")
    parts = [
        pl.DataFrame(
            columns.get(name, []),
            {
                "problem_id": pl.String,
                "category": pl.String,
                "difficulty": pl.String,
                f"tokens:{name}": pl.Int64,
                f"told:{name}": pl.Boolean,
                f"passed:{name}": pl.Boolean,
            },
            orient="row",
        ).with_columns(pl.lit(None, pl.Float64).alias(f"money:{name}"))
        for name in names
    ]
    keys = ["problem_id", "category", "difficulty"]
    rows = reduce(lambda one, other: one.join(other, on=keys, how="full", coalesce=True, nulls_equal=True), parts)
    return Tried({}, rows.sort("problem_id"), dict.fromkeys(GROUPS, (500, names)), "", ())


@settings(deadline=None, max_examples=60)
@given(groups=st.dictionaries(st.sampled_from(GROUPS), OUTCOMES), drops=st.integers(1, 25))
def test_of_every_group_something_is_told(groups: Mapping[Any, list[tuple[str, str]]], drops: int) -> None:
    """Who is dearer and worse in each is asked nowhere; what nobody tried is told, and never guessed."""
    found = {one.kind: one for one in propose(_tried(groups, drops), 0.05)}
    assert found.keys() == set(GROUPS)
    for kind, one in found.items():
        assert "waste" not in one.teachers
        told = sum(row != ("?", "?") for row in groups.get(kind, []))
        within = [row for other, own in groups.items() if other[0] == kind[0] for row in own]
        assert (one.verdict == "untried") == (not within)
        assert one.is_decided or not one.teachers
        if one.is_decided and told < 10:
            assert one.level != "group"
        if one.verdict == "unsolved":
            assert not any("+" in row for row in groups.get(kind, []))
