r"""Reads numbers: whole, decimal, mixed (`7 1/2`), scientific (`1.5e-7`) and repeating (`0.\overline{3}`)."""

from __future__ import annotations

import re
from fractions import Fraction

from tracemill.verify.math.answers.nodes import Node, number
from tracemill.verify.math.answers.tokens import Token, Unreadable

DEEPEST = 40  # brackets in brackets
_LONGEST = 2000  # digits
_REPEATING = frozenset((r"\overline", r"\bar", r"\dot"))
_WHOLE = re.compile(r"\d+")


class Cursor:
    """A place in tokens. Words are never the text of a formula's sign."""

    def __init__(self, tokens: list[Token], depth: int = 0) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = depth
        if depth > DEEPEST:
            raise Unreadable("too deep")

    def peek(self, ahead: int = 0) -> str:
        where = self.at + ahead
        return self.tokens[where].text if where < len(self.tokens) and self.tokens[where].kind != "word" else ""

    def kind(self, ahead: int = 0) -> str:
        where = self.at + ahead
        return self.tokens[where].kind if where < len(self.tokens) else ""

    def take(self) -> Token:
        if self.at >= len(self.tokens):
            raise Unreadable("ends too early")
        self.at += 1
        return self.tokens[self.at - 1]


class Numerals(Cursor):
    """Reads what begins with digits."""

    def numeral(self, token: Token) -> Node:
        if self.peek() in ("_", "...") or len(token.text) > _LONGEST:
            raise Unreadable("a base or an ellipsis")
        value = Fraction(token.text)
        if self.peek() in _REPEATING or (self.peek() == "." and self.peek(1) in _REPEATING):
            return self.repeating(token.text)
        if _WHOLE.fullmatch(token.text) and self.mixed():
            top = self.take()
            _ = self.take()
            bottom = self.take()
            return number(value + Fraction(int(top.text), int(bottom.text)))
        if self.kind() == "run" and self.peek() in ("e", "E") and not self.tokens[self.at].spaced:
            return self.scientific(value, token.text)
        return Node("num", value=value, plain=True)

    def repeating(self, written: str) -> Node:
        r"""`0.1\overline{6}`, `0.\dot{3}`, `0.\dot{1}2\dot{3}`: the repeated digits without end."""
        if self.peek() == ".":
            written += self.take().text
        whole, _, places = written.partition(".")
        mark = self.peek()
        digits = ""
        ended = False
        if "." not in written:
            raise Unreadable("a bar over no decimal")
        while not ended and self.peek() in (mark,):
            self.take()
            if self.take().text != "{" or self.kind() != "num" or self.peek(1) != "}":
                raise Unreadable("a bar over what?")
            digits += self.take().text
            self.take()
            ended = mark != r"\dot" or len(digits) > 1
            if not ended and self.kind() == "num" and self.peek(1) == mark:
                digits += self.take().text
        if not digits.isdigit():
            raise Unreadable("a bar over no digits")
        fraction = Fraction(int(digits), (10 ** len(digits) - 1) * 10 ** len(places))
        return Node("num", value=Fraction(f"{whole or 0}.{places or 0}") + fraction, name="repeating")

    def mixed(self) -> bool:
        """Whether `n/d` follows after a blank, as in `7 1/2`."""
        if not (self.kind() == "num" and self.tokens[self.at].spaced and self.peek(1) == "/" and self.kind(2) == "num"):
            return False
        top = self.peek()
        bottom = self.peek(2)
        return bool(_WHOLE.fullmatch(top) and _WHOLE.fullmatch(bottom) and 0 < int(top[:9]) < int(bottom[:9]))

    def scientific(self, mantissa: Fraction, written: str) -> Node:
        sign = self.peek(1) if self.peek(1) in ("+", "-") else ""
        after = 2 if sign else 1
        if self.kind(after) != "num" or not _WHOLE.fullmatch(self.peek(after)) or len(self.peek(after)) > 3:
            return Node("num", value=mantissa)
        if "." not in written and self.peek() == "e" and sign != "-":
            raise Unreadable("an e between numbers")
        digits = self.peek(after)
        self.at += after + 1
        return number(mantissa * Fraction(10) ** int(sign + digits))
