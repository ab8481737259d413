"""Decides which problems may be called near-duplicates at all: only those whose quantities, names and question agree.

An embedding (and MinHash) finds "If 3 pens cost $6" and "If 4 pens cost $8" nearly equal, but their answers differ. The
guard is one number per problem, equal only if these agree:
- the multiset of numbers, each with the operator or single-letter variable that touches it (so `2x + 3` is not
  `3x + 2`, and `3^5` is not `5^3`), wherever in the text they stand;
- the set of names: capitalised words of two letters or more that do not open a sentence;
- the set of question words that turn an answer round (largest/smallest, odd/even, not, sum/product, sin/cos, ...).
Two problems that ask the same with other names stay two problems: a name can be the answer.
"""

from __future__ import annotations

import numpy as np

from tracemill.text.kernels import I64, U8, U64, chained, kernel, mixed
from tracemill.text.tokens import Tokens
from tracemill.text.vocabulary import GLUED, NAME, NUMBER, SLOTS, SYMBOL, WORD, hashed

# Words of one line mean the same to the answer; lines must agree.
TURNING_WORDS = """
largest greatest maximum max maximal maximize highest biggest most longest \\max 最大 大
smallest least minimum min minimal minimize lowest fewest shortest \\min 小
odd 奇
even 偶
not no never without except cannot isn doesn don 不 非 没 無 无
increasing ascending 增
decreasing descending 减 減
sum total added \\sum 和
product multiplied \\prod 积 積
difference subtracted 差
quotient ratio divided 商 比
average mean 均
median
area 面
perimeter circumference 周
volume 体 體
sin sine \\sin
cos cosine \\cos
tan tangent \\tan
log logarithm \\log \\ln ln
before previous 前
after next 后 後
first
last
true
false
python
java
javascript
""".strip().splitlines()


def _turning() -> tuple[U64, U64]:
    """Open-addressing table from a word's hash to the bit of its line."""
    keys, bits = np.zeros(SLOTS, np.uint64), np.zeros(SLOTS, np.uint64)
    for line, words in enumerate(TURNING_WORDS):
        for key in (hashed(word) for word in words.split()):
            slot = key % SLOTS
            while keys[slot]:
                slot = (slot + 1) % SLOTS
            keys[slot], bits[slot] = key, 1 << line
    return keys, bits


_KEYS, _BITS = _turning()
_UNGLUED_WORDS = np.array([hashed("a"), hashed("i")], np.uint64)
_LETTERS = np.array([hashed(chr(c)) for c in range(97, 123)], np.uint64)
MAX_NAMES = 256  # distinct names of one problem; further ones are not looked at


def guards(tokens: Tokens) -> U64:
    """One number per text; near-duplicates must have the same."""
    return _guards(tokens.hashes, tokens.kinds, tokens.offsets, _KEYS, _BITS, np.sort(_LETTERS), _UNGLUED_WORDS)


@kernel
def _touching(hashes: U64, kinds: U8, i: int, j: int, start: int, stop: int, letters: U64, unglued: U64) -> np.uint64:
    """Hash of the token at `i` if it is an operator or a variable next to the number at `j`; else 0."""
    if i < start or i >= stop:
        return np.uint64(0)
    if kinds[i] & SYMBOL:
        return np.uint64(hashes[i])
    if kinds[i] & WORD and letters[min(np.searchsorted(letters, hashes[i]), 25)] == hashes[i]:
        together = kinds[max(i, j)] & GLUED
        if together or (hashes[i] != unglued[0] and hashes[i] != unglued[1]):
            return np.uint64(hashes[i])
    return np.uint64(0)


@kernel
def _guards(hashes: U64, kinds: U8, offsets: I64, keys: U64, bits: U64, letters: U64, unglued: U64) -> U64:
    out = np.empty(len(offsets) - 1, np.uint64)
    names = np.empty(MAX_NAMES, np.uint64)
    for row in range(len(out)):
        start, stop, numbers, turned, count = offsets[row], offsets[row + 1], np.uint64(0), np.uint64(0), 0
        for i in range(start, stop):
            if kinds[i] & NUMBER:
                left = _touching(hashes, kinds, i - 1, i, start, stop, letters, unglued)
                right = _touching(hashes, kinds, i + 1, i, start, stop, letters, unglued)
                numbers += mixed(chained(chained(left, hashes[i]), right))
                continue
            slot = hashes[i] & np.uint64(SLOTS - 1)
            while keys[slot] != 0 and keys[slot] != hashes[i]:
                slot = (slot + np.uint64(1)) & np.uint64(SLOTS - 1)
            turned |= bits[slot]
            if kinds[i] & NAME and count < MAX_NAMES and not np.any(names[:count] == hashes[i]):
                names[count] = hashes[i]
                count += 1
        for k in range(count):
            numbers += mixed(names[k] ^ np.uint64(0x5555555555555555))
        out[row] = mixed(chained(numbers, turned))
    return out
