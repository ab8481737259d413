"""A student stops where it learned to stop, whatever the weights that it began with say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.build.training import WEAK
from tracemill.train.inside.ending import stop_at

pytestmark = pytest.mark.slow  # loads torch


@pytest.mark.parametrize(
    ("before", "ends", "after"),
    [
        pytest.param("<|pad|>", "<|end|>", [1, 0], id="a base model that ends texts, not turns"),
        pytest.param("<|end|>", "<|end|>", 1, id="an instructed one knows already"),
        pytest.param("<|pad|>", None, 0, id="nothing known of the template: as it was"),
    ],
)
def test_what_is_saved_stops_at_the_end_of_a_turn(
    before: str, ends: str | None, after: int | list[int], tmp_path: Path
) -> None:
    """Trap: Qwen2.5's base names <|endoftext|>; its students, served so, wrote on until the token limit."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(WEAK), local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(str(WEAK), local_files_only=True)
    numbers = {name: tokenizer.convert_tokens_to_ids(name) for name in ("<|pad|>", "<|end|>")}
    tokenizer.eos_token = before
    model.config.eos_token_id = model.generation_config.eos_token_id = numbers[before]

    stop_at(ends, model, tokenizer)
    tokenizer.save_pretrained(str(tmp_path))
    model.save_pretrained(str(tmp_path))

    def said(name: str, key: str) -> object:
        return json.loads((tmp_path / name).read_text())[key]

    by_number = {0: numbers["<|pad|>"], 1: numbers["<|end|>"]}
    wanted = [by_number[one] for one in after] if isinstance(after, list) else by_number[after]
    assert said("generation_config.json", "eos_token_id") == wanted
    assert said("config.json", "eos_token_id") == (wanted[0] if isinstance(wanted, list) else wanted)
    assert said("tokenizer_config.json", "eos_token") == (ends or before)
    assert AutoTokenizer.from_pretrained(str(tmp_path)).eos_token == (ends or before)
