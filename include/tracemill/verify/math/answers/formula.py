r"""Reads a formula: a grammar for what answers hold, without guesses. What it does not know, it refuses.

Refused, because people mean different things by it: `1/2x` (a letter or root after a slash and a number), `3\frac52`
beside mixed numbers, `\sqrt12`, several digits left over from `\frac123`.
"""

from __future__ import annotations

import re

from tracemill.text.symbols import words_of
from tracemill.verify.math.answers.nodes import Node, is_proper, number, symbol
from tracemill.verify.math.answers.numerals import Numerals
from tracemill.verify.math.answers.tokens import Token, Tokens, Unreadable, canonical, closing, is_derivative, is_greek

_FUNCTIONS = frozenset(
    rf"\{name}" for name in words_of("sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln log lg exp")
)
_INVERSE = {r"\sin": r"\arcsin", r"\cos": r"\arccos", r"\tan": r"\arctan"}
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_ROUNDING = {r"\lfloor": (r"\rfloor", "floor"), r"\lceil": (r"\rceil", "ceil")}
_WHOLE = re.compile(r"\d+")


def formula(tokens: Tokens) -> Node:
    """The whole of the tokens as one formula. Raises Unreadable."""
    return _whole(tokens, 0)


def _whole(tokens: Tokens, depth: int) -> Node:
    reader = _Reader(list(tokens), depth)
    node = reader.sum()
    if reader.at != len(reader.tokens):
        raise Unreadable(f"left over: {reader.tokens[reader.at].text}")
    return node


