"""Looks whether a student will read texts as it learned to: its folder may name another class of tokenizer.

transformers chooses a tokenizer's class by the model's config.json. Rows that were cut into tokens by a tokenizer that
lay alone are then asked in other tokens, and nobody is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import AutoTokenizer

from tracemill.train.inside.sequences import turns

_PARTS = ("normalizer", "pre_tokenizer", "model")  # of tokenizer.json: what decides how a text is parted


def read_otherwise(tokenizer: Any, config: Any, rows: Iterable[Mapping[str, Any]], work: Path) -> str | None:
    """The id of the first row that a student's own folder would have cut into other tokens; None where it is none."""
    with TemporaryDirectory(dir=work) as folder:
        tokenizer.save_pretrained(folder)
        config.save_pretrained(folder)
        served = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if _parts(served) == _parts(tokenizer):
        return None
    for row in rows:
        text = tokenizer.apply_chat_template(turns(row), tokenize=False)
        if _ids(served, text) != _ids(tokenizer, text):
            return str(row["id"])
    return None


def _parts(tokenizer: Any) -> list[Any]:
    known = json.loads(tokenizer.backend_tokenizer.to_str())
    return [known[part] for part in _PARTS]


def _ids(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found
