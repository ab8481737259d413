"""MinHash: which pairs it finds, measured against the exact Jaccard similarity of all pairs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tracemill.dedup.minhash import BANDS, BUCKET, band_marks, candidate_pairs, jaccard, sketches
from tracemill.text.jit import I64, U64
from tracemill.text.ngrams import Grams, ngrams
from tracemill.text.tokens import tokenise


def grams_of(texts: list[str]) -> Grams:
    return ngrams(tokenise(pa.array(texts, pa.large_string())), 3)


def open_guard(count: int) -> U64:
    return np.zeros(count, np.uint64)


def candidates_of(grams: Grams, guard: U64, fresh: int = 0) -> I64:
    return candidate_pairs(band_marks(sketches(grams), guard), guard, fresh)


def edited_texts(seed: int) -> list[str]:
    """60 texts of 40 random words and, after them, one edited copy each with 0 to 5 words replaced."""
    draw = np.random.default_rng(seed)
    texts = [[f"w{k}" for k in draw.integers(0, 500, 40)] for _ in range(60)]
    copies = []
    for k, words in enumerate(texts):
        copy = list(words)
        for place in draw.choice(40, k % 6, replace=False):
            copy[place] = "changed"
        copies.append(copy)
    return [" ".join(words) for words in texts + copies]


def test_jaccard_is_that_of_the_sets() -> None:
    grams = grams_of(edited_texts(1))
    pairs = np.array([(a, b) for a in range(0, 120, 3) for b in range(a + 1, 120, 5)], np.int64)
    expected = []
    for a, b in pairs.tolist():
        one, other = set(grams.row(a).tolist()), set(grams.row(b).tolist())
        expected.append(len(one & other) / len(one | other))
    np.testing.assert_allclose(jaccard(grams, pairs), expected, atol=1e-6)


def test_every_pair_above_the_threshold_is_a_candidate_and_few_others_are() -> None:
    texts = edited_texts(2)
    grams = grams_of(texts)
    everything = np.array([(a, b) for a in range(120) for b in range(a + 1, 120)], np.int64)
    similar = {tuple(pair) for pair in everything[jaccard(grams, everything) >= 0.7].tolist()}
    candidates = {tuple(pair) for pair in candidates_of(grams, open_guard(120)).tolist()}
    assert len(similar) >= 20
    assert similar <= candidates
    assert len(candidates) < 3 * len(similar)


def test_another_guard_is_never_a_candidate() -> None:
    texts = ["solve this long and wordy problem for me now"] * 2
    assert len(candidates_of(grams_of(texts), np.array([1, 1], np.uint64))) == 1
    assert len(candidates_of(grams_of(texts), np.array([1, 2], np.uint64))) == 0


def test_a_crowd_of_equal_rows_is_compared_with_the_best_ones_only() -> None:
    count = 10 * BUCKET
    crowd = np.ones((count, BANDS), np.uint32)
    pairs = candidate_pairs(crowd, open_guard(count))
    assert len(pairs) < count * BUCKET
    assert set(pairs[:, 0].tolist()) == set(range(BUCKET))
    assert set(pairs[:, 1].tolist()) == set(range(1, count))


def test_empty_texts_are_alike_and_harmless() -> None:
    grams = grams_of(["", "", "a b c d"])
    assert jaccard(grams, candidates_of(grams, open_guard(3))).tolist() == [1.0]


def test_rows_that_were_compared_before_are_not_compared_again() -> None:
    grams = grams_of(edited_texts(3))
    every = {tuple(pair) for pair in candidates_of(grams, open_guard(120)).tolist()}
    some = {tuple(pair) for pair in candidates_of(grams, open_guard(120), 80).tolist()}
    assert some == {pair for pair in every if pair[1] >= 80}
    assert len(some) > 10
