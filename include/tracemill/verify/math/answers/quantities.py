r"""Reads numbers and formulas with what stands around them: currency, units, percent, number words, infinity, bases."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from tracemill.text.hedges import HEDGES
from tracemill.verify.math.answers.formula import formula
from tracemill.verify.math.answers.nodes import Node, number, walk
from tracemill.verify.math.answers.shapes import Based, Infinite, Listed, Quantity, Shape
from tracemill.verify.math.answers.tokens import Token, Tokens, Unreadable, depths
from tracemill.verify.math.answers.units import NONE, Unit, is_known_unit, read_unit

_CURRENCIES = frozenset(("USD", "¥", "€", "£", "₹", "EUR", "GBP", "CNY", "RMB", "INR", "¢"))
_MINUS = frozenset(("negative", "minus", "负"))
_SIGNS = _MINUS | {"positive", "plus", "正"}
_EMPTY = frozenset(("exactly", "only", "just"))  # words before a number that change nothing
_ABOUT = HEDGES | {r"\approx"}
_OF_ANGLES = frozenset((r"\sin", r"\cos", r"\tan", r"\cot", r"\sec", r"\csc"))
_BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}


def quantity(tokens: Tokens) -> Shape:
    """A quantity, or a list of several written side by side (`9 chickens 10 rabbits`). Raises Unreadable."""
    rest = list(tokens)
    rough = False
    if len(rest) > 1 and rest[0].kind == "word" and rest[0].text.lower() in _SIGNS and rest[1].kind == "num":
        rest = [*([Token("sym", "-")] if rest[0].text.lower() in _MINUS else []), *rest[1:]]
    while rest and ((is_rough := rest[0].text.lower() in _ABOUT) or rest[0].text.lower() in _EMPTY):
        rough = rough or is_rough
        rest = rest[1:]
    if not rest:
        raise Unreadable("nothing")
    return roughly(_measured(rest)) if rough else _measured(rest)


def roughly(shape: Shape) -> Shape:
    """The shape as a rough statement. Raises Unreadable where that means nothing that can be compared."""
    if isinstance(shape, Quantity):
        return replace(shape, hedged=True)
    if isinstance(shape, Listed):
        return replace(shape, members=tuple(map(roughly, shape.members)))
    raise Unreadable("a hedge")


def _measured(rest: list[Token]) -> Shape:
    """What stands behind any "about"."""
    infinite = _infinite(rest)
    if infinite:
        return infinite
    rest, before = _currency(_in_radians(rest))
    start = _unit_start(rest)
    if start == 0:
        raise Unreadable("a unit without a number")
    pieces = _pieces(rest, start)
    parts = [_one(piece, before if place == 0 else []) for place, piece in enumerate(pieces)]
    if len(parts) == 1:
        return expanded(parts[0])
    if any(part.unit == NONE for part in parts):
        raise Unreadable("a word between numbers")
    return total(parts) or Listed("list", tuple(parts))


def _in_radians(tokens: list[Token]) -> list[Token]:
    r"""The tokens with the degrees that a function is applied to in radians: `\cos 60°` as `\cos (60 \pi / 180)`."""
    out: list[Token] = []
    inside: int | None = None  # how many brackets are open around the function
    for token, depth in zip(tokens, depths(tokens), strict=True):
        if token.text in _OF_ANGLES:
            inside = depth
        elif inside is not None and (depth < inside or (depth == inside and token.text in ("+", "-", "=", ","))):
            inside = None
        if token.text == "°" and inside is not None and out and out[-1].kind == "num":
            number_token = out.pop()
            out += [Token("sym", "("), number_token, Token("sym", "*"), Token("cmd", r"\pi"), Token("sym", "/")]
            out += [Token("num", "180"), Token("sym", ")")]
        else:
            out.append(token)
    return out


def based(tokens: Tokens) -> Based | None:
    """Digits with a base as subscript, or with the words "base five"; None for anything else."""
    texts = [token.text for token in tokens if token.text not in "{}()"]
    if len(texts) < 3 or tokens[0].text == "{" or texts[-2].lower() not in ("_", "base"):
        return None
    digits = "".join(texts[:-2])
    base = int(texts[-1]) if texts[-1].isdigit() and len(texts[-1]) < 4 else _BASES.get(texts[-1].lower())
    if not digits.isdigit() and not (base and 10 < base <= 36 and _is_number_in(digits, base)):
        return None
    if base is None:
        raise Unreadable("a base")
    return Based(digits.upper().lstrip("0") or "0", base)


def _is_number_in(digits: str, base: int) -> bool:
    """Whether letters and digits are a number in a base above ten; one letter alone is more likely a name."""
    if len(digits) < 2 or not (digits.isascii() and digits.isalnum()):
        return False
    return all(int(one, 36) < base for one in digits)


def expanded(one: Quantity) -> Shape:
    """A quantity with a plus-minus sign as the two that it stands for."""
    signs = sum(part.op in ("pm", "mp") for part in walk(one.node))
    if not signs:
        return one
    both = [replace(one, node=_signed(one.node, up), step=None) for up in (True, False)]
    return Listed("list", tuple(both))


def total(parts: list[Quantity]) -> Quantity | None:
    """Hours and minutes, dollars and cents as one quantity; None unless all measure the same by different units."""
    first = parts[0].unit
    same = all(part.unit.known and part.unit.bases == first.bases and not part.unit.qualifiers for part in parts)
    factors = [part.unit.factor for part in parts]
    if not same or not first.bases or sorted(set(factors), reverse=True) != factors:
        return None
    node = number(0)
    for part in parts:
        node = Node("add", (node, Node("mul", (number(part.unit.factor), part.node))))
    words = tuple(word for part in parts for word in part.unit.words)
    rough = any(part.hedged for part in parts)
    return Quantity(node, Unit(first.bases, compound=True, words=words), hedged=rough)


def _signed(node: Node, up: bool) -> Node:
    args = tuple(_signed(part, up) for part in node.args)
    if node.op in ("pm", "mp"):
        return Node("add" if (node.op == "pm") == up else "sub", args)
    return Node(node.op, args, node.value, node.name, node.plain)


def _infinite(tokens: Tokens) -> Infinite | None:
    texts = [token.text for token in tokens]
    if texts[-1] != r"\infty" or texts[:-1] not in ([], ["+"], ["-"]):
        return None
    return Infinite(-1 if texts[0] == "-" else 1)


def _currency(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """The tokens without a currency before the number, and the currency."""
    sign = [tokens[0]] if tokens[0].text in ("-", "+") else []
    rest = tokens[len(sign) :]
    if rest and rest[0].kind == "word" and rest[0].text in _CURRENCIES:
        return sign + rest[1:], [rest[0]]
    return tokens, []


def _unit_start(tokens: list[Token]) -> int:
    """Where the unit begins: at the first word or percent sign outside brackets; else past the end."""
    for at, (token, depth) in enumerate(zip(tokens, depths(tokens), strict=True)):
        if depth:
            continue
        if token.text == "%" or (token.kind == "word" and not _variable(tokens, at)):
            return at
        if token.kind == "run" and at and _bare_unit(tokens, at):
            return at
    return len(tokens)


def _variable(tokens: list[Token], at: int) -> bool:
    """Whether a single letter of a text command stands in a formula, not behind a number."""
    token = tokens[at]
    if len(token.text) != 1 or not token.text.isascii() or not token.text.isalpha():
        return False
    return at == 0 or (tokens[at - 1].kind == "sym" and tokens[at - 1].text in "+-*/(^={")


def _bare_unit(tokens: list[Token], at: int) -> bool:
    """Whether a quotient of units stands there without a text command, as in `9.8 m/s^2` and `4.2 J/(g*K)`."""
    if tokens[at - 1].kind != "num" and tokens[at - 1].text not in ("}", ")"):
        return False
    rest = tokens[at:]
    letters = [token.text for token in rest if token.kind in ("run", "word")]
    others = {token.text for token in rest if token.kind not in ("run", "word", "num")}
    slash = sum(token.text == "/" for token in rest) == 1
    return slash and all(map(is_known_unit, letters)) and others <= set("/^*(){}-")


def _pieces(tokens: list[Token], start: int) -> list[list[Token]]:
    """The tokens cut before each number that stands behind a unit (and is no exponent of one)."""
    pieces: list[list[Token]] = [list(tokens[:start])]
    for at in range(start, len(tokens)):
        token = tokens[at]
        before = tokens[at - 1]
        if token.kind == "num" and before.kind == "word":
            pieces.append([])
        pieces[-1].append(token)
    return pieces


def _one(tokens: list[Token], before: list[Token]) -> Quantity:
    start = _unit_start(tokens)
    unit, multiple = read_unit([*before, *_minutes(tokens[start:])])
    node = formula(tokens[:start])
    if unit != Unit() and not unit.known and not any(part.op in ("num", "pi") for part in walk(node)):
        raise Unreadable("words behind letters")
    if dict(unit.bases).get("degree") and any(part.op == "fn" for part in walk(node)):
        raise Unreadable("a function of degrees")
    if multiple != 1:
        node = Node("mul", (number(multiple), node))
    return Quantity(node, unit, _step(tokens[:start], multiple))


def _minutes(tokens: list[Token]) -> list[Token]:
    if any(token.text == "'" for token in tokens):
        raise Unreadable("minutes of arc")
    return tokens


def _step(tokens: list[Token], multiple: Fraction) -> Fraction | None:
    """The worth of the last decimal place of `1.5`, `-1.5`, `1.5 * 10^{-7}`; None for anything else."""
    texts = [token.text for token in tokens if token.text not in ("{", "}")]
    if texts[:1] in (["-"], ["+"]):
        texts = texts[1:]
    if not texts or not texts[0].replace(".", "", 1).isdigit():
        return None
    places = len(texts[0].partition(".")[2])
    scale = Fraction(0)
    if len(texts) == 1:
        scale = Fraction(1) if places else Fraction(0)
    elif texts[1:4] == ["*", "10", "^"] and len(texts) in (5, 6):
        exponent = "".join(texts[4:])
        scale = Fraction(10) ** int(exponent) if exponent.lstrip("+-").isdigit() and len(exponent) < 5 else scale
    return scale * multiple / 10**places if scale else None
