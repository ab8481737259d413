"""Finds the tags that frame a response, and those among them that it only talks about: in quotes and in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

_TAG = re.compile(r"</?think>|</?answer>|<\|(?:begin|end)_of_(?:thought|solution)\|>")
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)([^\n]*)$", re.MULTILINE)
_OPENING = frozenset("`\"'“‘「『«")
_CLOSING = frozenset("`\"'”’」』»")


class Tag(NamedTuple):
    """A tag in a text, from `start` to `end`."""

    name: str
    start: int
    end: int


def tags(text: str) -> list[Tag]:
    """All tags of a text, in order."""
    return [Tag(found[0], found.start(), found.end()) for found in _TAG.finditer(text)]


def outside_quotes(text: str, found: list[Tag]) -> list[Tag]:
    """The tags that do not stand alone between two quotation marks or back-ticks."""
    return [tag for tag in found if _before(text, tag) not in _OPENING or _after(text, tag) not in _CLOSING]


def outside_quoted_pairs(text: str, found: list[Tag]) -> list[Tag]:
    """Those of `outside_quotes` that are not a pair of one line with a quotation mark at either end."""
    single = outside_quotes(text, found)
    quoted: set[Tag] = set()
    for first, second in pairwise(single):
        ends = _before(text, first) in _OPENING and _after(text, second) in _CLOSING
        if ends and second.name == first.name.replace("<", "</") and "\n" not in text[first.end : second.start]:
            quoted |= {first, second}
    return [tag for tag in single if tag not in quoted]


def outside_code(text: str, found: list[Tag]) -> list[Tag]:
    """Those of `outside_quoted_pairs` that do not stand in a fenced block of code either."""
    blocks = _blocks(text)
    block = next(blocks, None)
    kept: list[Tag] = []
    for tag in outside_quoted_pairs(text, found):
        while block and block[1] <= tag.start:
            block = next(blocks, None)
        if block is None or tag.start < block[0]:
            kept.append(tag)
    return kept


def _before(text: str, tag: Tag) -> str:
    return text[tag.start - 1 : tag.start] or " "


def _after(text: str, tag: Tag) -> str:
    return text[tag.end : tag.end + 1] or " "


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Where fenced blocks lie. A fence that is never closed is none."""
    fence = ""
    start = 0
    for line in _FENCE.finditer(text):
        if not fence:
            fence = line[1]
            start = line.start()
        elif line[1].startswith(fence) and not line[2].strip():
            yield start, line.end()
            fence = ""
