"""The judging prompts, as shipped under `include/tracemill/prompts`, read and filled without touching the values.

A template holds `{name}` placeholders and may double its literal braces (`{{`, `}}`), as the published tables do; a
lone brace stays as it is. Filling is one pass, so braces inside a value are never read as placeholders.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "include" / "tracemill" / "prompts"
NAMES = ("difficulty", "category", "category_magpie", "correctness", "science")
_FIELD = re.compile(r"\{\{|\}\}|\{(input|input_query|reference_answer|llm_answer)\}")
_BRACES = {"{{": "{", "}}": "}"}
_SHORTEST_PHRASE = 8


@cache
def template(name: str, version: str = "v1") -> str:
    """The text of one prompt file, without its last newline. Raises FileNotFoundError for an unknown name."""
    return (FOLDER / f"{name}.{version}.txt").read_text(encoding="utf-8").rstrip("\n")


def fill(text: str, **values: str) -> str:
    """`text` with its placeholders replaced. Raises KeyError when a value is missing."""
    return _FIELD.sub(lambda found: _BRACES.get(found[0]) or values[found[1]], text)


def phrases(name: str) -> list[str]:
    """The fixed paragraphs of a prompt, in order: what a tokenizer may hold as one token each."""
    pieces = re.split(r"\{(?:input|input_query|reference_answer|llm_answer)\}", template(name))
    unescaped = (piece.replace("{{", "{").replace("}}", "}") for piece in pieces)
    parts = (part.strip(" \n") for piece in unescaped for part in piece.split("\n\n"))
    return [part for part in parts if len(part) >= _SHORTEST_PHRASE]
