"""A recipe may be another one but for what it says itself: what is laid over what, and what is refused."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml

from tracemill.engine.step import Step
from tracemill.errors import RecipeError
from tracemill.recipe import load_recipe
from tracemill_airflow.shelf import recipe_texts

BASE: dict[str, Any] = {
    "name": "base",
    "description": "What others are like.",
    "rows_per_shard": 7,
    "sources": [{"kind": "jsonl", "name": "a", "path": "a.jsonl", "columns": {"prompt": "q"}}],
    "steps": {
        "label": {"kind": "label"},
        "rules": {"kind": "rules", "styles": ["am", "r1"], "copies": 9},
        "select": {"kind": "select", "unverified": "keep"},
        "release": {"kind": "release"},
    },
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of recipes that are found by name."""
    monkeypatch.setenv("TRACEMILL_RECIPES", str(tmp_path))
    put(tmp_path, "base", BASE)
    return tmp_path


def put(folder: Path, name: str, data: dict[str, Any]) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return path


def test_keys_are_laid_over_at_any_depth_and_the_rest_stays(folder: Path) -> None:
    own = {"rules": {"copies": 10, "styles": ["am"]}, "late": {"kind": "label"}}
    put(folder, "mine", {"name": "mine", "like": "base", "steps": own})
    base = load_recipe("base")
    mine = load_recipe("mine")
    assert (mine.name, mine.description, mine.rows_per_shard) == ("mine", base.description, 7)
    assert list(mine.steps) == [*base.steps, "late"]
    changed = {name for name, step in base.steps.items() if mine.steps[name] != step}
    assert changed == {"rules"}
    assert mine.step("rules").model_dump(include={"copies", "styles", "n"}) == {
        "copies": 10,
        "styles": ("am",),
        "n": 20,
    }


def test_lists_are_replaced_whole_and_null_is_a_value(folder: Path) -> None:
    """Trap: in a recipe null turns a rule off; it takes no key out."""
    source = {**BASE["sources"][0], "name": "b"}
    put(folder, "one", {**BASE, "name": "one", "steps": {"filter": {"kind": "filter", "url": "any"}, **BASE["steps"]}})
    put(folder, "two", {"name": "two", "like": "one", "sources": [source], "steps": {"filter": {"url": None}}})
    two = load_recipe("two")
    assert [one.name for one in two.sources] == ["b"]
    assert two.step("filter").model_dump()["url"] is None


def test_likes_go_on_and_paths_start_at_the_file_that_says_so(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    put(inner, "second", {"name": "second", "like": "../base.yaml", "rows_per_shard": 8})
    third = put(inner, "third", {"name": "third", "like": "second.yaml", "description": "Of both."})
    found = load_recipe(str(third))
    assert (found.name, found.rows_per_shard, found.description) == ("third", 8, "Of both.")
    assert found._folder == str(inner)


REFUSED = {
    "nobody": ({"name": "mine", "like": "basis"}, "no recipe 'basis'.*base"),
    "no name of its own": ({"like": "base"}, "give it a `name` of its own"),
    "itself": ({"name": "mine", "like": "mine"}, "like each other"),
    "one that is like it": ({"name": "mine", "like": "other"}, "like each other"),
    "a wrong key": ({"name": "mine", "like": "base", "steps": {"rules": {"copys": 3}}}, "copys.*copies"),
}


@pytest.mark.parametrize(("data", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_laid_over_is_one_sentence(folder: Path, data: dict[str, Any], said: str) -> None:
    put(folder, "mine", data)
    put(folder, "other", {"name": "other", "like": "mine"})
    with pytest.raises(RecipeError, match=f"(?s){said}"):
        load_recipe("mine")


def test_a_key_that_is_written_twice_is_told_of_both_files(folder: Path) -> None:
    """Trap: laid over each other, one of two would be gone without a word."""
    (folder / "twice.yaml").write_text("name: twice\nlike: base\nrows_per_shard: 3\nrows_per_shard: 4\n")
    with pytest.raises(RecipeError, match="'rows_per_shard' is written twice"):
        load_recipe("twice")
    put(folder, "mine", {"name": "mine", "like": "twice"})
    with pytest.raises(RecipeError, match=r"like 'twice': .*twice\.yaml cannot be read"):
        load_recipe("mine")


def test_the_forms_read_it_whole_and_one_that_is_wrong_costs_itself_alone(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(folder, "mine", {"name": "mine", "like": "base", "steps": {"late": {"kind": "label"}}})
    put(folder, "wrong", {"name": "wrong", "like": "nobody"})
    with caplog.at_level(logging.WARNING):
        texts = recipe_texts()
    assert list(yaml.safe_load(texts["mine"])["steps"]) == [*BASE["steps"], "late"]
    assert "no recipe 'nobody'" in caplog.text
    assert {"base", "wrong", "demo"} <= texts.keys()


ZOO = ("teacher-weak", "teacher-small", "teacher-large", "judge", "reward")


def test_the_zoo_stands_in_the_papers_places_in_every_stage_of_the_paper() -> None:
    """One override runs the whole recipe: the same stages, and no model that is not the project's own."""
    paper = load_recipe("deepdistill_40m")
    zoo = load_recipe("deepdistill_zoo")
    assert [(name, step.kind) for name, step in zoo.steps.items()] == [(n, s.kind) for n, s in paper.steps.items()]
    weights = {model["weights"] for step in zoo.steps.values() for model in models(step)}
    assert weights == {f"../../zoo/models/{one}" for one in ZOO}
    assert not {word for step in zoo.steps.values() for word in words(step.model_dump()) if "deepseek" in word.lower()}


def models(step: Step) -> list[dict[str, Any]]:
    """Every model that a step's settings hold."""
    found = []
    stack: list[Any] = [step.model_dump()]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            found += [one] if "weights" in one else []
            stack += one.values()
        elif isinstance(one, list | tuple):
            stack += one
    return found


def words(data: Any) -> set[str]:
    """Every text of some data, keys too."""
    if isinstance(data, dict):
        return set(data) | {word for value in data.values() for word in words(value)}
    if isinstance(data, list | tuple):
        return {word for value in data for word in words(value)}
    return {data} if isinstance(data, str) else set()
