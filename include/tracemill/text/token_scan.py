"""The loop behind tokens.py: one pass over UTF-8 bytes. The rules are stated there."""

from __future__ import annotations

import numpy as np

from tracemill.text.jit import I64, U8, U64, Whole, at, kernel
from tracemill.text.vocabulary import CHARACTER, COMMAND, GLUED, NAME, NUMBER, SLOTS, SYMBOL, WORD, hashed

FNV_START = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
_OPEN_BRACE = np.uint64(hashed("{"))
_BACKSLASH = 92
SLOT_MASK = np.uint64(SLOTS - 1)
BLANK = 0
LEFT_OUT = 1
LETTER = 2
DIGIT = 3
PLAIN_MARK = 4
OTHER = 5
CLASSES: U8 = np.full(256, OTHER, np.uint8)
CLASSES[:33] = BLANK
CLASSES[[ord(c) for c in "$\"'`.,;?_"]] = LEFT_OUT
CLASSES[[ord(c) for c in "()[]{}+/<|&@%^"]] = PLAIN_MARK
CLASSES[48:58] = DIGIT
CLASSES[65:91] = CLASSES[97:123] = LETTER


@kernel
def _step(value: np.uint64, byte: np.uint8) -> np.uint64:
    return np.uint64((value ^ np.uint64(byte)) * FNV_PRIME)


@kernel
def _is_letter(c: Whole) -> bool | np.bool_:
    return 65 <= c <= 90 or 97 <= c <= 122


@kernel
def _is_digit(c: Whole) -> bool | np.bool_:
    return 48 <= c <= 57


@kernel
def _at(data: U8, i: Whole, end: Whole) -> Whole:
    """The byte at `i`, or a blank outside the text."""
    return np.int64(data[i]) if 0 <= i < end else 32


@kernel
def _width(first: Whole) -> Whole:
    if first < 0xC0:
        return 1
    if first < 0xE0:
        return 2
    return 3 if first < 0xF0 else 4


@kernel
def _code_point(data: U8, i: Whole, end: Whole) -> Whole:
    width = min(_width(np.int64(data[i])), end - i)
    if width == 1:
        return np.int64(data[i])
    value = np.int64(data[i]) & (0x7F >> width)
    for k in range(1, width):
        value = (value << 6) | (np.int64(data[i + k]) & 0x3F)
    return value


@kernel
def _class_beyond_ascii(point: Whole) -> Whole:
    """WORD for letters of alphabets, CHARACTER for scripts written without blanks, SYMBOL, or 0 for marks to drop."""
    if point < 0xAA or point in (0xAC, 0xAE, 0xAF, 0xB0, 0xB1, 0xB4, 0xB6, 0xB8, 0xBF):
        return 0 if point < 0xA1 else SYMBOL
    if point < 0x2000:
        return WORD
    if point < 0x2070 or 0x3000 <= point < 0x3040 or 0xFE00 <= point < 0xFE10:
        return 0
    if point < 0x2C00 or 0xE000 <= point < 0xF900 or 0xFE10 <= point < 0x20000:
        return SYMBOL
    return CHARACTER if point >= 0x2E80 else WORD


@kernel
def _word(data: U8, i: Whole, end: Whole) -> tuple[np.uint64, Whole]:
    """Hash of the run of letters at `i`, ASCII ones lower-cased, and where it ends."""
    value = FNV_START
    while i < end:
        c = np.int64(data[i])
        if _is_letter(c):
            value = _step(value, np.uint8(c | 32))
            i += 1
        elif c >= 128 and _class_beyond_ascii(_code_point(data, i, end)) == WORD:
            stop = min(i + _width(c), end)
            while i < stop:
                value = _step(value, data[i])
                i += 1
        else:
            break
    return value, i


@kernel
def _grouped(data: U8, i: Whole, end: Whole) -> bool | np.bool_:
    """Whether the comma at `i` only groups thousands: exactly three digits follow."""
    three = _is_digit(_at(data, i + 1, end)) and _is_digit(_at(data, i + 2, end)) and _is_digit(_at(data, i + 3, end))
    return three and not _is_digit(_at(data, i + 4, end))


