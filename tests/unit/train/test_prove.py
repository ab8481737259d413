"""The step `prove`: lays a release out as its trainer reads it, or ends the run before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.build.small import text
from tests.build.tokenizer import tokenizer_folder
from tests.build.training import WEAK, machine, ran, recipe_with
from tracemill.engine.store import Manifest
from tracemill.errors import MissingInput, RecipeError, TracemillError
from tracemill.train.laid import Laid

pytestmark = pytest.mark.slow
TEXTS = [text(k) for k in range(12)]
CHAT = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
ASKS = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"


def sealed(folder: Path, **prove: Any) -> Manifest:
    made = recipe_with(folder, TEXTS, prove)
    ran(made, machine(folder))
    found = made.store.manifest("prove", 0)
    assert found is not None
    return found


def test_rows_template_tokenizer_and_proof_are_sealed_together(tmp_path: Path) -> None:
    made = recipe_with(tmp_path, TEXTS, {})
    ran(made, machine(tmp_path))
    found = made.store.manifest("prove", 0)
    release = made.store.manifest("release", 0)
    assert found is not None
    assert release is not None

    about = json.loads(made.store.read_bytes(found.files["proof.json"].key))
    assert (about["layout"], about["max_length"], about["rows"], about["whole"]) == ("prompt_completion", 256, 12, 12)
    assert about["ends"] == "<|end|>"
    assert found.counts.kept == release.counts.kept == 12
    rows = made.store.get_table(found.files["layout/train-00000.parquet"])
    known = made.store.get_table(release.files["metadata.parquet"])
    assert rows["id"].to_pylist() == known["generation_id"].to_pylist()
    assert {"tokenizer/tokenizer.json", "tokenizer/chat_template.jinja"} <= set(found.files)
    assert found.tables["proofs"].rows == 0
    assert "Nothing was recomputed" in ran(made, machine(tmp_path))


def test_a_tokenizer_that_was_only_moved_is_the_same_one(tmp_path: Path) -> None:
    """Trap: identity is content; a folder's name is none."""
    one = tokenizer_folder(tmp_path / "one", CHAT + ASKS)
    first = sealed(tmp_path, template=str(one)).fingerprint
    two = one.rename(tmp_path / "two")
    assert sealed(tmp_path, template=str(two)).fingerprint == first
    (two / "tokenizer_config.json").write_text((two / "tokenizer_config.json").read_text() + " ")
    assert sealed(tmp_path, template=str(two)).fingerprint != first


def test_a_training_cuts_texts_as_the_proof_does(tmp_path: Path) -> None:
    """Trap: beside a config.json of Qwen2 transformers composes accents (NFC) and parts words its own way, whatever
    tokenizer.json says; a copy of the tokenizer's files alone does not.
    """
    from transformers import AutoTokenizer

    made = recipe_with(tmp_path, TEXTS, {"template": str(WEAK)})
    ran(made, machine(tmp_path))
    found = made.store.manifest("prove", 0)
    assert found is not None
    copied = Laid(made.store, found).tokenizer_here(tmp_path / "copied")
    told = "cafe\u0301, don't\n\n  x = 12.5"
    ids = [AutoTokenizer.from_pretrained(folder, local_files_only=True)(told).input_ids for folder in (WEAK, copied)]
    assert ids[0] == ids[1]


RED: dict[str, tuple[dict[str, Any], type[TracemillError], str]] = {
    "rows longer than allowed": ({"max_length": 20}, RecipeError, "12 of 12 rows would not be learned whole"),
    "some cut, fewer allowed": ({"max_length": 20, "at_most": {"any": 11}}, RecipeError, "any: 12 rows, where 11"),
    "longer than the model": ({"max_length": 4096}, RecipeError, "4,096 tokens are more than the model takes (1,024"),
    "no such folder": ({"template": "./none"}, RecipeError, "is no tokenizer's folder"),
    "marks are missing": ({"layout": "messages"}, RecipeError, "has no generation marks"),
}


@pytest.mark.parametrize(("prove", "kind", "words"), RED.values(), ids=RED)
def test_a_broken_limit_ends_the_run_and_nothing_is_sealed(
    tmp_path: Path, prove: dict[str, Any], kind: type[TracemillError], words: str
) -> None:
    made = recipe_with(tmp_path, TEXTS, prove)
    with pytest.raises(kind, match=words.replace("(", r"\(")):
        ran(made, machine(tmp_path))
    assert made.store.manifest("prove", 0) is None
    assert "prove" not in made.store.names()


def test_a_tokenizer_without_template_is_one_clear_error(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path / "bare")
    with pytest.raises(RecipeError, match="has no chat template"):
        sealed(tmp_path, template=str(folder))


def test_an_empty_release_is_one_clear_error(tmp_path: Path) -> None:
    made = recipe_with(tmp_path, TEXTS, {}, select={"kind": "select", "unverified": "drop"})
    with pytest.raises(MissingInput, match="holds no row"):
        ran(made, machine(tmp_path))
    assert made.store.manifest("prove", 0) is None


def test_a_limit_lets_its_rows_pass_and_names_them(tmp_path: Path) -> None:
    found = sealed(tmp_path, max_length=20, at_most={"any": "100%"})
    assert found.counts.kept == 12
    assert found.made_with["faults"]
    assert (found.tables["proofs"].rows or 0) >= 12


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a fault that there is not": ({"at_most": {"thinking_lost": 1}}, "thinking_lost"),
    "a template without tokenizer": ({"template": "qwen3"}, "comes without tokenizer"),
    "a layout without ids": ({"layout": "am"}, "has no ids"),
}


@pytest.mark.parametrize(("prove", "words"), REFUSED.values(), ids=REFUSED)
def test_what_a_recipe_may_not_say_is_said_when_it_is_read(tmp_path: Path, prove: dict[str, Any], words: str) -> None:
    made = recipe_with(tmp_path, TEXTS, prove)
    with pytest.raises(RecipeError, match=words):
        made.recipe.pipeline()
