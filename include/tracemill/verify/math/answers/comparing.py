"""Compares two answers: "equal" only where every part of both was compared, else "different" or "unknown".

Kinds must match or be related by a rule written here. `gold` is the reference: an answer may leave out the unit, the
base or the free letters of a reference; what it adds must not change the value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracemill.text.answer_text import squeezed
from tracemill.verify.math.answers.amounts import is_measured, same_quantity
from tracemill.verify.math.answers.asked import INTEGRAL, ROUGH, adds_no_other_unit, in_asked_unit
from tracemill.verify.math.answers.clock import same_clock
from tracemill.verify.math.answers.conditions import of_same_letter, same_conditioned
from tracemill.verify.math.answers.congruences import same_colons, same_congruence
from tracemill.verify.math.answers.dates import same_date
from tracemill.verify.math.answers.equations import same_chain
from tracemill.verify.math.answers.families import same_family
from tracemill.verify.math.answers.idioms import with_idioms
from tracemill.verify.math.answers.lists import same_lists
from tracemill.verify.math.answers.matrices import same_matrices
from tracemill.verify.math.answers.nodes import Node, letters, number
from tracemill.verify.math.answers.reading import read
from tracemill.verify.math.answers.regions import region_of, same_region
from tracemill.verify.math.answers.sameness import Sameness, same_antiderivative, same_formula
from tracemill.verify.math.answers.shapes import (
    Based,
    Chain,
    Choice,
    Domain,
    Infinite,
    Listed,
    Matrix,
    Named,
    Opaque,
    Quantity,
    Region,
    Shape,
    Words,
    exact,
)
from tracemill.verify.math.answers.spellings import (
    doubtful,
    is_pair_or_decimal,
    set_apart,
    spellings,
    with_symbols,
    with_unit,
    without_label,
)
from tracemill.verify.math.answers.units import NONE
from tracemill.verify.math.answers.words import is_prose, same_choice, same_meaning, same_words


def same_answer(gold: str, answer: str, asked: str = "") -> Sameness:
    """Whether two normalised answers are one. A text that can be read in two ways is equal if either reading is.

    `asked` is what the problem asks for (`asked.asked_for`): a unit that only the answer has must be that. Where it is
    blank nothing is known of the problem, and a unit may be added.
    """
    if _letters_of(gold) == _letters_of(answer):
        return "equal" if gold else "unknown"
    gold = with_idioms(gold)
    answer = with_idioms(answer)
    gold, answer = without_label(gold, answer), without_label(answer, gold)
    golds = spellings(with_symbols(gold))
    answers = spellings(with_symbols(answer))
    golds += set_apart(gold)
    try:
        found = {_as_asked(read(one), read(other), asked) for one in golds for other in answers}
    except RecursionError:  # a formula of hundreds of parts
        return "unknown"
    found |= {_by_unit(gold, answer) or "different", _by_habit(gold, answer)}
    if "equal" in found:
        return "equal" if not is_pair_or_decimal(gold) or _same_pair(gold, answers) else "unknown"
    return "different" if found == {"different"} else "unknown"


def _letters_of(text: str) -> str:
    """What is written, whether upright (a word, a unit) or not."""
    return squeezed(text.replace("⟦", "").replace("⟧", ""))


def _same_pair(gold: str, answers: Sequence[str]) -> bool:
    """Whether an answer is the two numbers of `2,3`, which a reference more likely means than 2.3."""
    return any(compare(read(gold), read(answer)) == "equal" for answer in answers)


def _as_asked(gold: Shape, answer: Shape, asked: str) -> Sameness:
    measured = in_asked_unit(gold, answer, asked)
    if measured is not None and compare(gold, measured) == "equal":
        return "equal"
    if INTEGRAL in asked and _are_antiderivatives(gold, answer):
        return "equal"
    found = compare(gold, exact(answer) if ROUGH in asked else answer)
    return "unknown" if found == "equal" and not adds_no_other_unit(gold, answer, asked) else found


def _are_antiderivatives(gold: Shape, answer: Shape) -> bool:
    if not isinstance(gold, Quantity) or not isinstance(answer, Quantity):
        return False
    return gold.unit == answer.unit == NONE and same_antiderivative(gold.node, answer.node)


def _by_habit(gold: str, answer: str) -> Sameness:
    """`5k` and 5000, `1.000` and 1000: equal by a habit of spelling that may not have been meant."""
    habits = [(doubtful(gold), answer), (gold, doubtful(answer))]
    same = any(
        one
        and other
        and any(
            compare(read(first), read(second)) == "equal" for first in spellings(one) for second in spellings(other)
        )
        for one, other in habits
    )
    return "unknown" if same else "different"


def _by_unit(gold: str, answer: str) -> Sameness | None:
    """`0.5 m` and `50 cm`: a letter behind a number is a unit where both sides have one, else perhaps a factor."""
    spelled = [with_unit(text) for text in (gold, answer)]
    if spelled == [None, None]:
        return None
    first = read(spelled[0] or gold)
    second = read(spelled[1] or answer)
    if is_measured(first) and is_measured(second):
        return compare(first, second)
    return "unknown" if compare(first, second) == "equal" else None


def compare(gold: Shape, answer: Shape) -> Sameness:
    """Whether two shapes are the same answer."""
    if gold == answer:
        return "equal"
    if isinstance(gold, Opaque) or isinstance(answer, Opaque):
        return "unknown"
    for rule in _RULES:
        found = rule(gold, answer)
        if found is not None:
            return found
    return _unrelated(gold, answer)


def _forms(gold: Shape, answer: Shape) -> Sameness | None:
    """Several forms of one value: it is enough that one is the other's."""
    golds = gold.members if isinstance(gold, Listed) and gold.kind == "same" else (gold,)
    answers = answer.members if isinstance(answer, Listed) and answer.kind == "same" else (answer,)
    if len(golds) == len(answers) == 1:
        return None
    if len(golds) > 1 and len(answers) > 1:
        return compare(golds[0], answers[0])
    found = {compare(one, other) for one in golds for other in answers}
    return "equal" if "equal" in found else "different" if found == {"different"} else "unknown"


