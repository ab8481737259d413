"""Says for each problem how close it comes to each benchmark, by five rules, and keeps the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracemill.decontaminate.alignment import Aligner
from tracemill.decontaminate.candidates import candidates, near
from tracemill.decontaminate.interpreted import interpreted
from tracemill.decontaminate.neighbours import UnitIndex, unit_index
from tracemill.decontaminate.ngram_index import GramIndex, contained, gram_index
from tracemill.decontaminate.substance import LEAST, SHARE, TOLD, Substance
from tracemill.decontaminate.template import abstracted
from tracemill.text.jit import F32, I32, I64
from tracemill.text.meaning.reading import Reading, read
from tracemill.text.meaning.units import units
from tracemill.text.ngrams import ngrams, text_keys
from tracemill.text.problem_text import normalised_problems
from tracemill.text.tokens import Tokens, tokenise
from tracemill.text.vocabulary import CHARACTER, LEXICAL, WORD

SHORT_N = 3
WHOLE = 0.99
# An item whose template more of a shard's problems have than this is a form of exercise.
COMMON_SHARE = 0.002
COMMON = 10


@dataclass(frozen=True)
class Matches:
    """Problem `texts[k]` is as close to item `items[k]` by one rule as `scores[k]` says, at most 1.

    `decisive[k]` says whether what they share is of the item's question (see substance.py); `evidence[k]` is JSON or
    None.
    """

    texts: I64
    items: I64
    scores: F32
    decisive: NDArray[np.bool_]
    evidence: NDArray[np.object_]

    def take(self, kept: I64) -> Matches:
        """Those of these places."""
        return Matches(self.texts[kept], self.items[kept], self.scores[kept], self.decisive[kept], self.evidence[kept])

    def hits(self, threshold: float) -> NDArray[np.bool_]:
        """Which of them give the item away."""
        return self.decisive & (self.scores >= np.float32(threshold))


class Problems:
    """Problems to compare: their one spelling, tokens, embeddings, and, where a candidate needs it, a reading."""

    def __init__(self, prompts: pa.Array | pa.ChunkedArray, vectors: NDArray[np.float16]) -> None:
        self.texts = normalised_problems(prompts)
        self.tokens = tokenise(self.texts)
        self.vectors = vectors
        self._read: dict[int, Reading] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def text(self, row: int) -> str:
        """The one spelling of one problem."""
        return str(self.texts[row])

    def reading(self, row: int) -> Reading:
        """The reading of one problem, made once."""
        if row not in self._read:
            self._read[row] = read(self.text(row))
        return self._read[row]


class Items:
    """The questions of all benchmarks: `benchmark[k]` and `name[k]` say which one item k is, `vectors[k]` embeds it."""

    def __init__(
        self, questions: Mapping[str, Mapping[str, str]], vectors: F32, n: int = 8, template_words: int = 12
    ) -> None:
        """`vectors` are in the order of benchmarks and items. Items of fewer words have no template."""
        self.benchmark = [benchmark for benchmark, items in questions.items() for _ in items]
        self.name = [item for items in questions.values() for item in items]
        texts = [text for items in questions.values() for text in items.values()]
        self.texts: list[str] = normalised_problems(pa.array(texts, pa.large_string())).to_pylist()
        self.tokens = tokenise(pa.array(self.texts, pa.large_string()))
        self.vectors = vectors
        self._n = n
        self._template_words = template_words
        self._substance: dict[int, Substance] = {}

    @cached_property
    def keys(self) -> dict[str, int]:
        """The key of each text → the first item that has it."""
        return {key: number for number, key in reversed(list(enumerate(text_keys(self.tokens))))}

    @cached_property
    def grams(self) -> GramIndex:
        """The items' n-grams."""
        return gram_index(ngrams(self.tokens.only(LEXICAL), self._n, short=False), self._n)

    @cached_property
    def short(self) -> GramIndex:
        """The n-grams of SHORT_N words of those items that are too short for the others."""
        lexical = self.tokens.only(LEXICAL)
        kept = _only_rows(lexical, np.diff(lexical.offsets) < self._n)
        return gram_index(ngrams(kept, SHORT_N, short=False), SHORT_N)

    @cached_property
    def templates(self) -> GramIndex:
        """The n-grams of those items that are long enough, with numbers and names abstracted."""
        long_enough = np.diff(self.tokens.only(WORD | CHARACTER).offsets) >= self._template_words
        kept = _only_rows(abstracted(self.tokens.only(LEXICAL)), long_enough)
        return gram_index(ngrams(kept, self._n, short=False), self._n)

    @cached_property
    def units(self) -> UnitIndex:
        """The items' units, for candidates of alignment."""
        return unit_index(units(self.tokens))

    @cached_property
    def readings(self) -> list[Reading]:
        """The items as they are aligned."""
        return [read(text) for text in self.texts]

    @cached_property
    def aligner(self) -> Aligner:
        """Aligns with any of the items."""
        return Aligner(self.readings)

    def substance(self, item: int) -> Substance:
        """What an item says beyond its form."""
        if item not in self._substance:
            self._substance[item] = Substance(self.texts[item])
        return self._substance[item]


