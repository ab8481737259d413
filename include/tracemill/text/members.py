"""Takes apart an answer that lists several values, so that one of them alone is known for a part of it."""

from __future__ import annotations

import re

_JOINS = re.compile(
    r"[;，；、]|(?<!\d),|,(?!\d{3}(?!\d))|\\text\s*\{\s*,?\s*(?:and|or)\s*\}|(?<![a-zA-Z\\])(?:and|or)(?![a-zA-Z])|[或和与]"
)
_EITHER = re.compile(r"\\pm(?![a-zA-Z])|±")
_OPENS = "([{"
_CLOSES = ")]}"


def members(answer: str) -> list[str]:
    """The values that an answer lists, in their order; [] where it is one value.

    A list may stand in braces; points and intervals are one value each. Of a plus or minus both signs are meant.
    """
    bare = answer.strip().strip("$").strip()
    inner = re.fullmatch(r"\\\{(.*)\\\}", bare, re.DOTALL)
    parts = [part.strip(" $.") for part in _split(inner[1] if inner else bare)]
    signed = [text for part in parts for text in _signs(part)]
    return [text for text in signed if text] if len(signed) > 1 else []


def _split(text: str) -> list[str]:
    """The text at its joins outside all brackets."""
    depth = [0]
    for letter in text:
        depth.append(depth[-1] + (letter in _OPENS) - (letter in _CLOSES))
    places = [found for found in _JOINS.finditer(text) if depth[found.start()] == 0 == depth[found.end()]]
    starts = [0, *(found.end() for found in places)]
    ends = [*(found.start() for found in places), len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _signs(text: str) -> list[str]:
    return [_EITHER.sub(sign, text) for sign in "+-"] if _EITHER.search(text) else [text]
