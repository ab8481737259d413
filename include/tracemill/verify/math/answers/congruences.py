"""Compares congruences, by residue and modulus, and what stands between colons."""

from __future__ import annotations

from tracemill.verify.math.answers.nodes import Node, letters
from tracemill.verify.math.answers.sameness import Sameness, same_formula
from tracemill.verify.math.answers.shapes import Colons, Congruence, Shape


def same_congruence(gold: Shape, answer: Shape) -> Sameness | None:
    """One modulus, and residues that differ by a multiple of it."""
    if not isinstance(gold, Congruence) or not isinstance(answer, Congruence):
        return "unknown" if isinstance(gold, Congruence) or isinstance(answer, Congruence) else None
    if gold.name is not None and answer.name is not None and gold.name != answer.name:
        return "unknown"
    modulus = same_formula(gold.modulus, answer.modulus)
    if modulus != "equal":
        return modulus
    quotient = Node("div", (Node("sub", (gold.residue, answer.residue)), gold.modulus))
    if letters(quotient):
        return same_formula(gold.residue, answer.residue)
    return same_formula(quotient, Node("floor", (quotient,)))


def same_colons(gold: Shape, answer: Shape) -> Sameness | None:
    """Ratios and times part by part; ratios that are multiples of each other show nothing."""
    if not isinstance(gold, Colons) or not isinstance(answer, Colons):
        return None
    if len(gold.parts) != len(answer.parts):
        return "different"
    found = [same_formula(one, other) for one, other in zip(gold.parts, answer.parts, strict=True)]
    if "different" not in found:
        return "unknown" if "unknown" in found else "equal"
    crossed = same_formula(Node("mul", (gold.parts[0], answer.parts[1])), Node("mul", (gold.parts[1], answer.parts[0])))
    return "different" if crossed == "different" else "unknown"
