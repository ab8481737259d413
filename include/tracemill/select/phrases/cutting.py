"""Finds where n-grams stand in a text, and the text without them."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pyarrow as pa

from tracemill.select.phrases.grams import words
from tracemill.text.jit import Flags

_PIECE = re.compile(r"\S+\s*|\A\s+")


def pieces(text: str) -> tuple[list[str], list[int]] | None:
    """The text in pieces of non-blank characters with the blanks behind them, and the first word's number of each.

    The numbers have one more at the end: how many words there are. None where words reach over blanks (a number with
    spaces in it): then no place of a word can be told.
    """
    found = _PIECE.findall(text)
    whole = words(pa.array([text], pa.large_string()))
    apart = words(pa.array(found, pa.large_string()))
    if not np.array_equal(whole.hashes, apart.hashes):
        return None
    return found, apart.offsets.tolist()


def covered(starts: Flags, n: int) -> Flags:
    """Which words n-grams cover: `starts` says at which words one begins; the last n - 1 words begin none."""
    marks = np.zeros(len(starts) + n, np.int64)
    marks[: len(starts)] += starts
    marks[n : n + len(starts)] -= starts
    inside: Flags = np.cumsum(marks)[: len(starts) + n - 1] > 0
    return inside


def without(text: str, inside: Flags) -> str | None:
    """The text without the pieces that hold a covered word; None where its pieces cannot be told."""
    found = pieces(text)
    if found is None:
        return None
    parts, first = found
    kept = [part for part, (start, stop) in zip(parts, pairwise(first), strict=True) if not inside[start:stop].any()]
    return "".join(kept)


def quoted(text: str, inside: Flags) -> str | None:
    """The first stretch of covered words as it stands in the text; None where its pieces cannot be told."""
    found = pieces(text)
    if found is None or not inside.any():
        return None
    parts, first = found
    begins = int(np.argmax(inside))
    ends = begins + int(np.argmin(np.append(inside[begins:], False)))
    within = [p for p, (start, stop) in zip(parts, pairwise(first), strict=True) if start < ends and stop > begins]
    return "".join(within).strip()
