"""Tells a text that was told anew from one whose sentence was kept: with another filling, a question more, a condition.

Who rewords a problem touches all of it. Who makes a new problem of it keeps what was given word for word, and puts
another question behind it, or adds words that ask for more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from rapidfuzz.distance import Levenshtein

from tracemill.text.wording.asked import asked
from tracemill.text.wording.words import Parts

# Edits of grammar and order that make a rewording, beside the words that differ, and their share of the text: of 118
# pairs of templates with another filling all had fewer, of 80 pairs in other words 75 had as many (benchmarks/rows).
REWORDED = 3
REWORDED_SHARE = 0.18
# Of an English text that stands at both ends as it did: of 50 pairs in other words one kept 0.40, the others less; of
# 14 pairs of other questions about the same things ten kept 0.50 or more.
KEPT = 0.43
_QUANTIFIED = re.compile(
    r"(?:(?P<all>for (?:all|every|each|any)|∀|\\forall)|there (?:exists?|is|are)|∃|\\exists)"
    r"(?: an?)?(?:\s+[a-z]{2,}){0,3}\s*(?P<letter>[b-hj-z])(?![a-z])"
)


def edited(one: Parts, other: Parts, edits: int) -> bool:
    """Whether so much of grammar and order differs, beside words, that it is a rewording."""
    return edits >= max(REWORDED, REWORDED_SHARE * max(len(one.tokens), len(other.tokens)))


def told_anew(one: Parts, other: Parts, twins: Mapping[str, str], left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether words without a counterpart (`left`, `right`) are those of a rewording, by how the rest is told.

    `twins`: words of the other text, each with its synonym in the one.
    """
    edits = Levenshtein.distance(one.tokens, other.tokens) - max(len(left), len(right))
    if not edited(one, other, edits):
        return False
    same = tuple(twins.get(token, token) for token in other.tokens)
    if Levenshtein.distance(one.tokens, same) == abs(len(one.tokens) - len(same)):
        return False  # only added to: the words more ask for more
    return one.chinese or (_kept(one.tokens, same) <= KEPT and not _asked_otherwise(one, other, left, right))


def _kept(one: Sequence[str], other: Sequence[str]) -> float:
    """The share of the longer text that stands at its ends as in the other."""
    most = min(len(one), len(other))
    head = next((k for k in range(most) if one[k] != other[k]), most)
    tail = next((k for k in range(most - head) if one[-1 - k] != other[-1 - k]), most - head)
    return (head + tail) / max(len(one), len(other), 1)


def _asked_otherwise(one: Parts, other: Parts, left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether both ask for one thing, each with a word of its own before it: positive divisors and proper divisors."""
    mine, theirs = (_before(parts, words) for parts, words in ((one, left), (other, right)))
    return bool(mine & theirs & asked(one) & asked(other))


def _before(parts: Parts, words: Sequence[str]) -> set[str]:
    """The words that stand right behind one of those that are asked for."""
    own = asked(parts).intersection(words)
    return {after for word, after in pairwise(parts.words) if word in own}


def quantified_otherwise(one: str, other: str) -> bool:
    """Whether two texts in small letters say of all what the other says of some, or in another order: for every x

    there is a y, and there is a y for every x.
    """
    mine, theirs = (_quantified(text) for text in (one, other))
    shared = [letter for letter in mine if letter in theirs]
    return shared != [letter for letter in theirs if letter in mine] or any(mine[x] != theirs[x] for x in shared)


def _quantified(text: str) -> dict[str, bool]:
    """The letters of which something is said of all (True) or some, in their order."""
    return {found["letter"]: found["all"] is not None for found in _QUANTIFIED.finditer(text)}
