r"""Reads what stands between relation signs: names and their values, equations, inequalities, chains, congruences."""

from __future__ import annotations

from collections.abc import Callable

from tracemill.text.symbols import words_of
from tracemill.verify.math.answers.formula import formula
from tracemill.verify.math.answers.nodes import Node, letters
from tracemill.verify.math.answers.quantities import quantity, roughly
from tracemill.verify.math.answers.regions import inequality, region_of
from tracemill.verify.math.answers.sameness import same_formula
from tracemill.verify.math.answers.shapes import Chain, Congruence, Listed, Named, Quantity, Shape
from tracemill.verify.math.answers.tokens import Token, Tokens, Unreadable, canonical, split
from tracemill.verify.math.answers.values import Undecided, numeric, value

_SIGNS = frozenset(("=", "<", ">", r"\le", r"\ge", r"\ne", r"\approx", r"\in"))
_REFUSED = frozenset(
    (
        r"\to",
        r"\notin",
        r"\parallel",
        r"\perp",
        r"\cong",
        r"\subset",
        r"\subseteq",
        r"\forall",
        r"\exists",
        r"\iff",
        "...",
    )
)
_NAME = frozenset((r"\angle", r"\triangle", "|", "'", "(", ")", "_", "{", "}", r"\overline", r"\mathbb", ",", "°"))
_NEGATIONS = words_of(
    "not no never neither nor isn't aren't don't doesn't cannot can't except without false 不 非 不是 不为 没有 并非"
)
_MOD = frozenset((r"\pmod", r"\bmod", r"\mod", "mod", "modulo", "模"))
_ABOUT = 0.05  # how far a rounded form may be from its exact one
Inner = Callable[[Tokens], Shape]


def relation(tokens: list[Token], inner: Inner) -> Shape | None:
    """The shape of a relation, or None where there is no relation sign. Raises Unreadable."""
    if any(token.text in _REFUSED for token in tokens):
        raise Unreadable("a relation that is not compared")
    pieces, signs = split(tokens, _SIGNS)
    if not signs:
        return None
    if not pieces[0] and len(pieces) == 2:
        said = inner(pieces[1]) if signs[0] in ("=", r"\approx") else None
        return roughly(said) if said is not None and signs[0] == r"\approx" else said
    if not all(pieces):
        raise Unreadable("a relation with nothing on one side")
    if any(token.kind == "word" and token.text.lower() in _NEGATIONS for token in tokens):
        raise Unreadable("a relation that is denied")
    if signs == [r"\in"]:
        if not _is_name(pieces[0]):
            raise Unreadable("a formula in a set")
        what = inner(pieces[1])
        return Named(canonical(pieces[0]), region_of(what) or what, None)
    if set(signs) <= {"=", r"\approx"}:
        return _equal(pieces, signs, inner)
    if set(signs) & {"=", r"\approx", r"\in"}:
        raise Unreadable("several relations")
    parts = [_node(piece) for piece in pieces]
    return inequality(parts, signs) or Chain(tuple(parts), tuple(signs))


def named(tokens: list[Token], what: Shape | None) -> Named:
    """What a name on the left of an equation is. Raises Unreadable where that is no name, or is nothing."""
    if what is None or not tokens or not _is_name(tokens):
        raise Unreadable("no name")
    return Named(_name(tokens), what, _formula_or_none(tokens))


def congruence(tokens: list[Token]) -> Shape | None:
    r"""`x \equiv 5 \pmod 7`, `5 (mod 7)`; None where no modulus is named. Raises Unreadable."""
    place = next((at for at, token in enumerate(tokens) if token.text.lower() in _MOD), 0)
    if not place:
        if any(token.text == r"\equiv" for token in tokens):
            raise Unreadable("a congruence without a modulus")
        return None
    before = tokens[:place]
    after = tokens[place + 1 :]
    if before[-1].text == "(" and after and after[-1].text == ")":
        before = before[:-1]
        after = after[:-1]
    pieces, signs = split(before, frozenset((r"\equiv", "=")))
    if len(pieces) > 2 or not all(pieces) or (tokens[place].text == r"\bmod" and not signs):
        raise Unreadable("a congruence")
    name = formula(pieces[0]) if signs else None
    return Congruence(name, formula(pieces[-1]), formula(after))


