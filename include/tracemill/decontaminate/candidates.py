"""Chooses the pairs of problem and item that are aligned: alike by their units, or near across languages.

Units are what survives a paraphrase, and a translation of mathematics; of a story in another language little does, but
the space of a multilingual embedder has it near.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracemill.decontaminate.neighbours import UnitIndex, neighbours
from tracemill.text.jit import F32, I64
from tracemill.text.meaning.units import units
from tracemill.text.tokens import Tokens
from tracemill.text.vocabulary import CHARACTER, WORD

BLOCK = 8192  # problems whose similarities to all items are held at once
# Units alike to this degree, or to the lower one with vectors that are near; at most so many of one problem. Problems
# of two ways of writing have cosines of 0.63 and more where they are one, of 0.49 at most where not (dedup.md).
ALIKE = 0.3
FAINTLY_ALIKE = 0.2
NEAR = 0.6
CANDIDATES = 8
Vectors = NDArray[np.float16] | F32


def candidates(tokens: tuple[Tokens, Tokens], index: UnitIndex, vectors: tuple[Vectors, Vectors]) -> tuple[I64, I64]:
    """The problem and the item of each pair, of problems' and items' tokens and vectors (of none, or of two spaces:

    units decide alone). At most CANDIDATES a problem, the most alike.
    """
    texts, which, alike = neighbours(units(tokens[0]), index, FAINTLY_ALIKE)
    kept = alike >= np.float32(ALIKE)
    one_space = vectors[0].shape[1:] == vectors[1].shape[1:] and vectors[0].shape[1] > 0
    if one_space:
        cosine = np.einsum("ij,ij->i", vectors[0][texts].astype(np.float32), vectors[1][which])
        kept |= cosine >= np.float32(NEAR)
    found = [(texts[kept].astype(np.int64), which[kept].astype(np.int64), alike[kept])]
    if one_space:
        found += _translations(tokens, vectors)
    return _foremost(*(np.concatenate(part) for part in zip(*found, strict=True)), size=len(index.totals))


def near(vectors: Vectors, targets: Vectors, floor: float) -> tuple[I64, I64, F32]:
    """The rows of either whose cosine reaches `floor`, with it. Memory: what is found, and one block."""
    texts = [np.zeros(0, np.int64)]
    items = [np.zeros(0, np.int64)]
    scores = [np.zeros(0, np.float32)]
    for start in range(0, len(vectors), BLOCK):
        cosine = vectors[start : start + BLOCK].astype(np.float32) @ targets.T
        row, item = np.nonzero(cosine >= np.float32(floor))
        texts.append(row + start)
        items.append(item)
        scores.append(np.minimum(np.float32(1), cosine[row, item]))
    return np.concatenate(texts), np.concatenate(items), np.concatenate(scores)


def _translations(tokens: tuple[Tokens, Tokens], vectors: tuple[Vectors, Vectors]) -> list[tuple[I64, I64, F32]]:
    """Pairs of two ways of writing whose vectors are near."""
    here, there = map(_is_chinese, tokens)
    found = []
    for rows, others in ((here, ~there), (~here, there)):
        if rows.any() and others.any():
            texts, items, scores = near(vectors[0][rows], vectors[1][others], NEAR)
            found.append((np.flatnonzero(rows)[texts], np.flatnonzero(others)[items], scores))
    return found


def _is_chinese(tokens: Tokens) -> NDArray[np.bool_]:
    """Which texts have more characters of Chinese than words."""
    signs = ((tokens.kinds & CHARACTER) != 0).astype(np.int64) - ((tokens.kinds & WORD) != 0)
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(signs)])
    more: NDArray[np.bool_] = sums[tokens.offsets[1:]] > sums[tokens.offsets[:-1]]
    return more


def _foremost(texts: I64, items: I64, alike: F32, *, size: int) -> tuple[I64, I64]:
    """Each text's most alike items, every pair once."""
    order = np.lexsort((items, -alike, texts))
    texts = texts[order]
    items = items[order]
    _, first = np.unique(texts * max(size, 1) + items, return_index=True)
    first.sort()
    texts = texts[first]
    items = items[first]
    kept = np.arange(len(texts)) - np.searchsorted(texts, texts) < CANDIDATES
    return texts[kept], items[kept]