def _choices(gold: Shape, answer: Shape) -> Sameness | None:
    if not isinstance(gold, Choice) and not isinstance(answer, Choice):
        return None
    return same_choice(gold, answer, compare)


def _regions(gold: Shape, answer: Shape) -> Sameness | None:
    """Intervals, inequalities, all reals: as sets. Two pairs in round brackets are pairs first."""
    if isinstance(gold, Listed) and isinstance(answer, Listed) and gold.brackets == answer.brackets:
        return None
    if isinstance(gold, Named) and isinstance(answer, Named) and gold.name != answer.name:
        return None
    first = region_of(gold)
    second = region_of(answer)
    if first is None or second is None:
        return None
    if isinstance(gold, Domain) and isinstance(answer, Domain):
        return None
    return same_region(first, second)


def _named(gold: Shape, answer: Shape) -> Sameness | None:
    """x = 3 and 3; two values of one name are compared as values, of two names they are not compared."""
    if isinstance(gold, Named) and not isinstance(answer, Chain):
        if gold.node is not None and gold.node.op == "add" and not isinstance(answer, Listed):
            return "unknown"  # x + y = 5 may be a line
        return compare(gold.what, answer)
    if isinstance(answer, Named) and not isinstance(gold, Chain):
        return compare(gold, answer.what)
    return None


def _both_named(gold: Named, answer: Named) -> Sameness:
    if gold.name == answer.name:
        return compare(gold.what, answer.what)
    if renamed := of_same_letter(gold, answer):
        return compare(gold.what, renamed)
    whole = same_chain(gold, answer)
    if whole == "equal":
        return whole
    what = compare(gold.what, answer.what)
    return "different" if what == "different" and whole == "different" else "unknown"


def _equations(gold: Shape, answer: Shape) -> Sameness | None:
    if isinstance(gold, Named) and isinstance(answer, Named):
        return _both_named(gold, answer)
    if isinstance(gold, Chain | Named) and isinstance(answer, Chain | Named):
        return same_chain(gold, answer)
    if isinstance(answer, Chain) and isinstance(gold, Quantity) and answer.signs == ("=",):
        return _value_of_sum(gold, answer)
    return None


