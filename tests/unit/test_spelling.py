"""What is misspelt in a recipe is named by its place in the YAML, with what was probably meant."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemill.errors import RecipeError
from tracemill.recipe import load_recipe, parse_recipe, recipe_names
from tracemill.text.spelling import nearest

WHOLE: dict[str, Any] = {
    "name": "mine",
    "description": "d",
    "sources": [{"kind": "jsonl", "name": "mine", "path": "x.jsonl", "columns": {"prompt": "q"}}],
    "steps": {
        "sign": {"kind": "sign", "embedder": {"kind": "multilingual"}},
        "distill": {
            "kind": "distill",
            "teacher": {"kind": "chat", "model": {"name": "r1", "api": {"url": "https://x/v1", "model": "m"}}},
        },
        "verify": {"kind": "verify", "verifiers": [{"kind": "math"}]},
        "select": {"kind": "select"},
    },
}


def changed(place: str, value: Any) -> dict[str, Any]:
    """The recipe with one key set."""
    made = copy.deepcopy(WHOLE)
    *path, key = place.split("/")
    node: Any = made
    for part in path:
        node = node[int(part)] if isinstance(node, list) else node[part]
    node[int(key) if isinstance(node, list) else key] = value
    return made


TYPOS: dict[str, tuple[str, Any, str, str]] = {
    "a key of the recipe": ("rows_per_shards", 5, "rows_per_shards: ", "'rows_per_shard'"),
    "a kind of source": ("sources/0/kind", "jsonnl", "sources.0.kind: ", "'jsonl'"),
    "a benchmark": ("sources/0/kind", "aime_2062", "sources.0.kind: ", "'aime_202"),
    "a key of a source": ("sources/0/pathh", "x", "sources.0.pathh: ", "'path'"),
    "a mapped column": ("sources/0/columns/refrence_answer", "a", "sources.0.columns.refrence_answer: ", "'reference"),
    "a kind of step": ("steps/select/kind", "slect", "steps.select.kind: ", "'select'"),
    "a key of a step": ("steps/select/responses_per_problems", 1, "steps.select.responses", "'responses_per_problem'"),
    "an embedder": ("steps/sign/embedder/kind", "multilingul", "steps.sign.embedder.kind: ", "'multilingual'"),
    "a verifier": ("steps/verify/verifiers/0/kind", "maths", "steps.verify.verifiers.0.kind: ", "'math'"),
    "a teacher": ("steps/distill/teacher/kind", "chatt", "steps.distill.teacher.kind: ", "'chat'"),
    "a key of an api": (
        "steps/distill/teacher/model/api/request_per_minute",
        5,
        "steps.distill.teacher.model.api.request_per_minute: ",
        "'requests_per_minute'",
    ),
    "a word that is chosen from": ("steps/select/unverified", "kepp", "steps.select.unverified: ", "'keep'"),
}


@pytest.mark.parametrize(("place", "value", "said", "meant"), TYPOS.values(), ids=TYPOS)
def test_a_typo_is_named_by_its_place_and_what_was_meant(place: str, value: Any, said: str, meant: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(changed(place, value), "mine.yaml")
    assert f"  {said}" in str(caught.value)
    assert f"did you mean {meant}" in str(caught.value)


MISSING: dict[str, tuple[Any, str]] = {
    "no kind": (changed("steps/select", {}), "steps.select: `kind` is missing"),
    "an empty file": (None, "holds no recipe"),
    "a list": ([1], "holds no recipe"),
    "nothing near": (
        changed("steps/select/kind", "qqqqq"),
        "steps.select.kind: unknown kind 'qqqqq'; there are: annot",
    ),
}


@pytest.mark.parametrize(("data", "said"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_said(data: Any, said: str) -> None:
    with pytest.raises(RecipeError, match=r"mine\.yaml") as caught:
        parse_recipe(data, "mine.yaml")
    assert said in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = ["sources/0/kind", "sources", "sources/0", "steps", "steps/sign", "steps/distill/teacher/model", "name", "new"]


@settings(deadline=None, max_examples=60)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_whatever_stands_in_a_recipe_is_a_recipe_error_with_a_line_for_each_fault(place: str, value: Any) -> None:
    """Trap: whoever walks by what the user wrote must not fall over what the user wrote."""
    with pytest.raises(RecipeError, match=r"problem\(s\); fix these keys:\n  ") as caught:
        parse_recipe({**changed(place, value), "wrong": value}, "mine.yaml")
    assert "\n  wrong: unknown key" in str(caught.value)


def test_a_recipe_that_is_misspelt_is_told_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean 'real_sample'"):
        load_recipe("real_smaple")


def test_case_is_no_difference_and_long_lists_are_cut() -> None:
    assert nearest("Demo", recipe_names()).startswith("; did you mean 'demo'?")
    assert nearest("zzz", map(str, range(1000, 1100))).endswith("(100 in all)")


AIME = {"kind": "aime", "name": "d", "path": "d.jsonl"}
ONE_CAUSE = {
    "a bad source is no missing source": ({"sources": [AIME | {"pth": "x"}]}, "sources.0.pth"),
    "a misspelt key is not missing too": ({"sorces": [AIME]}, "sorces"),
    "within a source": ({"sources": [{"kind": "jsonl", "name": "a", "path": "a", "colums": {}}]}, "sources.0.colums"),
    "no source at all": ({"sources": []}, "sources"),
}


@pytest.mark.parametrize(("data", "place"), ONE_CAUSE.values(), ids=ONE_CAUSE)
def test_one_cause_is_one_sentence(data: dict[str, Any], place: str) -> None:
    with pytest.raises(RecipeError) as refused:
        parse_recipe({"name": "r", "description": "", "steps": {"unique": {"kind": "unique"}}, **data}, "r.yaml")
    assert [line.strip().split(":")[0] for line in str(refused.value).splitlines()[1:]] == [place]
