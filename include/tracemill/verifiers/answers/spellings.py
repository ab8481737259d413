"""The readings of an answer whose commas can mean two things: `1,234` and `0,5` are numbers or pairs."""

from __future__ import annotations

import re

_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d]|,\d{1,2}(?!\d)|,\d{4})")
_DECIMAL = re.compile(r"([+-]?\s*(?:⟦[^⟦⟧]{1,3}⟧\s*)?)(\d{1,9}),(\d{1,2}|\d{4,9})(\s*(?:%|⟦[^⟦⟧]*⟧|\s)*)")
_BRACKETED = re.compile(r"(?:\(|\[|\\\{)\s*\d{1,3}(?:,\d{3})+\s*(?:\)|\]|\\\})")
_NUMBER_AND_LETTER = re.compile(
    r"(-?(?:[\d.,]+|[\d.,]*\s*\\frac\{\d+\}\{\d+\}|\\frac\d\d|\d+/\d+)\s*)([AghJKLlmNsVW])((?:\^(?:\{\d\}|\d))?)"
)


def with_unit(text: str) -> str | None:
    """A number and a letter as a number and its unit (`0.5 m`, `3 m^2`); None where the text is anything else."""
    found = _NUMBER_AND_LETTER.fullmatch(text)
    return f"{found[1]}⟦{found[2]}⟧{found[3]}" if found else None


def spellings(text: str) -> list[str]:
    """The text with its thousands written in one and, where it could be meant otherwise, the other reading too."""
    joined = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), text)
    if joined == text:
        decimal = _DECIMAL.fullmatch(text)
        return [text, f"{decimal[1]}{decimal[2]}.{decimal[3]}{decimal[4]}"] if decimal else [text]
    if _BRACKETED.search(text) or (text.count(",") > 1 and ", " not in text):
        return [joined, text]
    return [joined]