class _Reader(Numerals):
    """A formula, part by part, each part one method."""

    def inner(self, tokens: Tokens) -> Node:
        return _whole(tokens, self.depth + 1)

    def sum(self) -> Node:
        node = self.product()
        while self.peek() in ("+", "-", r"\pm", r"\mp"):
            sign = self.take().text
            node = Node({"+": "add", "-": "sub", r"\pm": "pm", r"\mp": "mp"}[sign], (node, self.product()))
        return node

    def product(self) -> Node:
        sign = self.peek()
        if sign in ("+", "-", r"\pm", r"\mp"):
            self.take()
            inner = self.product()
            if sign in (r"\pm", r"\mp"):
                return Node("pm" if sign == r"\pm" else "mp", (number(0), inner))
            return Node("neg", (inner,)) if sign == "-" else inner
        node = self.power()
        slashed = False
        while True:
            sign = self.peek()
            if sign in ("*", "/"):
                self.take()
                if slashed and sign == "/":
                    raise Unreadable("two slashes")
                slashed = slashed or sign == "/"
                node = Node("mul" if sign == "*" else "div", (node, self.signed()))
            elif self.starts_factor():
                if slashed:
                    raise Unreadable("a factor after a quotient")
                node = self.beside(node)
            else:
                return node

    def signed(self) -> Node:
        if self.peek() in ("-", "+"):
            sign = self.take().text
            inner = self.power()
            return Node("neg", (inner,)) if sign == "-" else inner
        return self.power()

    def starts_factor(self) -> bool:
        text = self.peek()
        if self.kind() in ("num", "run"):
            return True
        return text in ("(", "[", "{", "|", r"\frac", r"\sqrt", r"\pi", r"\binom", *_ROUNDING, *_FUNCTIONS) or (
            self.kind() == "cmd" and is_greek(text)
        )

    def beside(self, node: Node) -> Node:
        """A factor without a sign before it: two numbers side by side are a mixed number or nothing."""
        digits = self.kind() == "num" or (self.peek() == "{" and self.kind(1) == "num")
        if digits and node.plain:
            raise Unreadable("two numbers side by side")
        if self.peek() == r"\frac" and node.plain:
            part = self.power()
            if not is_proper(part) or node.value.denominator != 1:
                raise Unreadable("a number beside a fraction")
            return Node("add", (node, part))
        if self.peek() == "|" or self.kind() == "num":
            raise Unreadable("a bar or a number after a factor")
        if self.kind() == "run" and self.peek() != "i" and node.plain and node.value == 0:
            raise Unreadable("letters behind a zero, which any other letters would equal")
        return Node("mul", (node, self.power()))

    def power(self) -> Node:
        base = self.postfix(self.atom())
        if self.peek() != "^":
            return base
        self.take()
        if self.peek() in ("*", "'"):
            raise Unreadable("a mark")
        exponent = self.exponent()
        return self.postfix(Node("pow", (base, exponent)))

    def exponent(self) -> Node:
        if self.peek() in ("-", "+"):
            sign = self.take().text
            return Node("neg", (self.exponent(),)) if sign == "-" else self.exponent()
        if self.kind() == "run" and len(self.peek()) > 1:
            raise Unreadable("an exponent of several letters without braces")
        node = self.atom()
        if self.peek() == "^":
            self.take()
            return Node("pow", (node, self.exponent()))
        return node

    def postfix(self, node: Node) -> Node:
        while self.peek() == "!":
            self.take()
            if self.peek() == "!":
                raise Unreadable("a double factorial")
            node = Node("fact", (node,))
        return node

    def atom(self) -> Node:
        token = self.take()
        if token.kind == "word":
            if len(token.text) == 1 and token.text.isascii() and token.text.isalpha():
                return self.letter(token.text)
            raise Unreadable("a word in a formula")
        if token.kind == "num":
            return self.numeral(token)
        if token.kind == "run":
            return self.letters(token)
        if token.text in _BRACKETS:
            return self.bracket(token.text)
        if token.text == "|":
            return self.bars()
        if token.kind == "cmd":
            return self.command(token.text)
        raise Unreadable(token.text)

    def letters(self, token: Token) -> Node:
        """Letters side by side are factors; the marks behind belong to the last."""
        node: Node | None = None
        for place, one in enumerate(token.text):
            last = place == len(token.text) - 1
            factor = self.letter(one) if last else symbol(one)
            if last and self.peek() == "^" and node is not None:
                self.take()
                factor = Node("pow", (factor, self.exponent()))
            node = factor if node is None else Node("mul", (node, factor))
        if node is None:
            raise Unreadable("no letter")
        return node

    def letter(self, name: str) -> Node:
        """A letter with its subscript and primes, or a function of a bracket where it is f, g or h or has a prime."""
        full = name
        if self.peek() == "_":
            self.take()
            full += "_" + self.subscript()
            if self.peek() == "^" and name in "CPA" and len(name) == 1 and full[2:3].isdigit():
                raise Unreadable("a count of combinations")
        while self.peek() == "'":
            full += self.take().text
        if self.peek() == "(" and (full[0] in "fghFGH" or "'" in full):
            return Node("call", (self.bracket(self.take().text),), name=full)
        return symbol(full)

    def subscript(self) -> str:
        if self.peek() != "{":
            return self.take().text
        end = closing(self.tokens, self.at)
        content = canonical(self.tokens[self.at + 1 : end])
        self.at = end + 1
        return content

    def bracket(self, opening: str) -> Node:
        start = self.at - 1
        end = closing(self.tokens, start)
        if self.tokens[end].text != _BRACKETS[opening]:
            raise Unreadable("brackets that do not match")
        self.at = end + 1
        if self.peek() == "_":
            raise Unreadable("a subscript of a bracket")
        return self.inner(self.tokens[start + 1 : end])

    def bars(self) -> Node:
        end = next((at for at in range(self.at, len(self.tokens)) if self.tokens[at].text == "|"), 0)
        if not end:
            raise Unreadable("a lone bar")
        return Node("abs", (self.within(end),))

    def within(self, end: int) -> Node:
        """The formula from here to that place, behind which the reader goes on."""
        content = self.tokens[self.at : end]
        self.at = end + 1
        return self.inner(content)

    def command(self, name: str) -> Node:
        if name == r"\pi":
            return Node("pi")
        if name == r"\frac" and not is_derivative(self.tokens, self.at):
            return Node("div", (self.argument(), self.argument(last=True)))
        if name == r"\sqrt":
            return self.root()
        if name == r"\binom":
            return Node("binom", (self.argument(), self.argument(last=True)))
        if name in _FUNCTIONS:
            return self.function(name)
        if name in _ROUNDING:
            return Node(_ROUNDING[name][1], (self.within(closing(self.tokens, self.at - 1)),))
        if is_greek(name):
            return self.letter(name)
        raise Unreadable(name)

    def argument(self, last: bool = False) -> Node:
        """What `\\frac` takes: a group, or one digit or letter; digits left over by the last are refused."""
        token = self.take()
        if token.text == "{" and token.kind == "sym":
            return self.bracket("{")
        if token.kind == "num" and _WHOLE.fullmatch(token.text):
            rest = token.text[1:]
            if rest and last:
                raise Unreadable("digits left over")
            if rest:
                self.at -= 1
                self.tokens[self.at] = Token("num", rest)
            return number(int(token.text[0]))
        if token.kind == "run":
            if len(token.text) > 1:
                self.at -= 1
                self.tokens[self.at] = Token("run", token.text[1:])
            return symbol(token.text[0])
        if token.text == r"\pi":
            return Node("pi")
        raise Unreadable("an argument")

    def root(self) -> Node:
        degree = number(2)
        if self.peek() == "[":
            end = closing(self.tokens, self.at)
            self.at += 1
            degree = self.within(end)
        if self.peek() in ("{", "("):
            radicand = self.bracket(self.take().text)
        elif self.kind() == "num" and len(self.peek()) == 1:
            radicand = number(int(self.take().text))
        elif self.kind() == "run" and len(self.peek()) == 1:
            radicand = symbol(self.take().text)
        elif self.peek() == r"\pi":
            radicand = self.command(self.take().text)
        else:
            raise Unreadable("a root of what?")
        return Node("root", (radicand, degree))

    def function(self, name: str) -> Node:
        base: Node | None = None
        power: Node | None = None
        if self.peek() == "_":
            self.take()
            base = self.atom()
        if self.peek() == "^":
            self.take()
            power = self.exponent()
        if base is not None and name != r"\log":
            raise Unreadable("a base")
        if power is not None and power == Node("neg", (number(1),)):
            name = _INVERSE.get(name, "")
            power = None
            if not name:
                raise Unreadable("an inverse")
        call = Node("fn", (self.operand(),) if base is None else (self.operand(), base), name=name)
        return call if power is None else Node("pow", (call, power))

    def operand(self) -> Node:
        """What a function is applied to: a bracket, or the factors up to the next sign or function."""
        if self.peek() in ("(", "{"):
            return self.bracket(self.take().text)
        if self.peek() == "|":
            return self.atom()
        if self.peek() in _FUNCTIONS:
            return self.power()
        node = self.power()
        while self.starts_factor() and self.peek() not in _FUNCTIONS and self.peek() not in ("(", "["):
            node = self.beside(node)
        return node
