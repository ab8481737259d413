"""Folds what two prints of one text differ in outside ASCII: widths, quotes, dashes, exponents, letter case.

NFKC alone would turn `5²` into `52` and `3½` into `31⁄2`; exponents become `^2` and fractions `(1/2)` first.
"""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ"
_SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉"
_RAISED = {ord(c): plain for c, plain in zip(_SUPERSCRIPT, "0123456789+-n", strict=True)}
_LOWERED = {ord(c): str(n) for n, c in enumerate(_SUBSCRIPT)}
_EXPONENT = re.compile(f"[{_SUPERSCRIPT}]+")
_INDEX = re.compile(f"[{_SUBSCRIPT}]+")
_FRACTION = re.compile("[¼½¾⅐-⅞]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_UNCHANGED = re.compile(r"[\x00-\x7f\u3001\u3002\u4e00-\u9fff]*")  # ASCII and plain Chinese
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u200f"
_SAME: dict[int, str | None] = {
    **{ord(c): "'" for c in "‘’‛′"},
    **{ord(c): '"' for c in "“”„″«»"},
    **{ord(c): "-" for c in "‐‑‒–—―−"},
    **{ord(c): "*" for c in "×·⋅∙∗"},
    **{ord(c): "/" for c in "÷∕⁄"},
    **{ord(c): None for c in _INVISIBLE},
}


def folded(text: str) -> str:
    """The text with look-alikes made equal; ASCII letters keep their case (names are told by it), others lose it."""
    if _UNCHANGED.fullmatch(text):
        return text
    text = _EXPONENT.sub(lambda found: "^" + found[0].translate(_RAISED), text)
    text = _INDEX.sub(lambda found: "_" + found[0].translate(_LOWERED), text)
    text = _FRACTION.sub(lambda found: f" ({unicodedata.normalize('NFKC', found[0])})", text)
    text = unicodedata.normalize("NFKC", text).translate(_SAME)
    return _BEYOND_ASCII.sub(lambda found: found[0].lower(), text)


def folded_texts(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Fold a column of strings; null becomes the empty string. ASCII rows are not touched by Python."""
    column = plain_texts(texts)
    plain = pc.string_is_ascii(column)
    if pc.all(plain).as_py() in (True, None):
        return column
    other = pc.invert(plain)
    changed = pa.array([folded(text) for text in column.filter(other).to_pylist()], pa.large_string())
    return pc.replace_with_mask(column, other, changed)


def plain_texts(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column of strings as one array of large_string; null becomes the empty string."""
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return pc.fill_null(column.cast(pa.large_string()), "")
