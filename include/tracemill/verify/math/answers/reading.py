"""Reads an answer into its shape. One reader for references and answers; what none understands is Opaque."""

from __future__ import annotations

import re
from collections.abc import Callable

from tracemill.verify.math.answers.arrays import colons, components, matrix, scaled_matrix
from tracemill.verify.math.answers.choices import choice
from tracemill.verify.math.answers.clock import clock
from tracemill.verify.math.answers.dates import date
from tracemill.verify.math.answers.formula import formula
from tracemill.verify.math.answers.quantities import based, expanded, quantity, total
from tracemill.verify.math.answers.regions import by_property, intersection, points, union, without
from tracemill.verify.math.answers.relations import congruence, relation
from tracemill.verify.math.answers.shapes import (
    Chain,
    Conditioned,
    Domain,
    Listed,
    Named,
    Opaque,
    Quantity,
    Region,
    Shape,
)
from tracemill.verify.math.answers.tokens import (
    OPENING,
    Token,
    Tokens,
    Unreadable,
    canonical,
    closing,
    split,
    tokenised,
    ungrouped,
)
from tracemill.verify.math.answers.wording import domain, words

DEEPEST = 12  # lists in lists
_AND = frozenset(("and", "和", "与", "及", "以及", "且", "并且", r"\land"))
_OR = frozenset(("or", "或", "或者", "或是", r"\lor"))
_LOGIC = frozenset((r"\land", r"\lor"))
_COMMAS = frozenset((",", ";"))
_CONDITION = frozenset(("for", "where", "with", "when", "if", "其中", "provided", "unless", "except"))
_FREE = re.compile(r"(?:(?:all|any|every|each|some|arbitrary|constants?|real|a|an|is|任意|任意的|常数|为) ?)+\S{0,12}$")


def read(text: str) -> Shape:
    """The shape of a normalised answer; never raises: what cannot be read is Opaque."""
    try:
        return shape(tokenised(text))
    except (Unreadable, RecursionError):
        return Opaque(text)


def shape(tokens: Tokens, depth: int = 0) -> Shape:
    """The shape of the tokens. Raises Unreadable."""
    if depth > DEEPEST:
        raise Unreadable("too deep")
    trimmed = _trimmed(tokens)
    if not trimmed:
        raise Unreadable("nothing")

    def inner(part: Tokens) -> Shape:
        return shape(part, depth + 1)

    for reader in _READERS:
        found = reader(trimmed, inner)
        if found is not None:
            return found
    return quantity(trimmed)


Inner = Callable[[Tokens], Shape]


def _trimmed(tokens: Tokens) -> list[Token]:
    out = ungrouped(tokens)
    if len(out) > 1 and out[-1].text == "." and out[-2].text in (".", ","):
        raise Unreadable("an ellipsis")
    while out and out[-1].text in (",", ";", ".") and out[-1].kind == "sym":
        out.pop()
    while out and out[0].text in ("=", ",", ":", r"\Rightarrow", r"\implies", r"\therefore"):
        out.pop(0)
    return ungrouped(out)


def _domain(tokens: list[Token], inner: Inner) -> Shape | None:
    return domain(tokens)


def _choice(tokens: list[Token], inner: Inner) -> Shape | None:
    return choice(tokens, inner)


def _words(tokens: list[Token], inner: Inner) -> Shape | None:
    return words(tokens)


def _based(tokens: list[Token], inner: Inner) -> Shape | None:
    return based(tokens)


def _relation(tokens: list[Token], inner: Inner) -> Shape | None:
    return relation(tokens, inner)


def _congruence(tokens: list[Token], inner: Inner) -> Shape | None:
    return congruence(tokens)


def _conditioned(tokens: list[Token], inner: Inner) -> Shape | None:
    """An answer with "for", "where", ... behind it."""
    pieces, used = split(tokens, _CONDITION)
    if not used or not pieces[0]:
        return None
    main = inner(pieces[0])
    conditions = [_condition(piece, inner) for piece in pieces[1:]]
    if used[0] in ("unless", "except"):
        raise Unreadable("an exception")
    return Conditioned(main, tuple(one for one in conditions if one is not None))


def _bracketed(tokens: list[Token], inner: Inner) -> Shape | None:
    r"""An answer with `(k \\in \\mathbb{Z})` behind it."""
    if tokens[-1].text != ")":
        return None
    start = next((at for at, one in enumerate(tokens) if one.text == "(" and closing(tokens, at) == len(tokens) - 1), 0)
    if not start or r"\in" not in [token.text for token in tokens[start:]]:
        return None
    limit = inner(tokens[start + 1 : -1])
    is_integer = isinstance(limit, Named) and limit.what == Domain("Z")
    return Conditioned(inner(tokens[:start]), (limit,)) if is_integer else None


def _condition(tokens: list[Token], inner: Inner) -> Shape | None:
    """A condition, or None where it says no more than that a letter is free."""
    text = " ".join(token.text for token in tokens).lower()
    if re.fullmatch(r"(.+ )?is (an )?integers?|integers? \S+|any integer \S+|all integers \S+|.+ 为整数|整数 .+", text):
        name = next((token.text for token in tokens if token.kind == "run"), "")
        return Named(name, Domain("Z"))
    if _FREE.fullmatch(text):
        return None
    try:
        return inner(tokens)
    except Unreadable:
        return Opaque(canonical(tokens))


