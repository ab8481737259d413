"""What a recipe can name is described from the classes themselves, and a schema lets editors complete it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from tracemill.cli import app
from tracemill.drafting.described import REQUIRED, described
from tracemill.drafting.kinds import Kind, kinds, kinds_named
from tracemill.drafting.schema import recipe_schema
from tracemill.engine.resources import SHIPPED
from tracemill.engine.tables import declared
from tracemill.errors import RecipeError

KINDS = kinds()
RECIPES = sorted(SHIPPED.glob("*.yaml"))


def named(kind: Kind) -> str:
    return f"{kind.family}-{kind.name}"


@cache
def validator() -> Any:
    """The library's validator for recipes."""
    schema = recipe_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_every_key_of_every_kind_has_a_sentence(kind: Kind) -> None:
    """Trap: a key that nobody explains is a key that newcomers leave alone."""
    found = described(kind)
    assert found.text
    assert {key.name for key in found.keys if not key.sentence} == set()
    assert "anything" not in {key.type for key in found.keys}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.family == "step"], ids=named)
def test_a_step_names_tables_that_are_declared(kind: Kind) -> None:
    facts = described(kind).facts
    tables = {name for key in ("reads", "writes") for name in facts[key].split(", ")} - {"nothing"}
    assert tables <= set(declared())
    assert facts["counts"] in {"rows", "problems", "generations"}


def test_keys_say_type_default_unit_and_meaning() -> None:
    (serve,) = (described(kind) for kind in kinds_named("serve"))
    keys = {key.name: key for key in serve.keys}
    assert (keys["idle"].type, keys["idle"].default, keys["idle"].unit) == ("number > 0", "300", "seconds")
    assert "`idle`" in keys["idle"].sentence
    (sandbox,) = (described(kind) for kind in kinds_named("sandbox_settings"))
    assert {key.name: key.default for key in sandbox.keys}["python"] == "this interpreter"
    (math_cot,) = (described(kind) for kind in kinds_named("math_cot"))
    assert [key.name for key in math_cot.keys if key.default == REQUIRED][:2] == ["kind", "name"]


def test_reasons_are_those_of_the_docstring() -> None:
    (rules,) = (described(kind) for kind in kinds_named("rules"))
    assert {"truncated", "no_think", "blank_think", "repetition"} <= set(rules.reasons)


def test_one_name_in_two_families_is_told_of_both() -> None:
    assert [kind.family for kind in kinds_named("served")] == ["reward model", "embedder"]


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean 'decontaminate'"):
        kinds_named("decontaminat")


@pytest.mark.parametrize("arguments", [[], ["cpp"], ["distill"], ["sampling"], ["served"]], ids=" ".join)
def test_the_command_prints_for_people_and_programs(arguments: list[str]) -> None:
    text = CliRunner().invoke(app, ["describe", *arguments])
    data = CliRunner().invoke(app, ["describe", *arguments, "--json"])
    assert (text.exit_code, data.exit_code) == (0, 0)
    assert json.loads(data.stdout)
    assert all(name in text.stdout for name in arguments or ["decontaminate", "language"])


def test_a_wrong_kind_is_one_sentence() -> None:
    result = CliRunner().invoke(app, ["describe", "limoo"])
    assert result.exit_code == 1
    assert "did you mean 'limo'" in result.output


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_schema_takes_every_shipped_recipe(path: Any) -> None:
    errors = [f"{list(one.absolute_path)}: {one.message}" for one in validator().iter_errors(loaded(path))]
    assert errors == []


def loaded(path: Any) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def misspelt(recipe: Any) -> None:
    recipe["descripton"] = recipe.pop("description")


def deep(recipe: Any) -> None:
    step = next(step for step in recipe["steps"].values() if step["kind"] == "distill")
    step["teacher"]["sampels"] = 2


def unknown_kind(recipe: Any) -> None:
    recipe["sources"][0]["kind"] = "jsonlines"


def wrong_type(recipe: Any) -> None:
    recipe["rows_per_shard"] = "many"


def trial(recipe: Any) -> None:
    recipe["trial"] = 50


@pytest.mark.parametrize("spoil", [misspelt, deep, unknown_kind, wrong_type, trial], ids=lambda one: one.__name__)
def test_the_schema_refuses_what_the_reader_refuses(spoil: Callable[[Any], None]) -> None:
    recipe = copy.deepcopy(loaded(SHIPPED / "demo.yaml"))
    assert validator().is_valid(recipe)
    spoil(recipe)
    assert not validator().is_valid(recipe)


def test_a_recipe_like_another_needs_a_name_alone_and_may_say_any_part_of_a_step() -> None:
    assert validator().is_valid({"name": "mine", "like": "demo", "steps": {"label": {}}})
    assert not validator().is_valid({"like": "demo"})
    assert not validator().is_valid({"name": "mine", "like": "demo", "sources": [{"kind": "jsonl"}]})
    assert not validator().is_valid({"name": "mine", "lik": "demo"})


def test_the_schema_is_equal_on_every_machine_and_says_what_keys_mean() -> None:
    text = json.dumps(recipe_schema())
    assert not re.search(r'"/(?:root|home|work|usr|tmp)/', text)
    assert recipe_schema()["properties"]["rows_per_shard"]["description"]
