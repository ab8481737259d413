"""Says for each problem how close it comes to each benchmark, by four rules, and keeps the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracemill.decontamination.items import GramIndex, contained, gram_index
from tracemill.decontamination.template import abstracted
from tracemill.text.kernels import F32, I32, I64
from tracemill.text.ngrams import ngrams, text_keys
from tracemill.text.tokens import Tokens, tokenise
from tracemill.text.vocabulary import CHARACTER, LEXICAL, WORD

RULES = ("exact", "ngram", "embedding", "template")
BLOCK = 8192  # problems whose similarities to all items are held at once


@dataclass(frozen=True)
class Matches:
    """Problem `texts[k]` is as close to item `items[k]` by one rule as `scores[k]` says, at most 1."""

    texts: I64
    items: I64
    scores: F32


@dataclass(frozen=True)
class Items:
    """The questions of all benchmarks: `benchmark[k]` and `name[k]` say which one item k is, `vectors[k]` embeds it."""

    benchmark: list[str]
    name: list[str]
    keys: Mapping[str, int]
    grams: GramIndex
    templates: GramIndex
    vectors: F32


def indexed(questions: Mapping[str, Mapping[str, str]], vectors: F32, n: int, template_words: int) -> Items:
    """Index benchmark → item → question; `vectors` are in that order. Items of fewer words have no template."""
    flat = [(benchmark, item, text) for benchmark, items in questions.items() for item, text in items.items()]
    tokens = tokenise(pa.array([text for _, _, text in flat], pa.large_string()))
    lexical = tokens.only(LEXICAL)
    long_enough = np.diff(tokens.only(WORD | CHARACTER).offsets) >= template_words
    return Items(
        [benchmark for benchmark, _, _ in flat],
        [item for _, item, _ in flat],
        {key: number for number, key in reversed(list(enumerate(text_keys(tokens))))},
        gram_index(ngrams(lexical, n, short=False), n),
        gram_index(ngrams(_only_rows(abstracted(lexical), long_enough), n, short=False), n),
        vectors,
    )


def matches(rule: str, tokens: Tokens, vectors: NDArray[np.float16], items: Items, floor: float) -> Matches:
    """All problem-item pairs that reach `floor` by that rule."""
    if rule == "exact":
        found = [(row, items.keys[key]) for row, key in enumerate(text_keys(tokens)) if key in items.keys]
        pairs = np.array(found, np.int64).reshape(-1, 2)
        return Matches(pairs[:, 0], pairs[:, 1], np.ones(len(pairs), np.float32))
    if rule == "embedding":
        return _near(vectors, items.vectors, floor)
    if rule == "template":
        return _above(*contained(abstracted(tokens), items.templates), floor)
    return _above(*contained(tokens, items.grams), floor)


def strongest(found: Matches, benchmark: list[str]) -> Matches:
    """Of each problem the best match per benchmark (of equal ones the first item)."""
    codes = np.unique(np.array(benchmark), return_inverse=True)[1][found.items] if len(found.items) else found.items
    order = np.lexsort((found.items, -found.scores, codes, found.texts))
    texts, codes = found.texts[order], codes[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (texts[1:] != texts[:-1]) | (codes[1:] != codes[:-1])
    kept = order[first]
    return Matches(found.texts[kept], found.items[kept], found.scores[kept])


def _above(texts: I32, items: I32, shares: F32, floor: float) -> Matches:
    keep = shares >= np.float32(floor)
    return Matches(texts[keep].astype(np.int64), items[keep].astype(np.int64), shares[keep])


def _near(vectors: NDArray[np.float16], targets: F32, floor: float) -> Matches:
    texts, items, scores = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for start in range(0, len(vectors), BLOCK):
        cosine = vectors[start : start + BLOCK].astype(np.float32) @ targets.T
        row, item = np.nonzero(cosine >= np.float32(floor))
        texts.append(row + start)
        items.append(item)
        scores.append(np.minimum(np.float32(1), cosine[row, item]))
    return Matches(np.concatenate(texts), np.concatenate(items), np.concatenate(scores))


def _only_rows(tokens: Tokens, rows: NDArray[np.bool_]) -> Tokens:
    """The same texts with those not chosen made empty."""
    lengths = np.diff(tokens.offsets)
    keep = np.repeat(rows, lengths)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.where(rows, lengths, 0))])
    return Tokens(tokens.hashes[keep], tokens.kinds[keep], offsets)
