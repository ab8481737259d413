"""Decides whether two texts ask for different things: what the one gives the other asks for, in the same words.

"What is 3/4 of 48?" and "48 is 3/4 of what number?" differ only in where the unknown stands; so do the height of a tree
by its shadow and the shadow of a tree by its height.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tracemill.text.wording.lexicon import GRAMMAR, synonyms
from tracemill.text.wording.stemming import stem
from tracemill.text.wording.words import Parts


def _stemmed(words: str) -> frozenset[str]:
    return frozenset(map(stem, re.findall(r"\S+", words)))


UNKNOWN = "?"
_RELATIONS = _stemmed("of than by from to into and minus plus times exceeds")
_SHARES = _stemmed("what half third quarter fifth part fraction percent percentage portion")
_PASSED_OVER = {"the", "which", "that"} | _stemmed("some certain unknown only exactly")
_A_NUMBER = frozenset(("number", "amount", "quantity", "value", stem("integer")))
_CHINESE_SHARE = re.compile(
    r"(\d+(?:\.\d+)?|数)的(\d+(?:\.\d+)?(?:%|/\d+)|[\d一二三四五六七八九十百]+分之[\d一二三四五六七八九十百]+|一半|\d+倍)"
)
_QUESTION = re.compile(r"\b(?:how (?:many|much)?|(?:what|which)\b|find|determine|calculate|compute)([^.,;:?!\d$]*)")
_PHRASE_ENDS = re.compile(
    r"\b(?:if|when|that|who|whose|which|while|after|before|given|where|in|for|with|from|by|than|so|and)\b"
)
_STATE_GIVEN = re.compile(r"\b(original|initial|starting|final)\s+\w+\s+(?:is|was|of|were|are)\s+\$?\d")
_HOW_MANY = re.compile(r"\bhow many (\w+)")
_MEASURED = re.compile(r"(?<![\d.,/])(\d+(?:\.\d+)?) ([a-z]\w+)")
_WORD = re.compile(r"[^\W\d_]{2,}")
_MEASURES = {"long": "length", "tall": "height", "high": "height", "wide": "width", "deep": "depth", "far": "distance",
             "fast": "speed", "heavy": "weight", "old": "age", "thick": "thickness"}  # fmt: skip

# What something is measured in names no thing that is asked for: how many hours, and how long.
_UNITS = _stemmed(
    """second minute hour day week month year time km kilometer kilometre m meter metre cm centimeter centimetre mm
    mile foot feet inch yard kg kilogram gram g pound ounce ton liter litre cup gallon dollar euro cent yuan money
    degree percent percentage unit square cubic average new"""
)


def asked_apart(one: Parts, other: Parts) -> bool:
    """Whether the known and the unknown have changed places between two texts of the same words."""
    sides = (one, other), (other, one)
    return _unknown_moved(one, other) or _question_moved(one, other) or any(_given(*pair) for pair in sides)


def asked(parts: Parts) -> set[str]:
    """The words that say what is asked for, of an English text."""
    return _asked(parts)[0]


def _given(one: Parts, other: Parts) -> bool:
    """Whether the one text asks for the original price, or how many litres, and the other gives just that."""
    states = set(_STATE_GIVEN.findall(other.text)) - set(_STATE_GIVEN.findall(one.text))
    if any(f" {state} " in phrase for state in states for phrase in _QUESTION.findall(one.text)):
        return True
    mine, theirs = (dict(_MEASURED.findall(parts.text)) for parts in (one, other))
    asked, known = (set(_HOW_MANY.findall(parts.text)) for parts in (one, other))
    changed = [number for number in mine.keys() & theirs.keys() if mine[number] != theirs[number]]
    return any(theirs[number] in asked and mine[number] in known for number in changed)


def _unknown_moved(one: Parts, other: Parts) -> bool:
    """Whether a relation (3/4 of, 5 more than) is to a number in the one text and to the unknown in the other."""
    mine, theirs = (_related(parts) for parts in (one, other))
    for relation in mine.keys() & theirs.keys():
        ends = mine[relation], theirs[relation]
        if not ends[0] & ends[1] and (relation[0] in _SHARES or any(UNKNOWN in end for end in ends)):
            return True
    return False


def _related(parts: Parts) -> Mapping[tuple[str, str], set[str]]:
    """By relation (the word before it, its own): the numbers and unknowns that stand behind it."""
    ends: dict[tuple[str, str], set[str]] = {}
    for number, share in _CHINESE_SHARE.findall(parts.text) if parts.chinese else ():
        ends.setdefault((share, "的"), set()).add(UNKNOWN if number == "数" else number)
    for place in range(1, len(parts.tokens) - 1):
        word = parts.tokens[place]
        end = _end(parts.tokens[place + 1 : place + 5]) if word in _RELATIONS else ""
        if end:
            ends.setdefault((parts.tokens[place - 1], word), set()).add(end)
    return ends


def _end(tokens: tuple[str, ...]) -> str:
    """The number, or the unknown, that those tokens begin with; empty for other things."""
    for place, token in enumerate(tokens):
        token = token.rpartition(":")[2]
        after = tokens[place + 1 : place + 3]
        if token == "what" or (token in _A_NUMBER and place and after[:1] != ("of",)):
            return UNKNOWN
        if token[0].isdigit():
            return token
        if token not in _PASSED_OVER:
            return ""
    return ""


def _question_moved(one: Parts, other: Parts) -> bool:
    """Whether each text asks for what the other mentions and does not ask for."""
    (mine, given), (theirs, known) = (_asked(parts) for parts in (one, other))
    return any(_moved(mine, theirs, known)) and any(_moved(theirs, mine, given))


def _moved(asked: set[str], elsewhere: set[str], given: set[str]) -> Iterator[bool]:
    senses = synonyms()
    named = set[int]().union(*(senses.get(word, frozenset()) for word in elsewhere))
    for word in asked - elsewhere:
        yield word in given and not senses.get(word, frozenset()) & named


def _asked(parts: Parts) -> tuple[set[str], set[str]]:
    """The words that say what is asked for, and all others of the text; of an English text."""
    asked = set[str]()
    rest = []
    end = 0
    for found in _QUESTION.finditer(parts.text):
        phrase = _PHRASE_ENDS.split(found[1], maxsplit=1)[0]
        asked |= _stems(phrase)
        rest.append(parts.text[end : found.start(1)])
        end = found.start(1) + len(phrase)
    return asked, _stems(" ".join([*rest, parts.text[end:]])) - asked


def _stems(text: str) -> set[str]:
    words = (_MEASURES.get(word, word) for word in _WORD.findall(text) if word not in GRAMMAR)
    return {stem(word) for word in words} - _UNITS
