"""Compares quantities: value and unit, percent, degrees, money; and decimals that are roundings of the other side."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from tracemill.verify.math.answers.nodes import Node, letters, number, walk
from tracemill.verify.math.answers.sameness import Sameness, same_formula
from tracemill.verify.math.answers.shapes import Listed, Quantity
from tracemill.verify.math.answers.unit_table import KNOWN
from tracemill.verify.math.answers.units import NONE, Unit, is_unit, sized
from tracemill.verify.math.answers.values import Undecided, context, numeric, value

ROUNDED = 1.1e-5  # relative: five correct digits are a value, fewer are an approximation and show nothing
_FIVE_DIGITS = 10_000  # a decimal that is so many of its last places shows five digits of what it may be a rounding of
_NOISE = 1e-9  # relative: what floating-point numbers leave behind (0.30000000000000004)
_ROUGH = 0.05  # relative: so near, a rough statement may be of that value
_FINER = 1000  # two decimals of about as many places are two values, not one and its rounding
_FAMILIES = (
    frozenset(("degree", "celsius", "fahrenheit", "K")),
    frozenset(("month", "s")),
    frozenset(("rad", "degree")),
)
_EXACT = 1e-6
_MOST_WORDS = 2  # of a unit whose other forms are tried
_HUNDREDTH = number(Fraction(1, 100))


def is_measured(shape: object) -> bool:
    """Whether a quantity, or every member of a list, has a unit of a known size."""
    if isinstance(shape, Listed):
        return all(map(is_measured, shape.members))
    return isinstance(shape, Quantity) and bool(shape.unit.bases) and shape.unit.known


def same_quantity(gold: Quantity, answer: Quantity) -> Sameness:
    """Whether two quantities are one. A unit may be left out; two units must be one, or of one dimension.

    A rough statement ("about 5") is not an exact value; a reference in decimals is a rounded value itself.
    """
    found = _same_measure(gold, answer)
    if not answer.hedged or gold.hedged or (found == "equal" and gold.step is not None):
        return found
    return "unknown" if found == "equal" or _near(gold, answer) else found


def _near(gold: Quantity, answer: Quantity) -> bool:
    try:
        left = numeric(value(_scaled(gold).node, {}))
        right = numeric(value(_scaled(answer).node, {}))
    except (Undecided, KeyError):
        return True
    return bool(abs(left - right) <= _ROUGH * max(abs(left), abs(right)))


def _same_measure(gold: Quantity, answer: Quantity) -> Sameness:
    if _sides(gold.node) and _sides(gold.node) != _sides(answer.node):
        return "unknown" if _same_amount(gold, answer) == "equal" else _same_amount(gold, answer)
    return _same_amount(gold, answer)


def _same_amount(gold: Quantity, answer: Quantity) -> Sameness:
    if gold.unit.qualifiers != answer.unit.qualifiers:
        return "unknown" if same_value(gold, answer) != "different" else "different"
    if (turned := _angles(gold, answer) or _angles(answer, gold)) is not None:
        return turned
    percents = [is_unit(one.unit, "percent") for one in (gold, answer)]
    if any(percents) and not all(percents):
        return _percent(gold, answer, *percents)
    if gold.unit.bases == answer.unit.bases:
        return _converted(gold, answer)
    if (_bare(gold.unit) or _bare(answer.unit)) and (gold.unit.compound or answer.unit.compound):
        return "unknown"
    if _bare(gold.unit) or _bare(answer.unit):
        found = same_value(gold, answer)
        if found == "different" and (letters(gold.node) != letters(answer.node) or _converts(gold, answer)):
            return "unknown"
        return found
    if gold.unit.known != answer.unit.known or _relatives(gold.unit, answer.unit):
        return "equal" if _sterling(gold.unit, answer.unit) and same_value(gold, answer) == "equal" else "unknown"
    if gold.unit.known:
        return "different"
    return "unknown" if same_value(gold, answer) != "different" else "different"


def _sides(node: Node) -> tuple[Fraction, ...]:
    """The two whole numbers of `3 \\times 4`, which may be a size; else nothing."""
    if (
        node.op != "mul"
        or len(node.args) != 2
        or not all(part.plain and part.value.denominator == 1 for part in node.args)
    ):
        return ()
    return tuple(part.value for part in node.args)


def same_value(gold: Quantity, answer: Quantity) -> Sameness:
    """Whether the numbers are equal, or one is the other rounded to enough places."""
    found = same_formula(gold.node, answer.node)
    if found == "equal" or letters(gold.node) or letters(answer.node):
        return found
    steps = [one.step for one in (gold, answer) if one.step is not None]
    return _rounded(gold.node, answer.node, steps) if steps else found


def _rounded(first: Node, second: Node, steps: list[Fraction]) -> Sameness:
    """What a decimal says beside another value that is not its own: that value, something near it, or another."""
    try:
        left = numeric(value(first, {}))
        right = numeric(value(second, {}))
    except Undecided:
        return "unknown"
    distance = abs(left - right)
    size = max(abs(left), abs(right))
    if distance > numeric(max(steps)) * context.mpf("0.500001"):
        return "different"
    repeating = "repeating" in (first.name, second.name)  # who writes a bar means that rounding matters
    alike = len(steps) == 2 and max(steps) < min(steps) * _FINER
    few = numeric(max(steps)) * _FIVE_DIGITS > size and distance > size * _NOISE
    return "equal" if distance <= size * ROUNDED and not (repeating or alike or few) else "unknown"


def _converted(gold: Quantity, answer: Quantity) -> Sameness:
    """Both in base units; across systems (feet and metres) a value within two hundredths may be a rounded one."""
    first = _scaled(gold)
    second = _scaled(answer)
    found = same_value(first, second)
    ratio = gold.unit.factor / answer.unit.factor
    whole = 1 in (ratio.numerator, ratio.denominator)
    if found != "different" or whole or letters(first.node) or letters(second.node):
        return found
    try:
        left = numeric(value(first.node, {}))
        right = numeric(value(second.node, {}))
    except Undecided:
        return found
    return "unknown" if abs(left - right) < context.mpf("0.02") * max(abs(left), abs(right)) else found


def _scaled(one: Quantity) -> Quantity:
    factor = one.unit.factor
    if factor == 1:
        return one
    step = None if one.step is None else one.step * factor
    return Quantity(Node("mul", (number(factor), one.node)), NONE, step)


def _converts(gold: Quantity, answer: Quantity) -> bool:
    """Whether a number without a unit is the other side in another unit of its dimension (120 and 2 hours)."""
    bare, measured = (gold, answer) if _bare(gold.unit) else (answer, gold)
    try:
        left = numeric(value(bare.node, {}))
        right = numeric(value(_scaled(measured).node, {}))
    except (Undecided, KeyError):
        return False
    return any(abs(left * factor - right) <= _EXACT * abs(right) for factor in _factors(measured.unit))


@cache
def _factors(unit: Unit) -> frozenset[float]:
    """What the unit may be measured in, in base units: every known unit in the place of each of its words."""
    found = {1.0}
    if not unit.known or len(unit.words) > _MOST_WORDS:
        return frozenset()
    for word in unit.words:
        bases, _ = sized(word) or ((), None)
        exponent = next((power for base, power in unit.bases if bases and base == bases[0][0]), 1)
        power = exponent // bases[0][1] if bases else 1
        others = {float(factor) ** power for known, factor in KNOWN.values() if known == bases}
        found = {one * other for one in found for other in others}
    return frozenset(found)


def _bare(unit: Unit) -> bool:
    return not unit.bases


def _angles(turned: Quantity, other: Quantity) -> Sameness | None:
    """Degrees against radians, or against a number without a unit, which are radians if it is a multiple of pi."""
    if not is_unit(turned.unit, "degree") or not (_bare(other.unit) or is_unit(other.unit, "rad")):
        return None
    step = turned.step and turned.step / 57
    radians = Quantity(Node("mul", (Node("pi"), Node("mul", (number(Fraction(1, 180)), turned.node)))), NONE, step)
    found = same_value(radians, Quantity(other.node, NONE, other.step))
    if is_unit(other.unit, "rad"):
        return found
    as_written = same_value(turned, other)
    if any(part.op == "pi" for part in walk(other.node)):
        return "unknown" if as_written == "equal" else found
    return as_written if found == "different" or as_written == "equal" else "unknown"


def _relatives(first: Unit, second: Unit) -> bool:
    """Whether units of two kinds may still measure one thing: thermometers, months and days, pounds and pounds."""
    names = {base for base, _ in set(first.bases) ^ set(second.bases)}
    return any(names <= family for family in _FAMILIES) or _sterling(first, second)


def _sterling(first: Unit, second: Unit) -> bool:
    """Whether one is the pound of money and the other one a pound that may be of money too."""
    pound = KNOWN["pounds"]
    pairs = ((first, second), (second, first))
    return any(is_unit(one, "GBP") and (other.bases, other.factor) == pound for one, other in pairs)


def _percent(gold: Quantity, answer: Quantity, gold_percent: bool, answer_percent: bool) -> Sameness:
    """p % against a number without: p itself, or a hundredth of it; below one only the hundredth is sure."""
    percent, plain = (gold, answer) if gold_percent else (answer, gold)
    if not _bare(plain.unit):
        return "different" if plain.unit.known else "unknown"
    as_share = Quantity(Node("mul", (_HUNDREDTH, percent.node)), NONE, percent.step and percent.step / 100)
    if same_value(as_share, Quantity(plain.node, NONE, plain.step)) == "equal":
        return "equal"
    as_written = same_value(Quantity(percent.node, NONE, percent.step), Quantity(plain.node, NONE, plain.step))
    if as_written == "equal":
        return "equal" if _at_least_one(plain.node) else "unknown"
    return as_written


def _at_least_one(node: Node) -> bool:
    try:
        return not letters(node) and bool(abs(numeric(value(node, {}))) >= 1)
    except Undecided:
        return False
