"""Reads the prompt files, versioned by name, and fills their places in: {input}, {input_query}, {reference_answer}, ...

The files are the papers' tables word for word. Some of them write braces twice, as templates do, and some once; both
come out as one, and what is filled in is never looked at again.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path

from tracemill.errors import RecipeError

FOLDER = Path(__file__).resolve().parents[1] / "prompts"
PLACES = ("input", "input_query", "reference_answer", "llm_answer")
_PLACE = re.compile(r"\{\{|\}\}|\{(" + "|".join(PLACES) + r")\}")


@functools.cache
def prompt_text(name: str) -> str:
    """The prompt file of that name, such as "correctness.v1". Raises RecipeError listing the names there are."""
    path = FOLDER / f"{name}.txt"
    known = sorted(file.stem for file in FOLDER.glob("*.txt"))
    if name not in known:
        raise RecipeError(f"there is no prompt {name!r} in {FOLDER}; there are: {', '.join(known)}")
    return path.read_text(encoding="utf-8").rstrip("\n")


def prompt_digest(name: str) -> str:
    """SHA-256 (hex) of a prompt file: an edited prompt is another prompt, whatever it is called."""
    return hashlib.sha256(prompt_text(name).encode()).hexdigest()


def filled(name: str, **values: str) -> str:
    """The prompt with its places filled in; a place that is not given stays empty."""

    def put(found: re.Match[str]) -> str:
        return values.get(found[1], "") if found[1] else found[0][0]

    return _PLACE.sub(put, prompt_text(name))
