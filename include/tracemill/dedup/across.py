"""Decides whether two problems in two ways of writing ask for different things: no lexicon compares their words."""

from __future__ import annotations

from tracemill.decontamination.reading import Reading, read

_CONTRASTS = (  # concepts of which one problem has one and the other another
    frozenset(("area", "perimeter", "volume")),
    frozenset(("minimum", "maximum")),
    frozenset(("even", "odd")),
    frozenset(("sum", "difference", "product", "quotient")),
    frozenset(("positive", "negative")),
)
_SAME = {"money": "cost"}  # "how much" asks for either


def asked_apart(one: str, other: str) -> bool:
    """Whether both say what they ask for and it is not the same, or a concept stands against its contrast."""
    first, second = read(one), read(other)
    asked = _named(first.asked), _named(second.asked)
    if all(asked) and not asked[0] & asked[1]:
        return True
    had = _concepts(first), _concepts(second)
    return any(line & had[0] and line & had[1] and not line & had[0] & had[1] for line in _CONTRASTS)


def _named(asked: frozenset[str]) -> set[str]:
    return {_SAME.get(name, name) for name in asked}


def _concepts(reading: Reading) -> set[str]:
    return {str(value) for kind, value in reading.units if kind == "concept"}
