"""The steps that a table of routes is written as: they ask just the groups of the table, and recipes take them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.build.routed import ENDING, piloted, recipe, seal
from tracemill.distill.pilot import Pilot
from tracemill.distill.scope import Group
from tracemill.distill.step import Distill
from tracemill.engine.store import Store
from tracemill.recipe import Recipe
from tracemill.report.routes.proposal import Routes, routes
from tracemill.report.routes.steps import _wheres

CATEGORIES = st.sampled_from(["math", "code", None])
DIFFICULTIES = st.sampled_from(["easy", "hard", "1", None])
KINDS = st.tuples(CATEGORIES, DIFFICULTIES)
EASY, HARD, CODE, BARE = ("math", "easy"), ("math", "hard"), ("code", "easy"), ("code", None)
UNTIL_DECIDED = {"kind": "until_decided", "max": 8, "error": 0.2, "verifiers": [{"kind": "math"}]}


@given(every=st.sets(KINDS, min_size=1), wanted=st.sets(KINDS), is_narrow=st.booleans())
def test_the_parts_are_just_the_groups_each_once(every: set[Any], wanted: set[Any], is_narrow: bool) -> None:
    own = wanted & every
    parts = [Group.model_validate(where) if where else None for where in _wheres(own, every, is_narrow)] if own else []
    for kind in every:
        takers = [part for part in parts if part is None or part.holds(*kind)]
        assert len(takers) == (kind in own)


@given(every=st.sets(KINDS, min_size=1), others=st.sets(KINDS))
def test_where_pilots_were_tried_on_some_groups_no_other_is_asked(every: set[Any], others: set[Any]) -> None:
    """Trap: where all groups of a category went one way it was named alone, and brought those that no pilot tried."""
    parts = [Group.model_validate(where) for where in _wheres(every, every, is_narrow=True)]
    assert not [kind for kind in others - every if any(part.holds(*kind) for part in parts)]


def _table(folder: Path, store: Store, made: Recipe, kinds: list[Any], outcomes: dict[str, str]) -> Routes:
    for number, (name, words) in enumerate(outcomes.items()):
        rows = [row for kind in kinds for row in piloted(kind, [10 * 8**number] * len(words), words)]
        seal(store, f"pilot_{name}", rows, dict.fromkeys(kinds, 400))
    return routes(made, store)


HALF = {"cheap": "+-" * 20, "strong": "+" * 40}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


def pasted(folder: Path, found: Routes) -> Recipe:
    return recipe(folder, 1, steps=yaml.safe_load(found.steps))


def test_a_cascade_of_all_names_no_group(tmp_path: Path, store: Store) -> None:
    found = _table(tmp_path, store, recipe(tmp_path, 1, ("cheap", "strong")), [EASY, HARD, BARE], HALF)
    made = pasted(tmp_path, found)
    assert list(made.steps) == ["distill_cheap", "verify_round_1", "distill_strong", *ENDING]
    cheap, strong = (step for step in made.steps.values() if isinstance(step, Distill))
    assert (cheap.problems, cheap.where, cheap.refused) == ("all", None, "keep")
    assert (strong.problems, strong.where, strong.refused) == ("unverified", None, "quarantine")


def test_pilots_of_some_groups_have_each_named(tmp_path: Path, store: Store) -> None:
    scope = {"problems": "all", "where": {"category": ["math"], "difficulty": ["easy"]}}
    made = recipe(tmp_path, 1, ("cheap", "strong"), forecast={"cheap": scope, "strong": scope})
    again = pasted(tmp_path, _table(tmp_path, store, made, [EASY], HALF))
    wheres = [step.where for step in again.steps.values() if isinstance(step, Distill)]
    assert wheres == [Group(category=("math",), difficulty=("easy",))] * 2


def test_sources_and_rules_are_those_of_the_pilots(tmp_path: Path, store: Store) -> None:
    scope = {"problems": "unverified", "sources": ["sums"], "verified_by": ["source"]}
    made = recipe(tmp_path, 1, ("cheap", "strong"), forecast={"cheap": scope, "strong": scope})
    again = pasted(tmp_path, _table(tmp_path, store, made, [EASY], HALF))
    cheap, strong = (step for step in again.steps.values() if isinstance(step, Distill))
    assert (cheap.verified_by, cheap.sources) == (("source",), ("sums",))
    assert strong.verified_by == ("verdict", "source"), "the cheap teacher's verdicts decide who is asked again"


@pytest.mark.parametrize("where", [None, {"category": ["math"]}], ids=["all", "some groups"])
def test_a_policy_that_needs_its_pilot_keeps_one(tmp_path: Path, store: Store, where: Any) -> None:
    scope = {"problems": "all", **({"where": where} if where else {})}
    forecast = {"cheap": scope, "strong": scope}
    made = recipe(tmp_path, 1, ("cheap", "strong"), policy=UNTIL_DECIDED, forecast=forecast)
    table = _table(tmp_path, store, made, [EASY] if where else [EASY, CODE], HALF)
    again = pasted(tmp_path, table)
    tried_anew = [said.split(":")[0] for said in table.notes if "in no total" in said]
    assert tried_anew == (["pilot_cheap", "pilot_strong"] if where else ["pilot_strong"])
    names = ["pilot_cheap", "distill_cheap", "verify_round_1", "pilot_strong", "distill_strong"]
    assert [name for name in again.steps if name not in ENDING] == names
    assert all(step.forecast for step in again.steps.values() if isinstance(step, Pilot))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("teach-er", "teach_er", id="one name for a step"),
        pytest.param("teach-er", "teach.er", id="one name for an anchor, too"),
    ],
)
def test_teachers_of_like_names_stay_apart(tmp_path: Path, store: Store, first: str, second: str) -> None:
    """Trap: an anchor that is given twice means the second teacher from then on."""
    plain = recipe(tmp_path, 1, ("cheap", "strong"))
    steps = {name: step.model_dump(mode="json") for name, step in plain.steps.items() if name not in ENDING}
    names = {"cheap": first, "strong": second}
    for name, step in steps.items():
        step["teacher"]["model"]["name"] = names[name.split("_")[1]]
    table = _table(tmp_path, store, recipe(tmp_path, 1, steps=steps), [EASY, HARD], HALF)
    asked = [step.teacher.model.name for step in pasted(tmp_path, table).steps.values() if isinstance(step, Distill)]
    assert asked == [first, second]


def test_names_of_steps_that_stay_are_left_to_them(tmp_path: Path, store: Store) -> None:
    """Trap: pasted beside it, the step would take the other one's place."""
    made = recipe(tmp_path, 1, ("cheap", "strong"))
    steps = {name: step.model_dump(mode="json") for name, step in made.steps.items() if name not in ENDING}
    other = {"kind": "distill", "teacher": {"kind": "chat", "model": {"name": "x", "weights": "o/x", "revision": "a"}}}
    whole = recipe(tmp_path, 1, steps={**steps, "distill_cheap": other, "ask_cheap": steps["distill_cheap"]})
    table = _table(tmp_path, store, whole, [EASY], HALF)
    assert "ask_cheap" in table.replaced
    assert "distill_cheap" not in table.replaced
    assert list(yaml.safe_load(table.steps)) == ["distill_cheap_2", "verify_round_1", "distill_strong"]
