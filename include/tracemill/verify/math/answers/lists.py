"""Compares lists, tuples, vectors and sets, member by member."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from tracemill.verify.math.answers.sameness import Sameness
from tracemill.verify.math.answers.shapes import Choice, Listed, Named, Shape, Words

MOST_COMPARED = 40  # members of an unordered list that are compared each with each
Compare = Callable[[Shape, Shape], Sameness]


def same_lists(gold: Listed, answer: Listed, compare: Compare) -> Sameness:
    """Lists of values and sets in any order, everything else in order; two kinds only where a rule joins them."""
    if (sides := _as_points(gold, answer) or _as_points(answer, gold)) is not None:
        return "equal" if _any_order(*sides, compare) == "equal" else "unknown"
    first, second = _unnamed(gold, answer)
    if _all_named(gold) and _all_named(answer) and first is gold:
        return _by_name(gold, answer, compare)
    if len(first.members) != len(second.members):
        return "different" if first.kind == second.kind else "unknown"
    ordered = _in_order(first.members, second.members, compare)
    kinds = {first.kind, second.kind}
    if first.kind == "tuple" == second.kind and first.brackets != second.brackets:
        return "different" if ordered != "unknown" else "unknown"
    if kinds == {"list", "tuple"} and (first.brackets + second.brackets) not in ("", "()"):
        return "different" if ordered == "different" else "unknown"  # an interval, or a list in square brackets
    if kinds == {"list", "tuple"} and len(first.members) == 2 and first is gold and second is answer:
        return "different" if _any_order(first.members, second.members, compare) == "different" else "unknown"
    if ordered == "equal" and _joined_otherwise(first, second):
        return "unknown"
    if kinds <= {"tuple", "vector"} or ordered == "equal":
        return ordered if kinds != {"set", "tuple"} else "unknown"
    if kinds & {"tuple", "vector"}:
        return "unknown" if _any_order(first.members, second.members, compare) != "different" else "different"
    found = _any_order(first.members, second.members, compare)
    labels = any(isinstance(one, Words | Choice) for one in (*first.members, *second.members))
    return "unknown" if labels and found == "equal" and kinds != {"set"} else found


def _joined_otherwise(first: Listed, second: Listed) -> bool:
    """Whether one names two things and the other one of them (Ann and Bob, Ann or Bob); values are listed by either."""
    named = all(isinstance(one, Words | Choice) for one in (*first.members, *second.members))
    return named and first.brackets != second.brackets and "or" in (first.brackets, second.brackets)


def _as_points(named: Listed, other: Listed) -> tuple[list[Shape], list[Shape]] | None:
    """Two sides of which one names its values (x = 1, y = 2 or x = 2, y = 1) and the other lists points, as points."""
    if not _all_named(named) or len(_values(named)) < 2 or other.kind != "list":
        return None
    solutions = _solutions(named)
    points = [_point(one, sorted(_values(named))) for one in other.members]
    listed = [one for one in points if one is not None]
    return (solutions, listed) if len(solutions) == len(points) == len(listed) else None


def _point(shape: Shape, names: list[str]) -> Shape | None:
    if isinstance(shape, Named):
        return shape.what if [one for one in shape.name.split() if one not in "(,)"] == names else None
    return shape if isinstance(shape, Listed) and shape.brackets == "()" and len(shape.members) == len(names) else None


def _in_order(first: Sequence[Shape], second: Sequence[Shape], compare: Compare) -> Sameness:
    found = [compare(one, other) for one, other in zip(first, second, strict=True)]
    return "different" if "different" in found else "unknown" if "unknown" in found else "equal"


def _any_order(first: Sequence[Shape], second: Sequence[Shape], compare: Compare) -> Sameness:
    """Whether the members can be paired. Equality is transitive, so that pairing greedily finds a pairing if any is."""
    if len(first) > MOST_COMPARED:
        return "equal" if Counter(first) == Counter(second) else "unknown"
    left = list(second)
    doubtful = 0
    for one in first:
        found = [compare(one, other) for other in left]
        if "equal" in found:
            left.pop(found.index("equal"))
        elif "unknown" in found:
            doubtful += 1
        else:
            return "different"
    return "unknown" if doubtful else "equal"


def _all_named(shape: Listed) -> bool:
    return all(isinstance(one, Named) for one in shape.members) and bool(shape.members)


def _by_name(gold: Listed, answer: Listed, compare: Compare) -> Sameness:
    """x = 2, y = 3: each name has its values; names on one side alone show nothing."""
    if gold.kind != answer.kind or (gold.brackets != answer.brackets and len(_values(gold)) > 1):
        return "unknown"
    sides = [_values(one) for one in (gold, answer)]
    if sides[0].keys() != sides[1].keys():
        return "unknown"
    if len(sides[0]) > 1 and any(len(values) > 1 for side in sides for values in side.values()):
        groups = [_solutions(one) for one in (gold, answer)]
        several = groups[0] and groups[1] and len(groups[0]) == len(groups[1])
        return _any_order(groups[0], groups[1], compare) if several else "unknown"
    found = []
    for name, values in sides[0].items():
        others = sides[1][name]
        found.append("different" if len(values) != len(others) else _any_order(values, others, compare))
    return "different" if "different" in found else "unknown" if "unknown" in found else "equal"


def _solutions(shape: Listed) -> list[Shape]:
    """`x = 1, y = 2 or x = 2, y = 1` by solutions, each in the order of its names; none where names are missing."""
    groups: list[dict[str, Shape]] = [{}]
    for member in shape.members:
        if isinstance(member, Named):
            if member.name in groups[-1]:
                groups.append({})
            groups[-1][member.name] = member.what
    if any(group.keys() != groups[0].keys() for group in groups):
        return []
    return [Listed("vector", tuple(group[name] for name in sorted(group))) for group in groups]


def _values(shape: Listed) -> dict[str, list[Shape]]:
    values: dict[str, list[Shape]] = {}
    for member in shape.members:
        if isinstance(member, Named):
            values.setdefault(member.name, []).append(member.what)
    return values


def _unnamed(gold: Listed, answer: Listed) -> tuple[Listed, Listed]:
    """Both without names where one side has none: (2, 3) for x = 2, y = 3; 1, -2 for a = 1 or a = -2."""
    plain = [not any(isinstance(one, Named) for one in side.members) for side in (gold, answer)]
    if plain[0] == plain[1]:
        return gold, answer
    return (gold, _bare(answer)) if plain[0] else (_bare(gold), answer)


def _bare(shape: Listed) -> Listed:
    names = [one.name for one in shape.members if isinstance(one, Named)]
    members = tuple(one.what if isinstance(one, Named) else one for one in shape.members)
    if len(set(names)) <= 1:
        several = shape.kind == "list" and len(names) == len(members) > 1  # x = 1, x = 2: one of them, no pair
        return Listed(shape.kind, members, "or" if several else shape.brackets)
    if len(names) != len(members) or len(set(names)) != len(names):
        return Listed(shape.kind, members)
    ordered = sorted(zip(names, members, strict=True), key=lambda pair: pair[0])
    return Listed("tuple", tuple(member for _, member in ordered), "()")
