"""Tells the question of a multiple-choice problem from its choices, so that its open form is found to be the same."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_STYLES = [
    re.compile(rf"(?:(?<=\s)|\A){form}\s*" if form[0] != "\\" else form + r"\s*")
    for form in (r"\(\s*([A-Ja-j])\s*\)", r"([A-J])[.)、:．](?!\w\.)", r"([a-j])\)")
]
_MAYBE = r"(?:^|\s)(?:\(\s*[Bb]\s*\)|[Bb][.)、:．])"
_SECOND = re.compile(_MAYBE)
_LONGEST = 400  # characters of one choice
_REFERS = re.compile(
    r"\b(?:following|these|which (?:one|statement|option|choice|answer)|options?|choices?|statements?|listed|below)\b"
    r"|下列|以下|下面|选项|哪[个一项些]|正确的|错误的|不正确",
    re.I,
)
_BLANK = re.compile(r"(?:\(\s*\)|（\s*）|_{2,}|\\underline\{[^}]*\})\s*[.。]?\s*\Z")
_ANNOUNCED = re.compile(
    r"(?<![^\s])(?:[-*•]\s*|(?:\*\*|__)?(?:(?:answer )?(?:options|choices)|选项)\s*[:：]?\s*(?:\*\*|__)?)\s*\Z", re.I
)
_BULLETS = " \n;,；，-*•"


def parted(text: str) -> tuple[str, dict[str, str]]:
    """The question, and the choices by capital letter (none where the text has no run of choices A, B, C)."""
    if _SECOND.search(text) is None:
        return text, {}
    for style in _STYLES:
        marks = _run(list(style.finditer(text)))
        if len(marks) < 3:
            continue
        ends = [mark.start() for mark in marks[1:]]
        line = text.find("\n", marks[-1].end())
        ends.append(line if line >= 0 else len(text))
        parts = [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
        found = {mark[1].upper(): part.lstrip(" \n").rstrip(_BULLETS) for mark, part in zip(marks, parts, strict=True)}
        if all(0 < len(choice) <= _LONGEST for choice in found.values()):
            before = _ANNOUNCED.sub("", text[: marks[0].start()].rstrip()).rstrip()
            stem = f"{before}\n{text[ends[-1] :].strip()}".strip()
            return _BLANK.sub("", stem).rstrip(), found
    return text, {}


def _run(marks: list[re.Match[str]]) -> list[re.Match[str]]:
    """The last marks that go A, B, C, ... with nothing between them but the choices."""
    starts = [place for place, mark in enumerate(marks) if mark[1].upper() == "A"]
    if not starts:
        return []
    run = marks[starts[-1] : starts[-1] + 1]
    for one, other in pairwise(marks[starts[-1] :]):
        if ord(other[1]) != ord(one[1]) + 1:
            break
        run.append(other)
    return run


def listed(text: str) -> str:
    """The text with its choices below the question, one a line, marked (A), (B), ..., however it prints them."""
    stem, choices = parted(text)
    return "\n".join([stem, *(f"({letter}) {choice}" for letter, choice in choices.items())]) if choices else text


def open_form(text: str) -> str:
    """The question without its choices, where it can be asked without them; else the whole text."""
    stem, choices = parted(text)
    return text if not choices or not stem.strip() or _REFERS.search(stem) else stem


def opened(texts: pa.Array) -> pa.Array:
    """`open_form` of a column of large strings without nulls."""
    rows = np.flatnonzero(pc.match_substring_regex(texts, _MAYBE).to_numpy(zero_copy_only=False))
    if not len(rows):
        return texts
    mask = np.zeros(len(texts), np.bool_)
    mask[rows] = True
    changed = pa.array([open_form(text) for text in texts.take(pa.array(rows)).to_pylist()], pa.large_string())
    return pc.replace_with_mask(texts, pa.array(mask), changed)