def _list(tokens: list[Token], inner: Inner) -> Shape | None:
    """Members between commas, semicolons, "and" or "or"."""
    pieces, used = split(tokens, _COMMAS | _AND | _OR)
    pieces = [piece for piece in pieces if piece]
    if not used or len(pieces) < 2:
        return inner(pieces[0]) if used and pieces else None
    members = [inner(piece) for piece in pieces]
    if _LOGIC & set(used) and not all(isinstance(one, Region | Named | Chain) for one in members):
        raise Unreadable("signs of logic between other things than relations")
    regions = [one for one in members if isinstance(one, Region)]
    if regions and set(used) & _OR:
        regions = [one for one in map(_or_point, members) if one]
    if len(regions) == len(members):
        return _regions(regions, set(used))
    return _with_conditions(members) or _listed(
        "list", members, "or" if set(used) & _OR else "", summed=set(used) <= _AND
    )


def _or_point(member: Shape) -> Region | None:
    """A region, or the one point of `x = 3`."""
    if isinstance(member, Named) and isinstance(member.what, Quantity) and member.node and member.node.op == "sym":
        point = points(Listed("set", (member.what,)))
        return point and Region(point.parts, member.name)
    return member if isinstance(member, Region) else None


def _regions(regions: list[Region], used: set[str]) -> Shape:
    if used <= _OR | _COMMAS and used & _OR:
        return union(regions)
    both: Region | None = regions[0]
    for other in regions[1:]:
        both = both and intersection(both, other)
    if both is None:
        raise Unreadable("several inequalities")
    return both


def _listed(kind: str, members: list[Shape], brackets: str = "", summed: bool = False) -> Shape:
    """A list; one with a plus-minus among its members is longer; "hours and minutes" are one quantity."""
    flat: list[Shape] = []
    for member in members:
        inside = isinstance(member, Listed) and member.kind == "list" and kind in ("list", "set")
        flat.extend(member.members if inside and isinstance(member, Listed) else [member])
    quantities = [one for one in flat if isinstance(one, Quantity)]
    if kind == "list" and len(quantities) == len(flat):
        return (total(quantities) if summed else None) or Listed(kind, tuple(flat), brackets)
    return Listed(kind, tuple(flat), brackets)


def _with_conditions(members: list[Shape]) -> Shape | None:
    """`x = kπ, k ∈ Z` and `x + 1, x > 0`: members that say where a letter of the others lives are conditions."""
    domains = [one for one in members if isinstance(one, Named) and isinstance(one.what, Domain)]
    others = [one for one in members if one not in domains]
    if domains and others:
        main = others[0] if len(others) == 1 else _listed("list", others)
        return Conditioned(main, tuple(domains))
    limits = [one for one in members[1:] if isinstance(one, Region) or _is_limit(one)]
    if len(limits) == len(members) - 1 and not isinstance(members[0], Region | Chain):
        return Conditioned(members[0], tuple(limits))
    return None


def _is_limit(shape: Shape) -> bool:
    return isinstance(shape, Chain) and set(shape.signs) != {"="}


def _whole_bracket(tokens: list[Token]) -> bool:
    return tokens[0].text in OPENING and closing(tokens, 0) == len(tokens) - 1


def _set(tokens: list[Token], inner: Inner) -> Shape | None:
    if len(tokens) == 1 and tokens[0].text == r"\emptyset":
        return Listed("set", ())
    if tokens[0].text != r"\{" or not _whole_bracket(tokens):
        return None
    content = tokens[1:-1]
    if any(token.text in ("|", ":", "...") for token in content):
        return by_property(content, inner)
    pieces, _ = split(content, _COMMAS | _AND)
    return _listed("set", [inner(piece) for piece in pieces if piece])


def _union(tokens: list[Token], inner: Inner) -> Shape | None:
    pieces, used = split(tokens, frozenset((r"\cup", r"\setminus")))
    if not used or not all(pieces):
        return None
    shapes = [inner(piece) for piece in pieces]
    if set(used) == {r"\cup"} and all(isinstance(one, Listed) and one.kind == "set" for one in shapes):
        members = dict.fromkeys(member for one in shapes if isinstance(one, Listed) for member in one.members)
        return Listed("set", tuple(members))
    regions = [points(one) for one in shapes]
    if all(sign == r"\cup" for sign in used) and all(regions):
        return union([region for region in regions if region])
    removed = regions[1].parts if len(regions) == 2 and regions[1] else ()
    if regions[0] and removed and used == [r"\setminus"] and all(part.low == part.high for part in removed):
        return without(regions[0], [part.low for part in removed if part.low])
    raise Unreadable("sets")


def _tuple(tokens: list[Token], inner: Inner) -> Shape | None:
    opening = tokens[0].text
    if opening not in ("(", "[", r"\langle") or not _whole_bracket(tokens):
        return None
    pieces, used = split(tokens[1:-1], _COMMAS)
    if not used:
        return _in_brackets(tokens, inner) if opening == "(" else None
    if not all(pieces) or any(piece[0].text == "..." for piece in pieces):
        raise Unreadable("a gap in a tuple")
    members = [inner(piece) for piece in pieces]
    if opening == r"\langle":
        return Listed("vector", tuple(members))
    return Listed("tuple", tuple(members), opening + tokens[-1].text)


def _in_brackets(tokens: list[Token], inner: Inner) -> Shape | None:
    try:
        return expanded(Quantity(formula(tokens)))
    except Unreadable:
        return inner(tokens[1:-1])


_READERS: tuple[Callable[[list[Token], Inner], Shape | None], ...] = (
    date,
    clock,
    _domain,
    _choice,
    _set,
    _words,
    _based,
    matrix,
    scaled_matrix,
    components,
    _congruence,
    _conditioned,
    _bracketed,
    _list,
    _relation,
    _union,
    _tuple,
    colons,
)