def _node(tokens: Tokens) -> Node:
    """A side of a relation as a formula: a quantity without a unit."""
    return formula(tokens)


def _equal(pieces: list[list[Token]], signs: list[str], inner: Inner) -> Shape:
    """What an equation or a chain of equal parts says."""
    if len(pieces) == 2 and signs == ["="]:
        if _is_name(pieces[0]):
            return Named(_name(pieces[0]), inner(pieces[1]), _formula_or_none(pieces[0]))
        if _is_name(pieces[1]) and not _is_sum_of_letters(pieces[0]):
            return Named(_name(pieces[1]), inner(pieces[0]), _formula_or_none(pieces[1]))
    if any(letters(node) for node in map(_formula_or_none, pieces) if node) and len(pieces) == 2 and signs == ["="]:
        return Chain(tuple(map(formula, pieces)), ("=",))
    return _chain(pieces, signs, inner)


def _chain(pieces: list[list[Token]], signs: list[str], inner: Inner) -> Shape:
    """`m + n = 256 + 37 = 293` names 293; `2\\sqrt3 ≈ 3.46` is both; parts that are not equal are unreadable."""
    named = len(pieces) > 2 and (_is_name(pieces[0]) or _is_sum_of_letters(pieces[0]))
    if len(pieces) == 2 and _is_name(pieces[0]):
        return Named(_name(pieces[0]), roughly(inner(pieces[1])), _formula_or_none(pieces[0]))
    start = 1 if named else 0
    shapes = [quantity(piece) for piece in pieces[start:]]
    if not all(isinstance(one, Quantity) for one in shapes):
        raise Unreadable("a chain of other things than numbers")
    parts = [one for one in shapes if isinstance(one, Quantity)]
    what = _forms(parts, signs[start:])
    what = roughly(what) if named and signs[0] == r"\approx" else what
    return Named(_name(pieces[0]), what) if named else what


def _forms(parts: list[Quantity], signs: list[str]) -> Shape:
    """The last exact part, and the rounded ones beside it. Raises Unreadable where parts differ."""
    exact = parts[0]
    rounded: list[Shape] = []
    for sign, part in zip(signs, parts[1:], strict=True):
        if sign == r"\approx":
            if not _close(exact.node, part.node):
                raise Unreadable("not about the same")
            rounded.append(roughly(part))
        elif rounded or same_formula(exact.node, part.node) != "equal":
            raise Unreadable("parts that are not equal")
        else:
            exact = part
    return Listed("same", (exact, *rounded)) if rounded else exact


def _close(left: Node, right: Node) -> bool:
    if letters(left) or letters(right):
        return False
    try:
        first = numeric(value(left, {}))
        second = numeric(value(right, {}))
    except Undecided:
        return False
    return bool(abs(first - second) <= max(abs(first), abs(second)) * _ABOUT)


def _is_name(tokens: Tokens) -> bool:
    """Whether a side is a name: a letter, a function of letters, a label, words; no number and no operation."""
    texts = [token.text for token in tokens]
    if texts[1:6] == ["^", "{", "-", "1", "}"] and texts[6:7] == ["("]:  # f^{-1}(x)
        tokens = [*tokens[:1], *tokens[6:]]
        texts = [*texts[:1], *texts[6:]]
    numbers = [at for at, token in enumerate(tokens) if token.kind == "num"]
    if any(at == 0 or texts[at - 1] not in ("_", "{", "(", ",") for at in numbers):
        return False
    return all(token.kind in ("run", "word", "num") or token.text in _NAME or _greek(token) for token in tokens)


def _greek(token: Token) -> bool:
    return token.kind == "cmd" and _formula_or_none([token]) is not None and token.text != r"\pi"


def _name(tokens: Tokens) -> str:
    return canonical(tokens)


def _is_sum_of_letters(tokens: Tokens) -> bool:
    """`m + n`, `a + b + c`: what competition problems ask for."""
    return all(token.kind == "run" or token.text in "+-*/" for token in tokens) and any(t.text == "+" for t in tokens)


def _formula_or_none(tokens: Tokens) -> Node | None:
    try:
        return formula(tokens)
    except Unreadable:
        return None