def matches(rule: str, problems: Problems, items: Items, floor: float) -> Matches:
    """All problem-item pairs that reach `floor` by that rule."""
    if rule == "exact":
        keys = items.keys
        found = [(row, keys[key]) for row, key in enumerate(text_keys(problems.tokens)) if key in keys]
        pairs = np.array(found, np.int64).reshape(-1, 2)
        return _plain(pairs[:, 0], pairs[:, 1], np.ones(len(pairs), np.float32))
    if rule == "alignment":
        return _aligned(problems, items, floor)
    if rule == "embedding":
        return _weighed(rule, _plain(*near(problems.vectors, items.vectors, floor)), problems, items)
    if rule == "template":
        return _weighed(rule, _above(*contained(abstracted(problems.tokens), items.templates), floor), problems, items)
    long = _weighed(rule, _above(*contained(problems.tokens, items.grams), floor), problems, items)
    return _joined(long, _short(problems, items))


def strongest(found: Matches, benchmark: list[str]) -> Matches:
    """Of each problem the best match per benchmark, decisive ones first (of equal ones the first item)."""
    codes = np.unique(np.array(benchmark), return_inverse=True)[1][found.items] if len(found.items) else found.items
    order = np.lexsort((found.items, -found.scores, ~found.decisive, codes, found.texts))
    texts = found.texts[order]
    codes = codes[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (texts[1:] != texts[:-1]) | (codes[1:] != codes[:-1])
    return found.take(order[first])


def _plain(texts: I64, items: I64, scores: F32) -> Matches:
    return Matches(texts, items, scores, np.ones(len(texts), np.bool_), np.full(len(texts), None, np.object_))


def _above(texts: I32, items: I32, shares: F32, floor: float) -> Matches:
    keep = shares >= np.float32(floor)
    return _plain(texts[keep].astype(np.int64), items[keep].astype(np.int64), shares[keep])


def _short(problems: Problems, items: Items) -> Matches:
    """Items too short for n-grams, where they stand whole in a problem that says little else."""
    found = _above(*contained(problems.tokens, items.short), WHOLE)
    rests = [
        items.substance(item).rest(problems.reading(text))
        for text, item in zip(found.texts.tolist(), found.items.tolist(), strict=True)
    ]
    return replace(found, decisive=np.array(rests, np.float64) < LEAST)


def _joined(one: Matches, other: Matches) -> Matches:
    parts = [
        (getattr(one, name), getattr(other, name)) for name in ("texts", "items", "scores", "decisive", "evidence")
    ]
    return Matches(*(np.concatenate(part) for part in parts))


def _weighed(
    rule: str, found: Matches, problems: Problems, items: Items, readings: Sequence[Reading] | None = None
) -> Matches:
    """The same matches, each decisive only where the problem (as `readings` read it) shares the item's substance."""
    numbers = rule != "template"
    whole = (found.scores >= np.float32(WHOLE)) & (rule == "ngram")
    told = readings or [problems.reading(text) for text in found.texts.tolist()]
    shares = [
        items.substance(item).shared(problems.text(text), reading, numbers=numbers, whole=all_of_it)
        for text, item, all_of_it, reading in zip(
            found.texts.tolist(), found.items.tolist(), whole.tolist(), told, strict=True
        )
    ]
    decisive = np.array(shares, np.float64) >= (TOLD if rule == "alignment" else SHARE)
    if rule == "template":
        counts = np.bincount(found.items, minlength=len(items.texts))
        decisive &= counts[found.items] <= max(COMMON, COMMON_SHARE * len(problems))
    return Matches(found.texts, found.items, found.scores, decisive, found.evidence)


def _aligned(problems: Problems, items: Items, floor: float) -> Matches:
    """Candidates by their units and vectors; those whose alignment reaches the floor."""
    texts, which = candidates((problems.tokens, items.tokens), items.units, (problems.vectors, items.vectors))
    pairs = list(zip(texts.tolist(), which.tolist(), strict=True))
    readings = [interpreted(items.readings[item], problems.reading(text)) for text, item in pairs]
    found = [items.aligner.align(*pair) for pair in readings]
    scores = np.array([one.score for one in found], np.float32)
    over = np.flatnonzero(scores >= np.float32(floor))
    evidence = np.array([one.evidence for one in found], np.object_)
    aligned = _plain(texts[over], which[over], scores[over])
    told = [readings[place][1] for place in over.tolist()]
    return replace(_weighed("alignment", aligned, problems, items, told), evidence=evidence[over])


def _only_rows(tokens: Tokens, rows: NDArray[np.bool_]) -> Tokens:
    """The same texts with those not chosen made empty."""
    lengths = np.diff(tokens.offsets)
    keep = np.repeat(rows, lengths)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.where(rows, lengths, 0))])
    return Tokens(tokens.hashes[keep], tokens.kinds[keep], offsets)
