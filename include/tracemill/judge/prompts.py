"""Reads the prompt files, versioned by name, and fills their places in: {input}, {input_query}, {reference_answer}, ...

Version 1 of a file is the paper's table word for word (or ours, where it prints none); version 2 of a judge's prompt
has fences around what is judged. Some files write braces twice, as templates do, and some once; both come out as one,
and what is filled in is never looked at again.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path

from tracemill.errors import RecipeError
from tracemill.judge.fencing import fence_mark, harmless

FOLDER = Path(__file__).resolve().parents[1] / "prompts"
PLACES = ("input", "input_query", "reference_answer", "llm_answer")
FENCE = "fence"
_PLACE = re.compile(r"\{\{|\}\}|\{(" + "|".join((*PLACES, FENCE)) + r")\}")


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
    """The prompt with its places filled in; a place that is not given stays empty.

    Where the prompt has fences, what is filled in is made harmless first (see judge/fencing.py).
    """
    if f"{{{FENCE}}}" in prompt_text(name):
        values = {place: harmless(text) for place, text in values.items()}
        values[FENCE] = fence_mark(values)

    def put(found: re.Match[str]) -> str:
        return values.get(found[1], "") if found[1] else found[0][0]

    return _PLACE.sub(put, prompt_text(name))
