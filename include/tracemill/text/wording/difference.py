"""Decides whether what two alike texts differ in is harmless, so that they are one problem; a cosine cannot tell.

An embedding finds radius and diameter, older and younger, a - (b - c) and a - b - c nearly equal. So the two texts are
set against each other. Formulas, names, letters and negations must agree, no word may stand against its contrast, and
quantities must belong to the same things. For the rest a template is told from a rewording: who changes a slot leaves
the sentence as it is, who rewords changes its grammar and its order too. In a template every word that differs must
have a synonym in the other text; in a rewording the likeness of the texts, which was measured before, speaks for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from rapidfuzz.distance import Levenshtein

from tracemill.text.symbols import words_of
from tracemill.text.wording.asked import asked, asked_apart
from tracemill.text.wording.contrasts import CHINESE_CONTRASTS
from tracemill.text.wording.lexicon import NEGATIONS, WRITTEN, contrasts, synonyms
from tracemill.text.wording.rewording import edited, quantified_otherwise, told_anew
from tracemill.text.wording.stemming import stem
from tracemill.text.wording.words import Parts

QUANTITIES = 2  # numbers and formulas that an answer, if it is the same, depends on
LEFT_OVER = 0.4  # of the words that say something: where more have no counterpart, another thing is asked for
SHARE = 0.1  # of the words of a text in a language without a lexicon: more is another problem
_SUM = re.compile("[的之总求]和(?=[是为多等?？。,，.]|$)")  # 和 is "and", too
_ADDED = re.compile("和|加|共|总")
BOUNDS = frozenset(map(stem, words_of("least most more less fewer only additional extra")))
_PREFIXES = ("un", "in", "im", "ir", "non", "dis", "anti", "sub", "super", "semi", "co", "de", "mis", "over", "under")


@dataclass(frozen=True)
class Difference:
    """Whether the difference is harmless, and the words that differ: first the one text's, then the other's."""

    harmless: bool
    words: tuple[str, ...]


def difference(one: Parts, other: Parts, agreed: bool = False) -> Difference:
    """Compare two texts of one way of writing with the same numbers. `agreed`: their answers are known and equal."""
    left, right = _left_over(one.words, other.words)
    twins = _twins(left, right)
    left = [w for w in left if w not in twins.values()]
    right = [w for w in right if w not in twins]
    named = _strangers(one.names, other) | _strangers(other.names, one)
    words = tuple(dict.fromkeys([*left, *right, *sorted(named | (one.letters ^ other.letters))]))
    if named or one.letters != other.letters or one.formulas != other.formulas:
        return Difference(False, words or tuple(sorted(one.formulas ^ other.formulas)))
    turned = (
        _bounded(left, right)
        or _negated(left, right)
        or _contrasting(left, right)
        or _prefixed(left, right)
        or _asked(left, right)
        or quantified_otherwise(one.text, other.text)
    )
    if turned or _chinese_contrast(one, other) or _crossed(one, other) or (not agreed and asked_apart(one, other)):
        return Difference(False, words)
    if not left and not right:
        return Difference(_same_order(one, other, twins), words)
    if not (one.known and other.known):
        return Difference(_few(one, left) and _few(other, right), words)
    alike = len(left) + len(right) <= LEFT_OVER * (len(one.words) + len(other.words))
    vouched = agreed and _is_synonym_at_most(one, other, left, right)
    return Difference(alike and (vouched or told_anew(one, other, twins, left, right)), words)


def _is_synonym_at_most(one: Parts, other: Parts, left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether one word has another in its place, for which equal answers may vouch: quantities lead to them, and

    it is not what is asked for. An icosahedron and a dodecahedron have 30 edges, but by no quantity.
    """
    asked_for = asked(one) | asked(other)
    return (
        max(len(left), len(right)) <= 1
        and quantities(one) >= QUANTITIES
        and not any(word in asked_for for word in (*left, *right))
    )


def quantities(parts: Parts) -> int:
    """How many different numbers and formulas a text has."""
    return len(parts.formulas | {word.rpartition(":")[2] for word in parts.words if word[-1].isdigit()})


def _left_over(one: Sequence[str], other: Sequence[str]) -> tuple[list[str], list[str]]:
    """Words of each text beyond those that the other has; "for x" may come and go, but not stand for "for y"."""
    counts = Counter(one), Counter(other)
    left = list((counts[0] - counts[1]).elements())
    right = list((counts[1] - counts[0]).elements())
    if any(map(_is_letter, left)) and any(map(_is_letter, right)):
        return left, right
    return [word for word in left if not _is_letter(word)], [word for word in right if not _is_letter(word)]


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isascii() and word.isalpha()


