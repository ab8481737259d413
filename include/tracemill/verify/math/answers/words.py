"""Compares words and choices: words as folded words, never as letters of a formula."""

from __future__ import annotations

from collections.abc import Callable

from tracemill.verify.math.answers.dates import MONTHS
from tracemill.verify.math.answers.han import is_han, may_count, told_apart
from tracemill.verify.math.answers.number_words import NUMBERS
from tracemill.verify.math.answers.sameness import Sameness
from tracemill.verify.math.answers.shapes import Choice, Listed, Quantity, Shape, Words

FEW = 2  # so many words can be told apart; longer texts can mean the same in many ways
_TRUTH = dict.fromkeys(("yes", "true", "correct", "right"), True)
_TRUTH |= dict.fromkeys(("no", "false", "incorrect", "wrong"), False)
_NUMBERS = NUMBERS.keys() | {"no", "none", "nothing", "half", "once", "twice"}
_NOTHING = {  # ways to say that there is none
    ("no", "solution"), ("no", "real", "solution"), ("does", "not", "exist"), ("none",), ("nothing",), ("impossible",),
    ("undefined",), ("never",), ("no",), ("no", "such"), ("not", "possible"), ("cannot",), ("infeasible",),
}  # fmt: skip
_NO_SOLUTION = {("no", "solution"), ("no", "real", "solution")}
_ROMAN = frozenset("IVXLCDM")
_SHORTEST = 3  # letters of an abbreviation
_STEM = 4  # letters that two words share before they may be forms of one word
Compare = Callable[[Shape, Shape], Sameness]


def same_words(gold: Words, answer: Words) -> Sameness:
    """Equal if the words are; different if both are short and share nothing; else unknown."""
    first = gold.words
    second = answer.words
    if first == second or ("".join(first) == "".join(second) and not gold.label and not answer.label):
        return "equal"
    if gold.label and answer.label:
        return _same_label(first[0], second[0])
    if len(first) == len(second) == 1 and {first[0], second[0]} <= _TRUTH.keys():
        return "unknown" if _TRUTH[first[0]] == _TRUTH[second[0]] else "different"
    if is_han("".join(first + second)):
        return "different" if told_apart("".join(first), "".join(second)) else "unknown"
    if first in _NOTHING and second in _NOTHING:
        return "unknown"
    if len(first) > FEW or len(second) > FEW or set(first) < set(second) or set(second) < set(first):
        return "unknown"
    related = any(_may_be_one(one, other) for one in first for other in second if one != other)
    return "unknown" if related else "different"


def same_meaning(words: Words, other: Shape) -> Sameness | None:
    """Words against what is none: "no solution" and the empty set, "true" and T, "July" and 7月."""
    if isinstance(other, Listed) and other.kind == "set" and not other.members:
        return "equal" if words.words in _NO_SOLUTION else "unknown"
    if not isinstance(other, Quantity) or len(words.words) != 1 or words.label:
        return None
    word = words.words[0]
    node = other.node
    if word in _TRUTH and node.op == "sym" and node.name in ("T", "F"):
        sure = word in ("true", "false")
        return "different" if _TRUTH[word] != (node.name == "T") else "equal" if sure else "unknown"
    if word in MONTHS and node.op == "num":
        if node.value != MONTHS[word]:
            return "different"
        return "equal" if other.unit.words == ("月",) else "unknown"
    return None


def _may_be_one(one: str, other: str) -> bool:
    """Whether two words may be forms of one: a common stem, or an abbreviation (Tue, Tuesday)."""
    short, long = sorted((one, other), key=len)
    return (len(one) > _STEM and one[:_STEM] == other[:_STEM]) or (len(short) >= _SHORTEST and long.startswith(short))


def _same_label(first: str, second: str) -> Sameness:
    if sorted(first) == sorted(second):
        ends = len(first) == 2 and first.isupper() and not set(first) <= _ROMAN  # a segment, not IV and VI
        return "equal" if ends else "unknown"
    return "different"


def same_choice(gold: Shape, answer: Shape, compare: Compare) -> Sameness:
    """Choices by their letters; a letter against a value shows nothing, unless the value stands behind the letter."""
    if isinstance(gold, Choice) and isinstance(answer, Choice):
        texts = gold.text is not None and answer.text is not None and compare(gold.text, answer.text) == "different"
        return "unknown" if texts and gold.letters == answer.letters else _same_letters(gold.letters, answer.letters)
    one, other = (gold, answer) if isinstance(gold, Choice) else (answer, gold)
    if not isinstance(one, Choice):
        return "unknown"
    if isinstance(other, Words) and one.letters == "F" and not one.certain and other.words in {("true",), ("false",)}:
        return "equal" if other.words == ("false",) else "different"
    if isinstance(other, Words) and other.label:
        return _label_choice(one, other.words[0])
    if one.text is not None:
        return "equal" if compare(one.text, other) == "equal" else "unknown"
    if isinstance(other, Listed) and other.brackets != "or":
        letters = "".join(member.letters for member in other.members if isinstance(member, Choice))
        if len(letters) == len(other.members):
            return _same_letters(one.letters, letters)
    return "different" if isinstance(other, Quantity) and not one.certain else "unknown"


def _label_choice(one: Choice, label: str) -> Sameness:
    """AC against A, C."""
    same = len(one.letters) > 1 and _same_letters(one.letters, label) == "equal"
    return "equal" if same else "unknown"


def _same_letters(first: str, second: str) -> Sameness:
    """The choices made; three or more in another order than that of the alphabet may be an order that was asked for."""
    if first == second:
        return "equal"
    if sorted(first) != sorted(second):
        return "different"
    return "equal" if len(first) <= FEW else "unknown"


def is_prose(shape: Shape) -> bool:
    """Whether a shape is, or holds, more words than can be told apart, or words for numbers."""
    if isinstance(shape, Listed):
        words = [word for one in shape.members if isinstance(one, Words) for word in one.words]
        return len(words) > FEW + 1 or any(map(is_prose, shape.members))
    return isinstance(shape, Words) and (len(shape.words) > FEW or _may_count(shape.words))


def _may_count(words: tuple[str, ...]) -> bool:
    return bool(_NUMBERS & set(words)) or any(may_count(word) or word[:1].isdigit() for word in words)
