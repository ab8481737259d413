r"""Spells the idioms of answers as formulas: `0.333...`, `3 R 2`, `]0, 1[`, `C_{10}^3`, `30°15'`, 根号3, x大于2.

Each entry is a pattern on a normalised answer and what it says in the grammar of the readers; nothing is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tracemill.verify.math.answers.units import is_known_unit

Spell = str | Callable[[re.Match[str]], str]

_DOTS = r"\s*(?:\.{3,}|\\(?:[lc]?dots|dotsc)(?![a-z]))"
_NUMBER = r"-?\d+(?:\.\d+)?"
_HAN_SIGNS = {
    "大于或等于": r"\ge", "大于等于": r"\ge", "不小于": r"\ge", "不少于": r"\ge", "小于或等于": r"\le",
    "小于等于": r"\le", "不大于": r"\le", "不超过": r"\le", "不等于": r"\ne", "大于": ">", "小于": "<", "等于": "=",
}  # fmt: skip
_LABELS = ("abcdefghij", "123456789", ("i", "ii", "iii", "iv", "v", "vi"))
_LABEL = re.compile(r"(?:^|(?<=[\s,;.]))\((?:⟦)?([a-j]|[1-9]|i{1,3}|iv|vi?)(?:⟧)?\)\s*[:.]?\s*")


def _binomial(found: re.Match[str]) -> str:
    above = found["n"]
    below = found["k"]
    return rf"\binom{{{above}}}{{{below}}}" if int(below) <= int(above) else found[0]


def _quotient_of_units(found: re.Match[str]) -> str:
    top, bottom = (found[name].strip("⟦⟧") for name in ("top", "bottom"))
    return f" ⟦{top}⟧/⟦{bottom}⟧{found['power'] or ''}" if is_known_unit(top) and is_known_unit(bottom) else found[0]


def _turned(found: re.Match[str]) -> str:
    low = "[" if found["low"] == "[" else "("
    high = "]" if found["high"] == "]" else ")"
    return f"{low}{found['from']}, {found['to']}{high}"


def _arc(found: re.Match[str]) -> str:
    seconds = f"+{found['s']}/3600" if found["s"] else ""
    return f"({found['d']}+{found['m']}/60{seconds}) ⟦°⟧"


_END = r"[^\[\](),;]{1,40}?"
_IDIOMS: tuple[tuple[re.Pattern[str], Spell], ...] = (
    (re.compile(r"(?<=[\w)}])\*\*\s*(-?\w+|\([^()]*\))"), r"^{\1}"),
    (re.compile(r"\{([^{}]*)\\over(?![A-Za-z])([^{}]*)\}"), r"\\frac{\1}{\2}"),
    (re.compile(r"^([^{}]*)\\over(?![A-Za-z])([^{}]*)$"), r"\\frac{\1}{\2}"),
    (re.compile(r"^0x([0-9A-Fa-f]+)$"), r"\1_{16}"),
    (re.compile(r"^0b([01]+)$"), r"\1_{2}"),
    (re.compile(r"^(?:⟦Rs⟧|Rs)\.?\s*(?=\d)"), "⟦INR⟧"),
    (
        re.compile(r"^\\begin\{(aligned|align\*?|gathered|equation\*?|split)\}((?:(?!\\\\|\\begin).)*)\\end\{\1\}$"),
        lambda found: found[2].replace("&", " "),
    ),
    (re.compile(r"\{-\}\s*(?=\d)"), "-"),
    (re.compile(r"<=|=<"), r"\\le "),
    (re.compile(r">="), r"\\ge "),
    (re.compile(r"(?<=\s)!="), r"\\ne "),
    (re.compile(r"⟦?根号⟧?\s*(\d+|[a-z](?![a-z])|\([^()]*\))"), r"\\sqrt{\1}"),
    (re.compile(r"⟦?正负⟧?\s*(?=[\d\\])"), r"\\pm "),
    (re.compile(r"(?<=\d)\s*[xX]\s*(?=10\s*\^)"), r"\\times "),
    (re.compile(r"(?<=\d)\s*⟦?by⟧?\s*(?=\d)"), r"\\times "),
    (re.compile(r"(?<=\d)\^o(?![A-Za-z])"), " ⟦°⟧"),
    (re.compile(rf"(?<![\d.])(\d*\.\d*?)(\d)\2{{2,}}{_DOTS}"), r"\1\\overline{\2}"),
    (re.compile(rf"(?<![\d.])(\d*\.\d*?)(\d{{2,6}}?)\2+{_DOTS}"), r"\1\\overline{\2}"),
    (re.compile(r"(?<![\d.])(\d*\.)\((\d{1,9})\)"), r"\1\\overline{\2}"),
    (re.compile(r"^\s*(?:\{\s*\})?_\{?(?P<n>\d{1,3})\}?\s*⟦?C⟧?\s*_\{?(?P<k>\d{1,3})\}?\s*$"), _binomial),
    (re.compile(r"^\s*(?:\{\s*\})?\^\{?(?P<n>\d{1,3})\}?\s*⟦?C⟧?\s*_\{?(?P<k>\d{1,3})\}?\s*$"), _binomial),
    (re.compile(r"(?<![A-Za-z\\])⟦?C⟧?\s*\(\s*(?P<n>\d{1,3})\s*,\s*(?P<k>\d{1,3})\s*\)"), _binomial),
    (re.compile(r"(?<![A-Za-z\\])⟦?C⟧?\s*_\{?(?P<n>\d{1,3})\}?\s*\^\{?(?P<k>\d{1,3})\}?(?!\d)"), _binomial),
    (re.compile(r"(?<![A-Za-z\\])⟦?C⟧?\s*\^\{?(?P<k>\d{1,3})\}?\s*_\{?(?P<n>\d{1,3})\}?(?!\d)"), _binomial),
    (re.compile(r"^⟦?[Aa]n⟧?\s+(?=⟦?[a-z]{3})"), ""),
    (re.compile(r"^⟦?(?:[Oo]n|[Aa]t)⟧?\s+(?=⟦?[A-Za-z]{4})"), ""),
    (
        re.compile(
            r"(?<=[\d}])\s*\\frac\s*\{\s*(?P<top>⟦?[A-Za-zμΩ]{1,4}⟧?)\s*\}\s*"
            r"\{\s*(?P<bottom>⟦?[A-Za-z]{1,4}⟧?)\s*(?P<power>\^\s*\{?\d\}?)?\s*\}\s*$"
        ),
        _quotient_of_units,
    ),
    (re.compile(rf"(?:(?<=[\s=])|^)(?P<low>\])(?P<from>{_END})[,;](?P<to>{_END})(?P<high>[\[\]])"), _turned),
    (re.compile(rf"(?:(?<=[\s=])|^)(?P<low>\[)(?P<from>{_END})[,;](?P<to>{_END})(?P<high>\[)"), _turned),
    (
        re.compile(
            r"(?P<d>\d+)\s*⟦°⟧\s*(?P<m>\d{1,2})\s*(?:'|\^\s*\{?\\prime\}?)(?!')"
            r"(?:\s*(?P<s>\d{1,2}(?:\.\d+)?)\s*(?:''|\"|\^\s*\{?\\prime\s*\\prime\}?))?"
        ),
        _arc,
    ),
    (
        re.compile(rf"(?<=[A-Za-z0-9)}}])\s*⟦?({'|'.join(_HAN_SIGNS)})⟧?\s*(?=[-\d\\(a-z])"),
        lambda found: f" {_HAN_SIGNS[found[1]]} ",
    ),
    (
        re.compile(r"^(\d+)\s*⟦?(?:R|r|[Rr]em(?:ainder)?\.?|余)⟧?\s*(\d+)$"),
        r"⟦quotient⟧ = \1, ⟦remainder⟧ = \2",
    ),
    (re.compile(r"^(\d)\s*⟦(?:st|nd|rd|th)⟧\s*⟦?[Qq]uadrant⟧?$"), r"⟦quadrant⟧ \1"),
    (re.compile(r"(?<=\d\d)\s+(AD|BC|CE|BCE)$"), r" ⟦\1⟧"),
    (re.compile(r"([\u4e00-\u9fff]{2,6}?)\s*[为是]\s*(?=-?[\d\\])"), r"⟦\1⟧ = "),
    (
        re.compile(
            r"((?:⟦[A-Za-z]{2,}⟧\s*){1,3}|(?<![\\A-Za-z⟦])(?:[A-Z][a-z]{2,}|[a-z]{4,}))\s*:\s*(?=[-+\d\\(]|⟦USD⟧)"
        ),
        r"\1 = ",
    ),
)


def with_idioms(text: str) -> str:
    """The normalised answer with its idioms spelled as formulas, and with its parts (a), (b) as named values."""
    spelled = text
    for pattern, meaning in _IDIOMS:
        spelled = pattern.sub(meaning, spelled)
    return _with_parts(spelled)


def _with_parts(text: str) -> str:
    """`(a) 3 (b) 4` as two values with names; anything else as it is."""
    found = list(_LABEL.finditer(text))
    names = next((names for names in _LABELS if found and found[0][1] == names[0]), ())
    if len(found) < 2 or text[: found[0].start()].strip() or [one[1] for one in found] != list(names[: len(found)]):
        return text
    ends = [one.start() for one in found[1:]] + [len(text)]
    parts = [text[one.end() : end].strip(" ,;.") for one, end in zip(found, ends, strict=True)]
    if not all(parts):
        return text
    return "; ".join(f"⟦part{letter}⟧ = {part}" for letter, part in zip(_LABELS[0], parts, strict=False))