def _value_of_sum(gold: Quantity, answer: Chain) -> Sameness:
    """m + n = 293 says 293 where a number is asked for."""
    left, right = answer.parts
    linear = letters(left) and not letters(right) and _is_sum(left)
    return same_formula(gold.node, right) if linear else "unknown" if letters(gold.node) else "different"


def _is_sum(node: Node) -> bool:
    return node.op == "sym" or (node.op in ("add", "sub", "mul") and all(map(_is_sum, node.args)))


def _lists(gold: Shape, answer: Shape) -> Sameness | None:
    if isinstance(gold, Listed) and isinstance(answer, Listed):
        return same_lists(gold, answer, compare)
    for one, other in ((gold, answer), (answer, gold)):
        if isinstance(one, Listed) and one.kind == "set" and len(one.members) == 1 and isinstance(other, Quantity):
            return compare(one.members[0], other)
        if isinstance(one, Listed) and isinstance(other, Quantity) and _is_one_value(one):
            return compare(one.members[0], other)
    return None


def _is_one_value(shape: Listed) -> bool:
    """Whether a short list gives one value in several forms: 15/2 or 7.5."""
    if shape.kind != "list" or len(shape.members) > 3 or len(set(shape.members)) != len(shape.members):
        return False
    return all(compare(shape.members[0], other) == "equal" for other in shape.members[1:])


def _quantities(gold: Shape, answer: Shape) -> Sameness | None:
    if isinstance(gold, Quantity) and isinstance(answer, Quantity):
        return same_quantity(gold, answer)
    if isinstance(gold, Infinite) and isinstance(answer, Infinite):
        return "equal" if gold.sign == answer.sign else "different"
    if isinstance(gold, Domain) and isinstance(answer, Domain):
        return "different" if gold.name != answer.name else "equal"
    return None


def _based(gold: Shape, answer: Shape) -> Sameness | None:
    """Digits in one base; a reference's base may be left out, but digits are not converted."""
    if isinstance(gold, Based) and isinstance(answer, Based):
        if gold.base == answer.base:
            return "equal" if gold.digits == answer.digits else "different"
        return "different" if gold.digits == answer.digits else "unknown"
    if isinstance(gold, Based) and isinstance(answer, Quantity) and answer.unit == NONE and not answer.hedged:
        return "equal" if gold.digits.isdigit() and answer.node == number(int(gold.digits)) else "unknown"
    if isinstance(answer, Based) and isinstance(gold, Quantity) and answer.base == 10 and gold.unit == NONE:
        return same_formula(gold.node, number(int(answer.digits)))
    return "unknown" if isinstance(answer, Based) or isinstance(gold, Based) else None


def _words(gold: Shape, answer: Shape) -> Sameness | None:
    if isinstance(gold, Words) and isinstance(answer, Words):
        return same_words(gold, answer)
    for one, other in ((gold, answer), (answer, gold)):
        if isinstance(one, Words) and (found := same_meaning(one, other)):
            return found
    return None


_RULES: tuple[Callable[[Shape, Shape], Sameness | None], ...] = (
    lambda gold, answer: same_family(gold, answer, compare),
    lambda gold, answer: same_conditioned(gold, answer, compare),
    _forms,
    _choices,
    _quantities,
    _lists,
    _regions,
    _equations,
    _named,
    _based,
    _words,
    lambda gold, answer: same_matrices(gold, answer, compare),
    same_congruence,
    same_colons,
    same_clock,
    same_date,
)
_NUMBERS = (Quantity, Infinite)
_OTHERS = (Listed, Region, Matrix, Chain, Words)


def _unrelated(gold: Shape, answer: Shape) -> Sameness:
    """A number is none of the other kinds; what else two kinds could have in common, nobody wrote down."""
    plain = [one for one in (gold, answer) if isinstance(one, _NUMBERS)]
    other = [one for one in (gold, answer) if isinstance(one, _OTHERS) and not is_prose(one)]
    if len(plain) == 1 and len(other) == 1 and not (isinstance(plain[0], Quantity) and letters(plain[0].node)):
        return "different"
    return "unknown"
