"""Sketches of vectors: a pair above the threshold is within the radius, and few others are."""

from __future__ import annotations

import numpy as np
import pytest

from tracemill.dedup.simhash import BITS, bits_of, radius, within


def pairs(cosine: float, count: int = 4000, width: int = 384) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Unit rows, and rows with exactly that cosine to them; most components of both are zero, as of short texts."""
    draw = np.random.default_rng(3)
    left = draw.normal(size=(count, width)) * (draw.random((count, width)) < 0.2)
    other = draw.normal(size=(count, width)) * (draw.random((count, width)) < 0.2)
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    other -= left * (left * other).sum(axis=1, keepdims=True)
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    right = cosine * left + np.sqrt(1 - cosine**2) * other
    return left.astype(np.float16), right.astype(np.float16)


def caught(cosine: float, threshold: float) -> float:
    """The share of pairs of that cosine that are within the radius of the threshold."""
    left, right = (bits_of(rows) for rows in pairs(cosine))
    rows = np.arange(len(left))
    visitor, member = within(left, rows, rows, rows + 1, right, np.uint64(radius(threshold)))
    np.testing.assert_array_equal(visitor, member)
    return len(visitor) / len(left)


@pytest.mark.parametrize("threshold", [0.8, 0.9, 0.97])
def test_no_pair_at_the_threshold_is_missed(threshold: float) -> None:
    assert caught(threshold, threshold) == 1


def test_pairs_far_below_the_threshold_are_left_out() -> None:
    assert caught(0.3, 0.9) < 0.001


@pytest.mark.parametrize(("cosine", "expected"), [(1.0, 0), (1.001, 0)], ids=["equal", "rounded above 1"])
def test_equal_vectors_have_equal_bits(cosine: float, expected: int) -> None:
    assert radius(cosine) == expected
    assert caught(1.0, cosine) == 1


def test_a_zero_vector_is_like_no_other_one() -> None:
    zero, rows = bits_of(np.zeros((1, 384), np.float16)), np.zeros(1, np.int64)
    assert radius(0.9) < BITS / 2
    assert len(within(zero, rows, rows, rows + 1, bits_of(pairs(1.0, 1)[0]), np.uint64(radius(0.9)))[0]) == 0
