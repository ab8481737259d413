"""Reads one problem into what can be aligned with another: its quantities, formulas, points, concepts and words.

Slower than units.py (about 0.5 ms a problem) and finer: numbers are values, formulas are cut into triples of tokens,
and what is asked for is told from what is given. Made only of items and of candidates.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction

from tracemill.text.folding import folded
from tracemill.text.meaning import numerals
from tracemill.text.meaning.concepts import ASKED, ASKED_AS, ASKED_STOCK, CHINESE, CHINESE_STOCK, ENGLISH, STOCK, stem
from tracemill.text.meaning.fractions import digit_fractions
from tracemill.text.meaning.units import COMMANDS, number_weight

LONGEST = 8000  # characters that are read of a problem
Unit = tuple[str, object]
WEIGHTS = {
    "concept": 1.0,
    "command": 0.7,
    "points": 1.2,
    "letter": 0.15,
    "word": 1.2,
    "han": 0.3,
    "said": 0.4,
    "formula": 0.8,
}
_RATIO_WEIGHT = 1.5
_LONG_WEIGHT = 2.5
_OPERATORS = frozenset("-=+*/^_<>|≤≥")
_MARKS = {"%": "percent", "√": "root", "°": "degree", "∠": "angle", "△": "triangle"}
_SAME = {r"\sqrt": "√", r"\cdot": "*", r"\times": "*", r"\le": "≤", r"\leq": "≤", r"\ge": "≥", r"\geq": "≥"}
_NO_NUMBER = ("一", "十", "百", "千", "万", "零")  # alone; but 十 before what is counted is ten
_COUNTED = tuple("个只条张本名位件支枚块棵辆元天年月日岁米人种次倍")
_LAYOUT = frozenset(
    re.findall(
        r"\S+",
        r"""\left \right \text \mathrm \mathbf \begin \end \overline \quad \dots \ldots \cdots \mathcal \displaystyle
        \item \textbf \textit \bullet \widehat \hline \qquad \textstyle \operatorname""",
    )
)
_TOKEN = re.compile(
    r"\\[a-zA-Z]+|\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?|[A-Z]{2,}(?![a-z])|[^\W\d_\u3400-\u9fff]+|[\u3400-\u9fff]+|[-=+*/^_<>|%≤≥∠°√△]"
)
_HAN = re.compile(
    "|".join([*sorted(map(re.escape, CHINESE), key=len, reverse=True), numerals.CHINESE_NUMERAL, "[\u3400-\u9fff]"])
)
_ASKS = re.compile(
    r"\b(?:find|determine|compute|calculate|evaluate|what|which|how|simplify|solve)\b|求|多少|几|计算|是什么"
    r"|化简|何",
    re.I,
)
# What a program's problem wears whatever it asks: imports, headers, the names of its functions.
_SCAFFOLD = re.compile(
    r"^[ \t]*(?:from\s+\S+\s+import|import)\b[^\n]*$"
    r"|^[ \t]*(?:async\s+)?(?:def|class)\b[^\n]*:[ \t]*$|\w+_\w*(?=\()|>>>",
    re.M,
)
_AREA = re.compile(r"\[\s*(?:△|\\triangle)?\s*([A-Z]{3,})\s*\]")  # [ABC] is the area of ABC
_HOW_MANY = re.compile(r"\bhow many\b|\bnumber of\b|多少个|多少种|几个|几种|个数", re.I)
_SENTENCE = re.compile(r"(?<=[.!?。？！；])\s*|\n+")


@dataclass(frozen=True)
class Reading:
    """The distinct units of a problem, in the order of their first mention too, the concepts that it asks for, and its

    runs of Chinese characters.
    """

    units: frozenset[Unit]
    order: tuple[Unit, ...]
    asked: frozenset[str]
    chinese: tuple[str, ...] = ()
    counts: bool = False  # whether it asks how many


def read(text: str) -> Reading:
    """Read a problem in its one spelling (tracemill.text.problem_text)."""
    reader = _Reader()
    text = _SCAFFOLD.sub(" ", text[:LONGEST]) if "\n" in text else text[:LONGEST]
    text = _AREA.sub(r" area \1 ", text) if "[" in text else text
    text = digit_fractions(numerals.plain_fractions(folded(text))).replace("{,}", ",").replace("\\!", "")
    reader.read(text)
    questions = [part for part in _SENTENCE.split(text) if part and _ASKS.search(part)]
    asking = _Reader(STOCK - ASKED_STOCK)
    asking.read(questions[-1] if questions else "")
    concepts = [str(value) for kind, value in asking.units if kind == "concept"]
    asked = frozenset(ASKED_AS.get(name, name) for name in concepts if name in ASKED)
    counts = bool(questions and _HOW_MANY.search(questions[-1]))
    return Reading(frozenset(reader.units), tuple(reader.units), asked, tuple(reader.chinese), counts)


def weight(unit: Unit) -> float:
    """How much a unit says, before what many items share is discounted."""
    kind, value = unit
    if kind != "number":
        return WEIGHTS[kind]
    if not isinstance(value, Fraction):
        return _LONG_WEIGHT
    return _RATIO_WEIGHT if value.denominator > 1 else number_weight(float(value))


class _Reader:
    def __init__(self, stock: Collection[str] = STOCK) -> None:
        self._stock = stock
        self.units: dict[Unit, None] = {}
        self.chinese: list[str] = []
        self._spelled = numerals.Spelled()
        self._formula: list[str] = []

    def read(self, text: str) -> None:
        end = 0
        for found in _TOKEN.finditer(text):
            if text[end : found.start()].strip(" (){}[]&\\,$"):
                self._end_formula()
            end = found.end()
            self._token(found[0])
        self._end_formula()
        self._end_number()
        self._add(("number", value) for value in numerals.ratios(text))

    def _add(self, units: Iterable[Unit]) -> None:
        self.units.update(dict.fromkeys(units))

    def _token(self, token: str) -> None:
        if token[0] == "\\":
            self._command(token)
        elif token[0].isdigit():
            self._end_number()
            self._add(("number", value) for value in numerals.digits(token))
            self._formula.append(token)
        elif token in _OPERATORS or token in _MARKS:
            self._formula.append(token)
            if token in _MARKS:
                self._add([("concept", _MARKS[token])])
        elif "\u3400" <= token[0] <= "\u9fff":
            self._end_number()
            self._end_formula()
            self._chinese(token)
        elif len(token) == 1 or token.isupper():
            self._end_number()
            self._name(token)
        else:
            self._end_formula()
            self._word(token.lower())

    def _command(self, token: str) -> None:
        if token in _LAYOUT:
            return
        self._formula.append(_SAME.get(token, token))
        if token in COMMANDS:
            self._add([("concept", COMMANDS[token])])
        elif token not in _SAME:
            self._add([("command", token)])

    def _name(self, token: str) -> None:
        """A variable, or points of a figure: their order in a name of up to three says nothing."""
        self._formula.append(token)
        if len(token) > 1:
            self._add([("points", "".join(sorted(token)) if len(token) <= 3 else token)])
        elif token not in "aAI":
            self._add([("letter", token)])

    def _word(self, word: str) -> None:
        if self._spelled.takes(word):
            return
        self._end_number()
        if word in numerals.NAMED:
            self._add([("number", numerals.NAMED[word])])
        if word in self._stock:
            return
        root = stem(word)
        name = ENGLISH.get(word) or ENGLISH.get(root)
        self._add([("concept", name) if name else ("word", root)])

    def _chinese(self, run: str) -> None:
        before = ""
        self.chinese.append(run)
        for found in _HAN.finditer(run):
            part = found[0]
            if part in CHINESE:
                if CHINESE[part] not in self._stock:
                    self._add([("concept", CHINESE[part])])
            elif re.fullmatch(numerals.CHINESE_NUMERAL, part):
                if part not in _NO_NUMBER or (part == "十" and run[found.end() : found.end() + 1] in _COUNTED):
                    self._add([("number", numerals.chinese(part))])
            else:
                said = "" if part in CHINESE_STOCK else part
                if before and said:
                    self._add([("han", before + said)])
                before = said
                continue
            before = ""

    def _end_number(self) -> None:
        self._add(("number", value) for value in self._spelled.end())

    def _end_formula(self) -> None:
        tokens = self._formula
        self._formula = []
        if any(token in _OPERATORS for token in tokens):
            self._add(("formula", " ".join(tokens[k : k + 3])) for k in range(len(tokens) - 2))
