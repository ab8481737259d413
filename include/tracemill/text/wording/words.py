"""Reads a problem as its parts: content words in their order, formulas, names, and what language it seems to be in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tracemill.text.vocabulary import NUMBER_WORDS
from tracemill.text.wording.lexicon import ASKERS, COMMON_CHINESE, EMPTY_CHINESE, GRAMMAR, synonyms
from tracemill.text.wording.stemming import stem

_TOKEN = re.compile(
    r"(?P<command>\\[A-Za-z]+)"
    r"|(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)"
    r"|(?P<identifier>[A-Za-z]{2,}(?:_\w+|\d+\w*)|[A-Za-z]+_[A-Za-z]{2,}\w*|[a-z]+[A-Z]\w*)"
    r"|(?P<character>[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])"
    r"|(?P<word>[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:['][a-z]+)?)"
    r"|(?P<mark>[^\s\w]|_)"
)
_OPERATORS = frozenset("+-*/^=<>_()[]{}|!&%°:~'")
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_RELATING = frozenset(("to", "by", "from", "into"))  # before a number they say what is done with it
_ASKING = re.compile(  # of two characters, which alone would mean something
    "多少|已知|如果|假设|那么|请问|一共|总共|分别|怎样|怎么|如何|什么|哪里|其中|一下|告诉我|给我|我们|自己|是不是|是否|所得|不同的"
)
_PRONOUNS = {"she": "he", "her": "his", "him": "his", "hers": "his", "a": "the", "an": "the"}
_BRACED = re.compile(r"\{ (\S+) \}")


@dataclass(frozen=True)
class Parts:
    """A problem as read.

    tokens     stems of all words, grammar included, numbers and formulas, in their order
    words      stems of the words that say something, numbers and formulas, in their order
    clauses    the same words, clause by clause
    formulas   the formulas of two signs or more
    letters    the single letters that stand for something
    names      capitalised words within sentences, and identifiers
    openers    capitalised words that open a sentence: names or not
    chinese    whether it is written in Chinese (or Japanese, Korean)
    known      whether enough of its words are known grammar: its language is one that the lexicon covers
    text       the text, in small letters
    """

    tokens: tuple[str, ...]
    words: tuple[str, ...]
    clauses: tuple[tuple[str, ...], ...]
    formulas: frozenset[str]
    letters: frozenset[str]
    names: frozenset[str]
    openers: frozenset[str]
    chinese: bool
    known: bool
    text: str


class Reader:
    """Collects the parts of one text, token by token."""

    def __init__(self, text: str) -> None:
        self.tokens_read: list[str] = []
        self.words: list[str] = []
        self.clauses: list[list[str]] = [[]]
        self.formulas: set[str] = set()
        self.letters: set[str] = set()
        self.names: set[str] = set()
        self.openers: set[str] = set()
        self.chunk: list[str] = []
        self.grammar = 0
        self.spoken = 0
        self.chinese = 0
        self.opening = True
        self.before = ""
        self.text = _ASKING.sub("是", text.lower() if text.isupper() else text)
        self.tokens = [(found.lastgroup or "", found[0], found.start()) for found in _TOKEN.finditer(self.text)]

    def read(self) -> Parts:
        """Read all tokens."""
        readers = {kind: getattr(self, f"_{kind}") for kind in _TOKEN.groupindex}
        for place, (kind, token, start) in enumerate(self.tokens):
            readers[kind](place, token, start)
        self._flush()
        return Parts(
            tuple(self.tokens_read),
            tuple(self.words),
            tuple(tuple(clause) for clause in self.clauses if clause),
            frozenset(self.formulas),
            frozenset(self.letters),
            frozenset(self.names),
            frozenset(self.openers),
            self.chinese * 3 > self.spoken + self.chinese,
            self._is_known(),
            self.text.lower(),
        )

    def _is_known(self) -> bool:
        """Of an English text 40 % is grammar, and most of the rest is listed; of a Chinese one 65 % is common."""
        if self.chinese > self.spoken:
            common = sum(character in COMMON_CHINESE for character in self.text)
            return common >= 0.35 * self.chinese
        senses = synonyms()
        listed = sum(word in senses for word in self.words)
        return self.grammar >= 0.12 * self.spoken and self.grammar + listed >= 0.45 * self.spoken

    def _say(self, word: str) -> None:
        self.tokens_read.append(word)
        self.words.append(word)
        self.clauses[-1].append(word)

    def _flush(self) -> None:
        """The formula that was read, if it is one."""
        if not self.chunk:  # nearly always
            return
        signs = _balanced(self.chunk)
        self.chunk = []
        if not any(sign.isalnum() or sign.startswith("\\") for sign in signs):
            return
        if len(signs) == 1:
            if signs[0][0].isdigit():
                self._say(f"{self.before}:{signs[0]}" if self.before in _RELATING else signs[0])
            else:
                self.letters.add(signs[0])
                self._say(signs[0])
            return
        whole = _BRACED.sub(r"\1", " ".join(signs))
        self.letters.update(sign for sign in signs if sign.isalpha() and len(sign) == 1)
        self.formulas.add(whole)
        self._say(f"{self.before}:{whole}" if self.before in _RELATING and whole[0].isdigit() else whole)

    def _number(self, place: int, token: str, start: int) -> None:
        plain = token.replace(",", "")
        self.chunk.append(plain.rstrip("0").rstrip(".") if "." in plain else plain)
        self.opening = False

    def _command(self, place: int, token: str, start: int) -> None:
        self.chunk.append(token)
        self.opening = False

    def _identifier(self, place: int, token: str, start: int) -> None:
        self._flush()
        self.names.add(token)
        self.opening = False

    def _character(self, place: int, token: str, start: int) -> None:
        self._flush()
        self.chinese += 1
        self.before = ""
        if token in EMPTY_CHINESE:
            self.grammar += 1
            self.tokens_read.append(token)
        else:
            self._say(token)

    def _word(self, place: int, token: str, start: int) -> None:
        if len(token) == 1 and not self._is_article(place, token):
            self.chunk.append(token)
            return
        small = token.lower()
        if small in NUMBER_WORDS or small == "percent":
            self.chunk.append(NUMBER_WORDS.get(small, "%"))
            return
        self._flush()
        self.spoken += 1
        self.before = small
        opening = self.opening
        self.opening = False
        if small in GRAMMAR:
            self.grammar += 1
            if opening and small in ASKERS:
                self._say(f"?{small}")
            self.tokens_read.append(_PRONOUNS.get(small, small))
        elif token[0].isupper() and len(token) > 1 and not opening:
            self.names.add(token.removesuffix("'s"))
            self._say(stem(small))
        else:
            if token[0].isupper():
                self.openers.add(token.removesuffix("'s"))
            self._say(stem(small))

    def _is_article(self, place: int, token: str) -> bool:
        if token not in "aAI":
            return False
        sides = [self.tokens[k][1] for k in (place - 1, place + 1) if 0 <= k < len(self.tokens)]
        return not any(side in "+-*/^=<>_()|" for side in sides)

    def _mark(self, place: int, token: str, start: int) -> None:
        if token in _OPERATORS and not self._is_prose(place, token, start):
            self.chunk.append(token)
            return
        within = token == "," and _depth(self.chunk) > 0
        if within:
            self.chunk.append(token)
            return
        self._flush()
        if token in ".,;:!?。，；：！？、":
            self.before = ""
            self.clauses.append([])
            self.opening = self.opening or token in ".!?:"

    def _is_prose(self, place: int, token: str, start: int) -> bool:
        """Whether the mark joins or ends words and is no operator."""
        before = self.text[start - 1 : start]
        after = self.text[start + 1 : start + 2]
        if token == "-":
            sides = [self.tokens[k][:2] for k in (place - 1, place + 1) if 0 <= k < len(self.tokens)]
            spoken = any(kind == "character" or (kind == "word" and len(side) > 1) for kind, side in sides)
            return spoken or before in ("", "\n")
        if token in "*_~" and (before == token or after == token or before in ("", "\n")):
            return True
        if token == "!":
            return not self.chunk
        if token == ":":
            return not (before.isdigit() and after.isdigit())
        return token == "'" and not (len(self.chunk) > 0 and self.chunk[-1].isalpha())


def _depth(chunk: Sequence[str]) -> int:
    return sum(sign in "([{" for sign in chunk) - sum(sign in ")]}" for sign in chunk)


def _balanced(chunk: list[str]) -> list[str]:
    """The signs without brackets that open or close beyond them, and without commas at the end."""
    open_places: list[int] = []
    lone: set[int] = set()
    for place, sign in enumerate(chunk):
        if sign in ("(", "[", "{"):
            open_places.append(place)
        elif sign in _BRACKETS:
            opened = chunk[open_places[-1]] if open_places else ""
            if opened in ("(", "[") or opened == _BRACKETS[sign]:  # half-open intervals mix them
                open_places.pop()
            else:
                lone.add(place)
    lone.update(open_places)
    return [sign for place, sign in enumerate(chunk) if place not in lone and sign != ","] if lone else chunk


def read_parts(text: str) -> Parts:
    """The parts of a problem in its one spelling (see tracemill.text.problem_text)."""
    return Reader(text).read()
