"""What stands behind a number: units with a known size, nouns that are only counted, words that qualify.

A unit is a product of bases with exponents and a factor. Known bases can be converted and told apart; an unknown noun
is a base of its own name. Qualifiers (north, profit, even) are not units: an answer without one is another answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from tracemill.text.symbols import words_of
from tracemill.verify.math.answers.tokens import Token, Tokens, Unreadable
from tracemill.verify.math.answers.unit_table import KNOWN, Bases

_SPEEDS = {"mph": ("miles", "hour"), "kph": ("km", "hour"), "kmh": ("km", "hour"), "rpm": ("revolution", "minute")}
_NEUTRAL = words_of("unit units total altogether 单位 in ad ce")
MULTIPLES = {
    "dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "百": 100, "千": 1000, "万": 10**4, "十万": 10**5, "百万": 10**6, "千万": 10**7, "亿": 10**8, "打": 12,
}  # fmt: skip
_QUALIFIERS = words_of(
    "north south east west northeast northwest southeast southwest left right up down upward "
    "downward above below upstream profit loss gain increase decrease faster slower more less "
    "fewer greater least most minimum maximum am pm a.m p.m noon midnight even odd prime "
    "positive negative real complex imaginary rational irrational integer ago later before after "
    "ahead behind clockwise counterclockwise anticlockwise bc bce mod modulo base not "
    "approximately about roughly nearly almost exactly only each every former latter credit debit "
    "debt surplus deficit over under remainder factorial squared cubed half halves third thirds "
    "quarter quarters fourth fifth fifths sixth eighth tenth tenths hundredths th st nd rd plus "
    "minus times pair pairs score infinite infinitely finite many none no true false yes "
    "solutions 东 南 西 北 左 右 上 下 盈利 亏损 亏 赚 增加 减少 上升 下降 以上 以下 多 少 倍 前 后 上午 下午 余"
)
_SENTENCE = words_of("is are was were if when where for with such that and or be has have there so then because")
_ORDINALS = frozenset(("st", "nd", "rd", "th"))
_PER = frozenset(("per", "/", "每", "a", "an"))
_CJK = re.compile(r"[\u3400-\u9fff]+")
_OF_IT = re.compile("的|.*[倍半]")  # 12的倍数, 12两倍: other numbers
_SHORTENED = frozenset(("k", "M", "B", "bn", "mn"))  # thousands and more, by some people's habit
_MOST_NOUNS = 4
_NEVER_RAISED = frozenset((KNOWN["%"], KNOWN["°"], KNOWN["USD"], KNOWN["CNY"], None))  # None: nouns


@dataclass(frozen=True)
class Unit:
    """Bases with exponents, sorted; the factor to them; whether all are known; the qualifying words in order."""

    bases: tuple[tuple[str, int], ...] = ()
    factor: Fraction = Fraction(1)
    known: bool = True
    qualifiers: tuple[str, ...] = ()
    compound: bool = False  # hours and minutes: a bare number does not say in which
    words: tuple[str, ...] = field(default=(), compare=False)  # that spell the bases


NONE = Unit()


def is_unit(unit: Unit, base: str) -> bool:
    """Whether it is that base alone."""
    return unit.bases == ((base, 1),)


def read_unit(tokens: Tokens) -> tuple[Unit, Fraction]:
    """The unit that tokens spell and the multiple before it (million). Raises Unreadable for a sentence."""
    return _Reader(tokens).whole()


class _Reader:
    def __init__(self, tokens: Tokens) -> None:
        self.tokens = list(tokens)
        self.at = 0
        self.bases: dict[str, int] = {}
        self.factor = Fraction(1)
        self.multiple = Fraction(1)
        self.known = True
        self.qualifiers: list[str] = []
        self.words: list[str] = []
        self.nouns = 0

    def whole(self) -> tuple[Unit, Fraction]:
        sign = 1
        power = 1
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            text = token.text.lower() if len(token.text) > 2 else token.text
            if text in _PER and (token.kind != "run" or len(self.bases) > 0):
                sign = -1
            elif text in ("*", "of", "的", "-", "the", "整") or (token.kind == "sym" and text in "()"):
                continue
            elif text in ("square", "sq", "平方"):
                power = 2
            elif text in ("cubic", "cu", "立方"):
                power = 3
            else:
                self.atom(token, sign, power)
                power = 1
        bases = tuple(sorted((base, exponent) for base, exponent in self.bases.items() if exponent))
        return Unit(bases, self.factor, self.known, tuple(self.qualifiers), words=tuple(self.words)), self.multiple

    def atom(self, token: Token, sign: int, power: int) -> None:
        word = token.text
        if token.kind not in ("word", "run") and word != "%":
            raise Unreadable("no unit")
        folded = word.lower()
        if folded in _SENTENCE or word in _SHORTENED or _OF_IT.match(word):
            raise Unreadable("a sentence, or a multiple")
        if folded in MULTIPLES or word in MULTIPLES:
            self.multiple *= MULTIPLES.get(word, MULTIPLES.get(folded, 1))
            return
        if folded.rstrip("s") in MULTIPLES:
            self.multiple *= MULTIPLES[folded.rstrip("s")]
            return
        if folded in _NEUTRAL and not (folded == "in" and self._last()):
            self.exponent()  # units^2
            return
        if folded in _QUALIFIERS:
            self.qualifiers.append("th" if folded in _ORDINALS else folded)
            return
        if word.startswith(("平方", "立方")):
            power = 2 if word[0] == "平" else 3
            word = word[2:]
        exponent = self.exponent()
        if not exponent or (exponent != 1 and sized(word) in _NEVER_RAISED and word not in _SPEEDS):
            raise Unreadable("a power of what has none")
        self._put(word, sign * exponent * power)

    def _last(self) -> bool:
        return self.at == len(self.tokens) or self.tokens[self.at].text in ("^", "/")

    def exponent(self) -> int:
        """An exponent behind a unit: ^2, ^{-1}."""
        if self.at >= len(self.tokens) or self.tokens[self.at].text != "^":
            return 1
        text = ""
        self.at += 1
        while self.at < len(self.tokens) and len(text) < 6:
            part = self.tokens[self.at].text
            if part not in "{}+-" and not part.isdigit():
                break
            if text.strip("{+-") and part not in "}":
                break
            text += part
            self.at += 1
        digits = text.strip("{}+")
        if not re.fullmatch(r"-?\d", digits):
            raise Unreadable("an exponent of a unit")
        return int(digits)

    def _put(self, word: str, exponent: int) -> None:
        if word in _SPEEDS:
            for part, sign in zip(_SPEEDS[word], (1, -1), strict=True):
                self._put(part, sign * exponent)
            return
        self.words.append(word)
        bases, factor = self.known_bases(word)
        for base, power in bases:
            self.bases[base] = self.bases.get(base, 0) + power * exponent
        self.factor *= factor**exponent

    def known_bases(self, word: str) -> tuple[Bases, Fraction]:
        found = sized(word)
        if found and found[0] == (("degree", 1),) and (scale := self._scale()):
            return ((scale, 1),), Fraction(1)
        if found:
            return found
        self.nouns += 1
        if self.nouns > _MOST_NOUNS or (_CJK.fullmatch(word) and len(word) > 3):
            raise Unreadable("more words than a unit has")
        self.known = False
        return ((singular(word.lower()), 1),), Fraction(1)

    def _scale(self) -> str:
        """The temperature scale behind a degree sign, consumed."""
        if self.at >= len(self.tokens):
            return ""
        scale = {
            "c": "celsius",
            "f": "fahrenheit",
            "celsius": "celsius",
            "fahrenheit": "fahrenheit",
            "摄氏度": "celsius",
        }
        name = scale.get(self.tokens[self.at].text.lower(), "")
        if name:
            self.tokens[self.at] = Token("sym", "(")
        return name


def sized(word: str) -> tuple[Bases, Fraction] | None:
    """The bases and the factor of a unit with a known size."""
    return KNOWN.get(word) or (KNOWN.get(word.lower()) if len(word) > 2 else None)


def singular(word: str) -> str:
    """A noun without its plural's ending, as far as endings tell."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def is_known_unit(text: str) -> bool:
    """Whether a word is a unit with a size."""
    return sized(text) is not None or text in _SPEEDS
