"""The words and LaTeX commands that mean the same or nothing: what the tokeniser replaces and what it leaves out."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from tracemill.text.jit import U8, U64

WORD = 1
NUMBER = 2
CHARACTER = 4
COMMAND = 8
SYMBOL = 16
NAME = 32
GLUED = 64
LEXICAL = WORD | NUMBER | CHARACTER | COMMAND
SLOTS = 1024
_MASK = (1 << 64) - 1

# Layout and spacing only: the formula reads the same without them.
SKIPPED = re.findall(
    r"\S+",
    r"""\left \right \big \bigl \bigr \Big \Bigl \Bigr \bigg \Bigg \displaystyle \textstyle \limits \nolimits \quad
    \qquad \text \textbf \textit \mathrm \mathbf \mathit \mathsf \operatorname \mbox \hspace \vspace \hfill \noindent
    \medskip \smallskip \bigskip \newline \phantom \hphantom \vphantom \mathstrut \strut \rm \bf \it""",
)
SAME_COMMAND = {
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\dbinom": r"\binom", r"\tbinom": r"\binom",
    r"\leqslant": r"\leq", r"\le": r"\leq", r"\geqslant": r"\geq", r"\ge": r"\geq", r"\ne": r"\neq",
    r"\to": r"\rightarrow", r"\dots": r"\ldots", r"\cdots": r"\ldots", r"\lvert": "|", r"\rvert": "|", r"\vert": "|",
    r"\mid": "|", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\ast": "*", r"\times": "*", r"\cdot": "*", r"\div": "/",
    r"\lt": "<", r"\gt": ">", r"\deg": "°", r"\degree": "°", r"\colon": ":",
}  # fmt: skip
SAME_CHARACTER = {
    "≤": r"\leq",
    "≥": r"\geq",
    "≠": r"\neq",
    "→": r"\rightarrow",
    "√": r"\sqrt",
    "π": r"\pi",
    "∞": r"\infty",
}
# "one" is left out: it is a pronoun more often than a number.
_COUNTED = """zero - two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty"""
_ROUND = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
          "hundred": 100, "thousand": 1000, "million": 1_000_000}  # fmt: skip
NUMBER_WORDS = {word: str(value) for value, word in enumerate(re.findall(r"\S+", _COUNTED)) if word.isalpha()} | {
    word: str(value) for word, value in _ROUND.items()
}
OTHER_WORDS = {"percent": "%"}


def hashed(text: str) -> int:
    """The tokeniser's hash (FNV-1a, 64 bits, over UTF-8) of a token's text."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & _MASK
    return value


@dataclass(frozen=True)
class Replacements:
    """An open-addressing table from a token's hash to the hash and kind it is replaced by; kind 0 leaves it out."""

    keys: U64
    values: U64
    kinds: U8


def _replacements() -> Replacements:
    entries = {hashed(command): (0, 0) for command in SKIPPED}
    entries |= {hashed(word): (hashed(number), NUMBER) for word, number in NUMBER_WORDS.items()}
    entries |= {hashed(word): (hashed(same), SYMBOL) for word, same in OTHER_WORDS.items()}
    for text, same in {**SAME_COMMAND, **SAME_CHARACTER}.items():
        command = same.startswith("\\") and len(same) > 2
        entries[hashed(text)] = (hashed(same), COMMAND if command else SYMBOL)
    table = Replacements(np.zeros(SLOTS, np.uint64), np.zeros(SLOTS, np.uint64), np.zeros(SLOTS, np.uint8))
    for key, (value, kind) in entries.items():
        slot = key % SLOTS
        while table.keys[slot]:
            slot = (slot + 1) % SLOTS
        table.keys[slot] = key
        table.values[slot] = value
        table.kinds[slot] = kind
    return table


REPLACEMENTS = _replacements()
