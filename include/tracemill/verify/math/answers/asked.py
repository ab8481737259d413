"""Whether a problem asks for the unit that an answer adds to a reference without one (`2 min` against `2`).

The problem's text is read for two things: the words that it asks for ("how many minutes", "in metres", 多少分钟) and
the units that it names. A known unit is asked for, or the only one of its dimension that is named; a noun is asked for
where the problem asks for a noun at all. Money, degrees and derived units of the SI (newton, volt) need no mention:
amounts, angles and forces are given in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracemill.text.symbols import words_of
from tracemill.verify.math.answers.nodes import Node, number
from tracemill.verify.math.answers.shapes import Conditioned, Listed, Named, Quantity, Shape
from tracemill.verify.math.answers.unit_table import KNOWN, Bases
from tracemill.verify.math.answers.units import NONE, is_known_unit, singular, sized

LONGEST = 20_000  # characters of a problem that are read, from its end
_ENDS_NOUN = words_of(
    "does do did is are was were will would can could has have had should must may might of in on at to for from by "
    "with and or if when there he she they it you we i the a an his her their its that which who left it's per each "
    "such so than more fewer less as be been altogether total"
)
_HOW_MANY = re.compile(r"\b(?:how\s+many|number\s+of|how\s+much)\s+((?:[a-z'-]+\s*){1,6})", re.IGNORECASE)
_IN_UNITS = re.compile(
    r"\b(?:in|to|per|nearest|into)\s+(?:the\s+)?(?:(?:square|cubic|nearest|whole)\s+)?([a-zμ]{1,12})\b",
    re.IGNORECASE,
)
_SYMBOL = re.compile(
    r"(?:\d[\s${}~]*|/\s*|\bin\s+|\bper\s+|\()(?:\\(?:text|mathrm|rm|mbox)\s*\{\s*|\\[ ,;])?"
    r"\\?([A-Za-zμΩ]{1,4})(?![A-Za-z])"
)
_ROUNDING = re.compile(
    r"\b(?:nearest|round(?:ed|ing)?|approximat\w+|estimat\w+|roughly|significant (?:figures?|digits?))\b"
    r"|\bdecimal places?\b"
    r"|\babout how\b|约|估计|近似|四舍五入|精确到|保留",
    re.IGNORECASE,
)
INTEGRAL = "∫"  # among what is asked for: an antiderivative, whose constant is free
_INTEGRATED = re.compile(
    r"\\int(?![a-z_])(?!\s*\\?(?:limits)?\s*_)|∫|\banti-?derivatives?\b|\bprimitives?\b|\bindefinite\b"
    r"|\bintegrate\b|\bgeneral solution\b"
    r"|不定积分|原函数|通解",
    re.IGNORECASE,
)
ROUGH = "~"  # among what is asked for: a rounded value
_WORD = re.compile(r"[A-Za-z]{2,}")
_HAN_UNITS = "|".join(sorted((word for word in KNOWN if "\u3400" <= word[0] <= "\u9fff"), key=len, reverse=True))
_HAN_NAMED = re.compile(rf"(?:[\d一二两三四五六七八九十百千万几每/]|多少|单位)[\s:：$为是]*({_HAN_UNITS})")
_HAN_ASKED = re.compile(rf"(?:多少|几|单位[是为]?[:：]?)\s*(?:个)?({_HAN_UNITS})|以({_HAN_UNITS})为单位")
_SIGNS = {"$": "USD", "¥": "CNY", "￥": "CNY", "€": "EUR", "£": "GBP", "₹": "INR", "¢": "cents"}
_MONEY = frozenset(("USD", "CNY", "EUR", "GBP", "INR"))
_AMBIGUOUS = frozenset(("in", "may", "mi", "bar", "second", "sec", "cup"))  # words that are more often no units
# What formulas come out in.
_DERIVED = [KNOWN[word] for word in ("N", "J", "W", "Pa", "V", "ohm", "coulomb", "farad", "henry", "T", "Wb", "Hz")]
_NEEDLESS = frozenset((*_MONEY, "degree", "percent"))


def asked_for(problem: str) -> str:
    """The units that a problem names and the words that it asks for, as one short text; blank for a blank problem."""
    text = problem[-LONGEST:]
    if not text.strip():
        return ""
    named = {word for word in _named(text) if is_known_unit(word)}
    return f"{' '.join(sorted(named))};{' '.join(sorted(set(_asked(text))))}"


def adds_no_other_unit(gold: Shape, answer: Shape, asked: str) -> bool:
    """Whether every unit of an answer to a reference without any is one that the problem asks for."""
    if not asked or any(True for _ in _unit_words(gold)):
        return True
    named, wanted = _parted(asked)
    words = list(_unit_words(answer))
    nouns = [word for word in words if sized(word) is None and word.isascii()]
    asks_for_one = not wanted or not nouns or {*map(singular, map(str.lower, nouns))} & {*map(singular, wanted)}
    return bool(asks_for_one) and all(_is_meant(word, named, wanted) for word in words)


def _parted(asked: str) -> tuple[list[str], list[str]]:
    named, _, wanted = asked.replace(ROUGH, "").replace(INTEGRAL, "").partition(";")
    return named.split(), wanted.split()


def in_asked_unit(gold: Shape, answer: Shape, asked: str) -> Quantity | None:
    """A measured answer to a reference without a unit, in the one unit that is asked for: 1 h 30 min in minutes."""
    if not (isinstance(gold, Quantity) and isinstance(answer, Quantity)) or gold.unit != NONE or answer.hedged:
        return None
    if not answer.unit.known or not answer.unit.bases or answer.unit.qualifiers:
        return None
    factors = {unit[1] for unit in map(sized, _parted(asked)[1]) if unit and unit[0] == answer.unit.bases}
    if len(factors) != 1:
        return None
    factor = answer.unit.factor / factors.pop()
    return None if factor == 1 and not answer.unit.compound else Quantity(Node("mul", (number(factor), answer.node)))


def _is_meant(word: str, named: list[str], wanted: list[str]) -> bool:
    """Whether a unit with a known size is meant; nouns are judged together."""
    unit = sized(word)
    if unit is None:
        return True
    bases, factor = unit
    asked = _factors(wanted, bases)
    if asked:
        return factor in asked
    others = _factors(named, bases)
    if others:
        return others == {factor}
    return unit in _DERIVED or (bases[0][0] in _NEEDLESS and factor == 1)


def _factors(words: list[str], bases: Bases) -> set[object]:
    return {unit[1] for unit in map(sized, words) if unit and unit[0] == bases}


def _unit_words(shape: Shape) -> Iterator[str]:
    """The words of every unit in an answer."""
    if isinstance(shape, Quantity):
        yield from shape.unit.words
    elif isinstance(shape, Listed):
        for member in shape.members:
            yield from _unit_words(member)
    elif isinstance(shape, Named):
        yield from _unit_words(shape.what)
    elif isinstance(shape, Conditioned):
        yield from _unit_words(shape.main)


def _named(text: str) -> Iterator[str]:
    yield from (name for sign, name in _SIGNS.items() if sign in text and (sign != "$" or _is_money(text)))
    yield from (word for word in _WORD.findall(text) if len(word) > 2 and word.lower() not in _AMBIGUOUS)
    yield from (found[1] for found in _SYMBOL.finditer(text) if found[1] not in _AMBIGUOUS)
    yield from (found[1] for found in _HAN_NAMED.finditer(text))
    yield from (("°",) if "^\\circ" in text or "°" in text else ())


def _is_money(text: str) -> bool:
    r"""Whether a dollar sign is one of money: escaped, or before a number in a text whose signs do not pair."""
    return r"\$" in text or (text.count("$") % 2 == 1 or bool(re.search(r"\$\d[\d,.]*(?![\d,.]*\$)[\s.,?!]", text)))


def _asked(text: str) -> Iterator[str]:
    for found in _HOW_MANY.finditer(text):
        for word in found[1].lower().split():
            if word in _ENDS_NOUN:
                break
            yield word
    yield from (found[1] for found in _IN_UNITS.finditer(text) if _is_unit_word(found))
    yield from (ROUGH,) if _ROUNDING.search(text) else ()
    yield from (INTEGRAL,) if _INTEGRATED.search(text) else ()
    yield from (found[1] or found[2] for found in _HAN_ASKED.finditer(text))


def _is_unit_word(found: re.Match[str]) -> bool:
    return is_known_unit(found[1]) and (found[1] not in _AMBIGUOUS or found[0].lower().startswith("per"))
