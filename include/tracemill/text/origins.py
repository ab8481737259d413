"""Knows the notes on where a problem is from, such as "[2019 AMC 10A]", that sources put before or behind it.

A note is known by its words: a contest's name, and nothing beside it but years, numbers, places and rounds. A bracket
with anything else in it belongs to the problem.
"""

from __future__ import annotations

import re

from tracemill.text.symbols import words_of

LONGEST = 80  # characters of a note
_NAMED = words_of(
    """AMC AHSME AJHSME AIME IMO ISL USAMO USAJMO USAMTS TST HMMT BMT CMT PUMaC CMIMC EGMO APMO BMO MMO JBMO
        ARML NIMO OMO BAMO CEMC RMO INMO CMO SMT DMM Putnam MATHCOUNTS Mathcounts MathCounts 高考 中考 竞赛 联赛"""
)
_NAMING = ("olympiad", "contest", "competition", "league", "tournament", "shortlist", "mathcounts")
_BESIDE = words_of(
    """source from taken problem problems question round grade team individual day no number test exam entrance
        final semifinal preliminary of the and part section level advanced general guts algebra geometry
        combinatorics st nd rd th math maths mathematics mathematical"""
)
_HAN_NAMES = ("竞赛", "联赛", "高考", "中考", "卷")
_TOKEN = re.compile(r"[^\W\d_\u3400-\u9fff]+|\d+(?:[A-Za-z]{1,2}(?![A-Za-z]))?|[\u3400-\u9fff]+|[^\w\s]|_")
_MARKS = frozenset(",;:/#.-*'&")
_YEAR = re.compile(r"(?:19|20)\d\d")
_BEFORE = re.compile(
    r"(?:\[([^\[\]\n]{3,80})\]|\(([^()\n]{3,80})\)|【([^【】\n]{2,80})】|([^\n.:\[\](){}]{3,80}(?:\.|:|\n))(?=\s|\Z))[.:]?\s*"
)
_BEHIND = re.compile(
    r"(?:(?<=[.?!。?$])|\n)\s*(?:\[([^\[\]\n]{3,80})\]|\(([^()\n]{3,80})\)|【([^【】\n]{2,80})】)\s*\.?\s*\Z"
)
_PROPOSER = re.compile(r"(?:(?<=[.?!$])|\n)\s*(?:\*|_|\[i\])?\s*Proposed by [^\n]{2,60}\Z")
_SOURCE = re.compile(r"(?i:source|from)\s*:\s*")
# Arrow's regular expressions (RE2): rows without any of these have no note.
MAY_BE = (
    r"\)\s*\.?\s*$|】|Proposed by|^\W*[^\n]{0,60}(?:" + "|".join((*sorted(_NAMED), *_NAMING)) + r")[^\n]{0,40}[.:\n]"
)


def is_origin(note: str) -> bool:
    """Whether those words only say where a problem is from."""
    named = False
    for token in _TOKEN.findall(note):
        if token in _NAMED or token.lower().endswith(_NAMING):
            named = True
        elif "\u3400" <= token[0] <= "\u9fff":
            named = named or (token.endswith(_HAN_NAMES) and _YEAR.search(note) is not None)
        elif not (token[0].isdigit() or token[0].isupper() or token in _MARKS or token.lower() in _BESIDE):
            return False
    return named


def without_origin(text: str) -> str:
    """The text without a note before it and behind it; a text that is nothing but a note stays."""
    found = _BEFORE.match(text, _prefix(text))
    if found and found.end() < len(text) and is_origin(next(filter(None, found.groups()))):
        text = text[found.end() :]
    found = _BEHIND.search(text, max(0, len(text) - LONGEST - 8))
    if found and found.start() and is_origin(next(filter(None, found.groups()))):
        text = text[: found.start()]
    found = _PROPOSER.search(text, max(0, len(text) - LONGEST))
    return text[: found.start()] if found and found.start() else text


def _prefix(text: str) -> int:
    found = _SOURCE.match(text)
    return found.end() if found else 0