@kernel
def _number(data: U8, i: Whole, end: Whole) -> tuple[np.uint64, Whole]:
    """Hash of the number at `i` in plain form (no thousands commas, no trailing zeros of a fraction) and its end."""
    value = FNV_START
    kept = FNV_START
    fraction = False
    digits = 0
    while i < end:
        c = np.int64(data[i])
        if _is_digit(c):
            value = _step(value, data[i])
            digits += 1
            if not fraction or c != 48:
                kept = value
        elif c == 46 and not fraction and _is_digit(_at(data, i + 1, end)):
            fraction = True
            kept = value
            value = _step(value, data[i])
        elif not (c == 44 and not fraction and 0 < digits <= 3 + 3 * (digits // 3) and _grouped(data, i, end)):
            break
        i += 1
    return kept, i


@kernel
def _hyphen(data: U8, start: Whole, i: Whole, end: Whole) -> bool | np.bool_:
    """Whether the dash at `i` joins words or opens a list item, and so is no minus sign."""
    after = i + 1
    while _at(data, after, end) == 36:
        after += 1
    word_after = _is_letter(_at(data, after, end)) and _is_letter(_at(data, after + 1, end))
    before = _at(data, i - 1, end) if i > start else 10
    spaced = before == 32 and _at(data, i + 1, end) == 32
    return (
        (before == 10 and _at(data, i + 1, end) == 32)
        or _at(data, i + 1, end) == 45
        or before == 45
        or (word_after and (before != 32 or spaced))
    )


@kernel
def _dropped(data: U8, start: Whole, i: Whole, end: Whole) -> bool | np.bool_:
    """Whether the ASCII mark at `i` is layout or plain punctuation, so that the text means the same without it."""
    c = np.int64(data[i])
    before = _at(data, i - 1, end) if i > start else 10
    after = _at(data, i + 1, end)
    if c == 45:
        return _hyphen(data, start, i, end)
    if c == 33:  # "5!" is a factorial, "Go!" is not
        return not (
            _is_digit(before)
            or before in (41, 125, 36)
            or (_is_letter(before) and not _is_letter(_at(data, i - 2, end)))
        )
    if c == 58:
        return not (_is_digit(before) and _is_digit(after))
    if c == 35:  # a heading; C# and F# keep theirs
        return not _is_letter(before)
    if c in (42, 62, 61, 126):  # * > = ~ as list, quote, rule or emphasis
        return before == 10 or before == c or after == c if c != 61 else before == c and _at(data, i - 2, end) == c
    return False


@kernel
def _command(data: U8, i: Whole, end: Whole) -> tuple[np.uint64, Whole, Whole]:
    """Hash and kind of the LaTeX command whose backslash is at `i`, and where it ends."""
    value = _step(FNV_START, np.uint8(_BACKSLASH))
    c = _at(data, i + 1, end)
    if not _is_letter(c):
        if c in (44, 59, 33, 58, 32, 40, 41, 91, 93, 10, 92, 47):  # spaces and formula brackets
            return value, 0, min(i + 2, end)
        return _step(FNV_START if c in (36, 37, 35, 38, 95) else value, np.uint8(c)), SYMBOL, min(i + 2, end)
    i += 1
    while i < end and _is_letter(np.int64(data[i])):
        value = _step(value, data[i])
        i += 1
    return value, COMMAND, i


@kernel
def _mark(data: U8, start: Whole, i: Whole, end: Whole) -> tuple[np.uint64, Whole, Whole]:
    """Hash and kind (0: leave out) of the symbol at `i`, and where it ends."""
    c = np.int64(data[i])
    if c < 128:
        return _step(FNV_START, data[i]), 0 if _dropped(data, start, i, end) else SYMBOL, i + 1
    kind = _class_beyond_ascii(_code_point(data, i, end))
    value = FNV_START
    stop = min(i + _width(c), end)
    while i < stop:
        value = _step(value, data[i])
        i += 1
    return value, kind, stop


@kernel
def _other(data: U8, start: Whole, i: Whole, end: Whole) -> tuple[np.uint64, Whole, Whole]:
    """Hash, kind (0: leave out) and end of a token that is neither an ASCII word, a number nor a plain mark."""
    c = np.int64(data[i])
    if c == _BACKSLASH:
        return _command(data, i, end)
    if c >= 128 and _class_beyond_ascii(_code_point(data, i, end)) == WORD:
        value, stop = _word(data, i, end)
        return value, WORD, stop
    return _mark(data, start, i, end)


@kernel
def scan(
    data: U8, offsets: I64, classes: U8, keys: U64, values: U64, kinds: U8, out: U64, out_kinds: U8, out_offsets: I64
) -> int:
    """Tokenise every text `data[offsets[k]:offsets[k + 1]]`; return how many tokens were written."""
    n = 0
    kind = np.int64(0)
    for row in range(len(offsets) - 1):
        i = offsets[row]
        end = offsets[row + 1]
        first = n
        opening = True
        glued = False
        out_offsets[row] = n
        while i < end:
            c = data[at(i)]
            begin = i
            value = FNV_START
            what = classes[c]
            if what in (BLANK, LEFT_OUT):
                opening = opening or c == 10 or c == 46 or c == 63
                glued = glued and what == LEFT_OUT
                i += 1
                continue
            if what == LETTER:
                while i < end and classes[data[at(i)]] == LETTER:
                    value = np.uint64((value ^ np.uint64(data[at(i)] | 32)) * FNV_PRIME)
                    i += 1
                kind = np.int64(WORD)
                if i < end and data[at(i)] >= 128:
                    value, i = _word(data, begin, end)
            elif what == PLAIN_MARK:
                value = _step(value, c)
                kind = np.int64(SYMBOL)
                i = i + 1
            elif what == DIGIT:
                kind = np.int64(NUMBER)
                after = data[at(i + 1)] if i + 1 < end else np.uint8(32)
                if classes[after] == DIGIT or after == 44 or after == 46:
                    value, i = _number(data, i, end)
                else:
                    value = _step(value, c)
                    i = i + 1
            else:
                value, other, i = _other(data, offsets[row], i, end)
                kind = np.int64(other)
            opening = opening or c == 33 or c == 58
            if kind != 0:
                slot = value & SLOT_MASK
                while keys[slot] != 0 and keys[slot] != value:
                    slot = (slot + at(1)) & SLOT_MASK
                if keys[slot] == value:
                    value = values[slot]
                    kind = np.int64(kinds[slot])
            if kind == 0:
                continue
            if c == 125 and n - first >= 2 and out[at(n - 2)] == _OPEN_BRACE:  # {x} means x
                out[at(n - 2)] = out[at(n - 1)]
                out_kinds[at(n - 2)] = out_kinds[at(n - 1)]
                n = n - 1
                continue
            named = bool(kind == WORD and not opening and 65 <= c <= 90 and i - begin > 1)
            out[at(n)] = value
            out_kinds[at(n)] = kind | (NAME if named else 0) | (GLUED if glued else 0)
            n = n + 1
            glued = True
            opening = bool(opening and kind >= COMMAND)
    out_offsets[len(offsets) - 1] = n
    return n


@kernel
def select(hashes: U64, kinds: U8, offsets: I64, wanted: int, out: U64, out_kinds: U8, out_offsets: I64) -> int:
    """Copy the tokens whose kind has a wanted bit; return how many there are."""
    n = 0
    for row in range(len(offsets) - 1):
        out_offsets[row] = n
        for i in range(offsets[row], offsets[row + 1]):
            out[n] = hashes[i]
            out_kinds[n] = kinds[i]
            n += (kinds[i] & wanted) != 0
    out_offsets[len(offsets) - 1] = n
    return n
