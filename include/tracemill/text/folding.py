"""Folds what two prints of one text differ in outside ASCII: widths, quotes, dashes, exponents, letter case.

NFKC alone would turn `5²` into `52` and `3½` into `31⁄2`; exponents become `^2` and fractions `(1/2)` first.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.text.jit import I64, U8, Flags, kernel

_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ"
_SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉"
_RAISED = {ord(c): plain for c, plain in zip(_SUPERSCRIPT, "0123456789+-n", strict=True)}
_LOWERED = {ord(c): str(n) for n, c in enumerate(_SUBSCRIPT)}
_EXPONENT = re.compile(f"[{_SUPERSCRIPT}]+")
_INDEX = re.compile(f"[{_SUBSCRIPT}]+")
_FRACTION = re.compile("[¼½¾⅐-⅞]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
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
    if text.isascii():
        return text
    text = _EXPONENT.sub(lambda found: "^" + found[0].translate(_RAISED), text)
    text = _INDEX.sub(lambda found: "_" + found[0].translate(_LOWERED), text)
    text = _FRACTION.sub(lambda found: f" ({unicodedata.normalize('NFKC', found[0])})", text)
    text = unicodedata.normalize("NFKC", text).translate(_SAME)
    return _BEYOND_ASCII.sub(lambda found: found[0].lower(), text)


def folded_texts(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Fold a column of strings; null becomes the empty string. Rows of ASCII and plain Chinese never reach Python."""
    column = plain_texts(texts)
    other = pc.invert(pc.string_is_ascii(column))
    rows = np.flatnonzero(other.to_numpy(zero_copy_only=False))
    if len(rows):
        rows = rows[_has_look_alikes(*buffers(column.take(pa.array(rows))))]
    if not len(rows):
        return column
    changed = pa.array([folded(text) for text in column.take(pa.array(rows)).to_pylist()], pa.large_string())
    mask = np.zeros(len(column), np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(column, pa.array(mask), changed)


def plain_texts(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column of strings as one array of large_string; null becomes the empty string."""
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    column = column.cast(pa.large_string())
    return pc.fill_null(column, "") if column.null_count else column


def buffers(texts: pa.Array) -> tuple[U8, I64]:
    """The bytes and the n + 1 offsets of a large_string column without nulls, without copying the text."""
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    content = texts.buffers()[2]
    data = np.frombuffer(content, np.uint8) if content is not None and content.size else np.zeros(0, np.uint8)
    return data, offsets


@kernel
def _has_look_alikes(data: U8, offsets: I64) -> Flags:
    """Which texts have a character beyond ASCII, the ideographs U+4E00-9FFF, and the marks U+3001 and U+3002."""
    out = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(out)):
        i = offsets[row]
        while i < offsets[row + 1] and not out[row]:
            first = data[i]
            if first < 128:
                i += 1
                continue
            second = data[i + 1]
            third = data[i + 2] if i + 2 < offsets[row + 1] else np.uint8(0)
            ideograph = (0xE4 < first <= 0xE9) or (first == 0xE4 and second >= 0xB8)
            mark = first == 0xE3 and second == 0x80 and 0x81 <= third <= 0x82
            out[row] = not (ideograph or mark)
            i += 3
    return out
