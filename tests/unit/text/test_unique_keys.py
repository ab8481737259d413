"""A key that is written twice is told with both of its places; what only looks like one is read as ever."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tracemill.engine.resources import SHIPPED
from tracemill.errors import RecipeError
from tracemill.recipe import load_recipe
from tracemill.text.unique_keys import read_yaml


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "'a' is written twice, first in line 1", id="at the top"),
        pytest.param("steps:\n  verify: {kind: a}\n  verify: {kind: b}\n", "first in line 2", id="two steps"),
        pytest.param("l:\n- {x: 1, x: 1}\n", "'x' is written twice", id="in a list, and equal"),
        pytest.param("a: 1\n'a': 2\n", "'a' is written twice", id="once in quotes"),
    ],
)
def test_a_key_that_is_written_twice_is_told(text: str, says: str) -> None:
    with pytest.raises(yaml.YAMLError, match=says):
        read_yaml(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: {x: 1}\nb: {x: 1}\n", id="in two mappings"),
        pytest.param("a: &m {x: 1}\nb: {<<: *m, x: 2}\nc: *m\n", id="merged, and written over"),
        pytest.param("a: &m {x: 1}\nn: &k {y: 1}\nb: {<<: *m, <<: *k}\n", id="merged twice"),
        pytest.param("1: a\n'1': b\n", id="a number and a word"),
        pytest.param("", id="nothing"),
        pytest.param("a: &a [1, 2]\nb: [*a, *a]\n", id="an alias"),
        *(pytest.param(path.read_text(encoding="utf-8"), id=path.stem) for path in sorted(SHIPPED.glob("*.yaml"))),
    ],
)
def test_all_else_is_read_as_before(text: str) -> None:
    assert read_yaml(text) == yaml.safe_load(text)


def test_aliases_of_aliases_are_looked_at_once() -> None:
    """Trap: ten levels of ten are ten thousand million mappings."""
    lines = ["l0: &l0 {x: 1}"] + [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 11)]
    assert len(read_yaml("\n".join(lines))) == 11


def test_a_recipe_with_two_steps_of_one_name_is_refused(tmp_path: Path) -> None:
    """Trap: the first verify step was left out, and what it would have turned away was released."""
    text = (SHIPPED / "demo.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(f"{text}\n  label: {{kind: label}}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"mine\.yaml: cannot be read as YAML: key 'label' is written twice"):
        load_recipe(str(tmp_path / "mine.yaml"))


def test_an_error_quotes_the_line_it_is_in() -> None:
    """Trap: libyaml, which reads first, tells only the number of the line."""
    with pytest.raises(yaml.YAMLError) as caught:
        read_yaml("steps:\n  label: {kind: label\n  rules: {kind: rules}\n")
    assert "  rules: {kind: rules}" in str(caught.value)


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12) | st.dates()


@given(st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner)))
def test_what_is_written_is_read_alike_by_both_parsers(data: object) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)
    assert read_yaml(text) == yaml.safe_load(text)
