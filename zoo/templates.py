"""The judging prompts as the product asks them, and their fixed paragraphs for the tokenizer.

Reading and filling are the judges' own (`tracemill.judge.prompts`), so the judge is trained on the very text it gets.
"""

from __future__ import annotations

import re

from tracemill.judge.prompts import FENCE, PLACES, filled, prompt_text

NAMES = ("difficulty", "category", "category_magpie", "correctness", "science")
VERSIONS = {"correctness": "v2", "science": "v2"}  # with fences; the others are the papers' own
_PLACE = re.compile(r"\{(?:" + "|".join((*PLACES, FENCE)) + r")\}")
_SHORTEST_PHRASE = 8


def fill(name: str, **values: str) -> str:
    """The named prompt with its values; raises ValueError when one of its places is not given."""
    missing = {found[0].strip("{}") for found in _PLACE.finditer(_text(name))} - {*values, FENCE}
    if missing:
        raise ValueError(f"the prompt {name!r} lacks {', '.join(sorted(missing))}")
    return filled(_file(name), **values)


def phrases(name: str) -> list[str]:
    """The fixed paragraphs of a prompt, in order: what a tokenizer may hold as one token each.

    One that ends at a place reaches up to it, so that what fills the place follows a token that stands nowhere else.
    """
    *leading, last = _pieces(name)
    parts = [part for piece in leading for part in (*_stripped(piece)[:-1], _lead(piece))] + _stripped(last)
    return [part for part in parts if len(part) >= _SHORTEST_PHRASE]


def lead(name: str, place: str) -> str:
    """The fixed words right before a place of a prompt."""
    return _lead(_text(name).partition(f"{{{place}}}")[0].rpartition(f"{{{FENCE}}}")[2])


def _file(name: str) -> str:
    return f"{name}.{VERSIONS.get(name, 'v1')}"


def _text(name: str) -> str:
    return prompt_text(_file(name))


def _pieces(name: str) -> list[str]:
    pieces = _PLACE.split(_text(name))
    return [piece.replace("{{", "{").replace("}}", "}") for piece in pieces]


def _stripped(piece: str) -> list[str]:
    return [part.strip(" \n") for part in piece.split("\n\n")]


def _lead(piece: str) -> str:
    return piece.rpartition("\n\n")[2].lstrip(" \n")
