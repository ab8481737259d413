"""The readings of an answer whose commas can mean two things: `1,234` and `0,5` are numbers or pairs."""

from __future__ import annotations

import re

from tracemill.verify.math.answers.units import is_known_unit

_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d]|,\d{1,2}(?!\d)|,\d{4})")
_DECIMAL = re.compile(r"([+-]?\s*(?:⟦[^⟦⟧]{1,3}⟧\s*)?)(\d{1,9}),(\d{1,2}|\d{4,9})(\s*(?:%|⟦[^⟦⟧]*⟧|\s)*)")
_SET_APART = re.compile(r"-?\d+(?:\.\d+)? [ACFHJKLNTVWgms]")
_JOINED = re.compile(r"(,\s+|;|\s⟦?and⟧?\s)")
_POINT = re.compile(r"⟦?[A-Z]⟧?'?(?:_\{?\d\}?)?\s*(\([^()]*[,;][^()]*\))")
_PAIR_OR_DECIMAL = re.compile(r"-?\d+,\d{1,2}")
_BRACKETED = re.compile(r"(?:\(|\[|\\\{)\s*\d{1,3}(?:,\d{3})+\s*(?:\)|\]|\\\})")
_NUMBER_AND_LETTER = re.compile(
    r"(-?(?:[\d.,]+(?:\s*(?:\\times|\\cdot|\*)\s*10\s*\^\s*(?:\{-?\d+\}|\d))?|[\d.,]*\s*\\frac\{\d+\}\{\d+\}|\\frac\d\d|\d+/\d+)\s*)"
    r"⟦?([ACFHghJKLlmNsTVW]|\\mu\s*[A-Za-z]{1,3}|[A-Za-z]{2,4})⟧?((?:\^(?:\{\d\}|\d))?)"
)
_LETTERS = {"C": "coulomb", "F": "farad", "H": "henry"}  # the marked letters are temperatures too
_OHM = re.compile(r"(?<=[\d}])\s*⟦?([kMGmnp]?)⟧?\s*(\\mu)?\s*(?:\\Omega|⟦Ω⟧)\s*$")
_MICRO = re.compile(r"(?<=[\d}])\s*⟦?\\mu\s*⟦([A-Za-z]{1,3})⟧")


def with_symbols(text: str) -> str:
    r"""The text with `k\Omega` and `\mu\text{m}` behind a number as the units that they are."""
    marked = _MICRO.sub(lambda found: f" ⟦μ{found[1]}⟧", text)
    return _OHM.sub(lambda found: f" ⟦{found[1]}{'μ' if found[2] else ''}Ω⟧", marked)


_LARGE = {"k": "000", "K": "000", "M": "000000", "B": "000000000"}
_SHORTENED = re.compile(r"((?:⟦USD⟧|[⟦]?[€£¥][⟧]?)?\s*-?\d+)\s*(?:⟦([kKMB])⟧|([kKMB]))")
_OTHER_GROUPS = re.compile(
    r"-?\d{1,2}(?:,\d{2})+,\d{3}|-?\d{1,4}(?:,\d{4})+|-?\d{1,3}(?:['_]\d{3})+|-?\d{1,3}(?:\.\d{3}){2,}"
)
_AND_PART = re.compile(r"(-?\d+)\s+⟦?and⟧?\s+(\d+/\d+)")
_DOTTED = re.compile(r"-?\d{1,3}(?:\.\d{3})+")
_MANY_DOTS = re.compile(r"-?\d{1,3}(?:\.\d{3}){2,}")
_COMMA = re.compile(r"-?\d{1,3},\d{3}")


def doubtful(text: str) -> str | None:
    """Another number that the text may mean, by a habit that others do not share.

    `5k`, `1.000` and `12,34,567` in one, `1,500` for 1.5, `3 and 1/2`.
    """
    if short := _SHORTENED.fullmatch(text):
        return short[1] + _LARGE[short[2] or short[3]]
    if _DOTTED.fullmatch(text) or _OTHER_GROUPS.fullmatch(text):
        return re.sub(r"[.,'_]", "", text)
    if part := _AND_PART.fullmatch(text):
        return f"{part[1]} {part[2]}"
    return text.replace(",", ".") if _COMMA.fullmatch(text) else None


def with_unit(text: str) -> str | None:
    """Numbers and letters as numbers and their units (`0.5 m`, `5 mH, 3 mH`); None where the text is anything else."""
    parts = _JOINED.split(text)
    spelled = [_with_unit(part.strip()) for part in parts[::2]]
    if any(one is None for one in spelled):
        return None
    return "".join(one or "" for pair in zip(spelled, [*parts[1::2], ""], strict=True) for one in pair)


def set_apart(text: str) -> list[str]:
    """A reference such as `50 N`, whose blank says that the letter is a unit and no factor, with its unit."""
    spelled = with_unit(text) if _SET_APART.fullmatch(text) else None
    return [] if spelled is None else [spelled]


def _with_unit(text: str) -> str | None:
    found = _NUMBER_AND_LETTER.fullmatch(text)
    if found is None:
        return None
    unit = re.sub(r"\\mu\s*", "μ", found[2])
    if not (len(unit) == 1 or is_known_unit(unit)):
        return None
    return f"{found[1]}⟦{_LETTERS.get(unit, unit)}⟧{found[3]}"


def is_pair_or_decimal(text: str) -> bool:
    """Whether a reference such as `2,3` or `\\{2,3\\}` may be two whole numbers as well as one with a decimal comma."""
    return _PAIR_OR_DECIMAL.fullmatch(text) is not None


def without_label(text: str, other: str) -> str:
    """The coordinates alone of a point with its name, `P(2, 3)`, where the other side names none."""
    found = _POINT.fullmatch(text)
    return found[1] if found and other.startswith("(") else text


def spellings(text: str) -> list[str]:
    """The text with its thousands written in one and, where it could be meant otherwise, the other reading too."""
    if _MANY_DOTS.fullmatch(text):
        return [text.replace(".", "")]
    joined = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), text)
    if joined == text:
        decimal = _DECIMAL.fullmatch(text)
        return [text, f"{decimal[1]}{decimal[2]}.{decimal[3]}{decimal[4]}"] if decimal else [text]
    if _BRACKETED.search(text) or (text.count(",") > 1 and ", " not in text):
        return [joined, text]
    return [joined]
