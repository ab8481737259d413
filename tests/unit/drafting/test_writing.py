"""A drafted recipe is read back as it was meant, whatever its file and its model are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracemill.drafting.asked import Asked
from tracemill.drafting.looking import Look
from tracemill.drafting.writing import Draft, recipe_name, write
from tracemill.recipe import load_recipe

ROWS = ({"question": "What is 1 + 1?", "answer": "2"},)
COLUMNS = {"prompt": "question", "reference_answer": "answer"}


@pytest.mark.parametrize("name", ["2024", "on", "null", "1_000", "0x1f", "12e03", "sums"])
def test_a_name_is_a_word_also_where_yaml_knows_a_number_or_a_truth(tmp_path: Path, name: str) -> None:
    """Trap: problems in 2024.jsonl, and a model that is called 123."""
    (tmp_path / f"{name}.jsonl").write_text('{"question": "What is 1 + 1?", "answer": "2"}\n', encoding="utf-8")
    look = Look(str(tmp_path / f"{name}.jsonl"), False, None, ROWS)
    asked = Asked("123", url="http://127.0.0.1:9/v1")
    write(Draft(recipe_name(look.given), look, COLUMNS, asked), tmp_path / "made.yaml")
    recipe = load_recipe(str(tmp_path / "made.yaml"))
    assert (recipe.name, recipe.sources[0].name) == (name, name)