def _twins(left: Sequence[str], right: Sequence[str]) -> dict[str, str]:
    """Words of the right that share a sense with one of the left, each with that word."""
    senses = synonyms()
    twins: dict[str, str] = {}
    for word in dict.fromkeys(left):
        own = senses.get(word)
        rest = (w for w in right if own and w not in twins and own & senses.get(w, frozenset()))
        twin = next((w for w in rest if not _opposed(word, w)), None)
        if twin is not None:
            twins[twin] = word
    return twins


def _opposed(one: str, other: str) -> bool:
    lines = contrasts()
    senses = synonyms()
    shared = senses.get(one, frozenset()) & senses.get(other, frozenset())
    if one == other or any(sense < WRITTEN for sense in shared):
        return False
    return bool(set(lines.get(one, ())) & set(lines.get(other, ())))


def _strangers(names: Iterable[str], other: Parts) -> set[str]:
    """Names that the other text does not have, not even at the head of a sentence."""
    return {name for name in names if name not in other.names and name not in other.openers}


def _bounded(left: Iterable[str], right: Iterable[str]) -> bool:
    """Whether only one text says "at least", "more" or "only", and has no other word for it: a bound of its own."""
    return any(word in BOUNDS for word in (*left, *right))


def _negated(left: Iterable[str], right: Iterable[str]) -> bool:
    return any(word in NEGATIONS for word in (*left, *right))


def _asked(left: Iterable[str], right: Iterable[str]) -> bool:
    """Whether one asks who and the other when."""
    return all(any(word.startswith("?") for word in side) for side in (left, right))


def _contrasting(left: Sequence[str], right: Sequence[str]) -> bool:
    return any(_opposed(one, other) for one, other in product(left, right))


def _prefixed(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether a word stands against itself with a prefix: advantage and disadvantage."""
    return any(
        long.endswith(short) and long.removesuffix(short) in _PREFIXES
        for pair in product(left, right)
        for short, long in (pair, pair[::-1])
        if 2 < len(short) < len(long)
    )


def _chinese_contrast(one: Parts, other: Parts) -> bool:
    """Whether a word stands more often in the one text, and one of its contrasts more often in the other."""
    if not one.chinese:
        return False
    if any(_SUM.search(side.text) and not _ADDED.search(beside.text) for side, beside in ((one, other), (other, one))):
        return True
    for line in CHINESE_CONTRASTS:
        more = {word: one.text.count(word) - other.text.count(word) for word in line}
        if max(more.values()) > 0 > min(more.values()):
            return True
    return False


def _crossed(one: Parts, other: Parts) -> bool:
    """Whether two quantities belong to two things the other way round: 3 pens and 5 cups, 5 pens and 3 cups."""
    mine = _belongings(one.words)
    theirs = _belongings(other.words)
    changed = [number for number in mine.keys() & theirs.keys() if mine[number] != theirs[number]]
    return any(mine[n] == theirs[m] and mine[m] == theirs[n] for n, m in product(changed, changed) if n != m)


def _belongings(words: Sequence[str]) -> Mapping[str, str]:
    """The word behind each number that stands in the text once."""
    counts = Counter(words)
    pairs = pairwise(words)
    return {one: other for one, other in pairs if one[0].isdigit() and counts[one] == 1 and not other[0].isdigit()}


def _few(parts: Parts, left: Sequence[str]) -> bool:
    return len(left) <= SHARE * len(parts.words)


def _same_order(one: Parts, other: Parts, twins: Mapping[str, str]) -> bool:
    """Whether equal words stand in an order that says the same: clauses may change places, and so may all the words

    where the grammar around them has changed with them.
    """
    lettered = Counter(filter(_is_letter, one.words)) == Counter(filter(_is_letter, other.words))
    first = _spoken(one.clauses, {}, lettered)
    second = _spoken(other.clauses, twins, lettered)
    if [w for clause in first for w in clause] == [w for clause in second for w in clause]:
        return True
    if Counter(first) == Counter(second):
        return True
    edits = Levenshtein.distance(one.tokens, other.tokens)
    return edited(one, other, edits) and Counter(one.tokens) != Counter(other.tokens)


def _spoken(clauses: Iterable[Sequence[str]], twins: Mapping[str, str], lettered: bool) -> list[tuple[str, ...]]:
    """The clauses with twins for their words; without single letters where one text names one once more."""
    return [tuple(twins.get(word, word) for word in clause if lettered or not _is_letter(word)) for clause in clauses]
