"""The card says what trainers' templates make of a release, and a limit of the recipe can be red."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.build.small import Small, text
from tests.build.tokenizer import tokenizer_folder
from tests.build.training import WEAK, machine, ran
from tracemill.errors import RecipeError
from tracemill.release.proof.templates import shipped

pytestmark = pytest.mark.slow
TEXTS = [text(k) for k in range(6)]


def released(folder: Path, **proof: Any) -> Small:
    made = Small(folder)
    made.write(TEXTS)
    made.describe(release={"kind": "release", "proof": {"template": str(WEAK), "max_length": 256, **proof}})
    return made


def card(made: Small) -> str:
    manifest = made.store.manifest("release", 0)
    assert manifest is not None
    return made.store.read_bytes(manifest.files["README.md"].key).decode()


def test_the_card_has_the_rows_own_template_and_all_that_trl_ships(tmp_path: Path) -> None:
    made = released(tmp_path)
    ran(made, machine(tmp_path))
    told = card(made)
    assert "(cut at 256 tokens) thinking and answer of 6 of 6 rows are in the loss" in told
    assert [name for name in shipped() if f"| {name} |" not in told] == []
    assert "| qwen3 | prompt_completion_reasoning | 6 | 6 |" in told
    assert "Nothing was recomputed" in ran(made, machine(tmp_path))


def test_a_threshold_of_the_recipe_is_red_and_nothing_is_sealed(tmp_path: Path) -> None:
    made = released(tmp_path, max_length=20, survey=False)
    with pytest.raises(RecipeError, match="6 of 6 rows would not be learned whole"):
        ran(made, machine(tmp_path))
    assert made.store.manifest("release", 0) is None
    made = released(tmp_path, max_length=20, survey=False, at_most={"any": "100%"})
    ran(made, machine(tmp_path))
    assert "(cut at 20 tokens) thinking and answer of 0 of 6 rows are in the loss" in card(made)


def test_a_release_without_a_proof_has_the_fingerprint_that_it_had(tmp_path: Path) -> None:
    """Trap: a new key at its default must not make every store anew."""
    made = Small(tmp_path)
    made.write(TEXTS)
    made.describe()
    assert "proof" not in made.recipe.step("release").model_dump()


def test_a_tokenizer_that_was_moved_makes_no_release_anew(tmp_path: Path) -> None:
    one = tokenizer_folder(tmp_path / "one")
    made = released(tmp_path, template="qwen3", tokenizer=str(one), survey=False)
    ran(made, machine(tmp_path))
    two = one.rename(tmp_path / "two")
    released(tmp_path, template="qwen3", tokenizer=str(two), survey=False)
    assert "Nothing was recomputed" in ran(made, machine(tmp_path))
