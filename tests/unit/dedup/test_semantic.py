"""Semantic pairs: the same as an exact comparison of everything with everything in each group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tracemill.dedup.semantic import cell_pairs, cells_of, similar_pairs
from tracemill.text.jit import U64


def planted(seed: int, count: int, near: int, width: int = 32) -> NDArray[np.float16]:
    """Random unit rows; the last `near` are noisy copies of the first ones, with cosines about the threshold."""
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(count, width))
    rows[-near:] = rows[:near] + draw.normal(size=(near, width)) * draw.uniform(0.1, 0.8, (near, 1))
    unit: NDArray[np.float16] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
    return unit


def brute(vectors: NDArray[np.float16], groups: U64, threshold: float) -> set[tuple[int, int]]:
    exact = vectors.astype(np.float64)
    near = (exact @ exact.T).astype(np.float32) >= np.float32(threshold)
    near &= groups[:, None] == groups[None, :]
    return {(int(i), int(j)) for i, j in np.argwhere(np.triu(near, 1))}


SHAPES = {
    "one group": (500, lambda n: np.zeros(n, np.uint64)),
    "pairs": (400, lambda n: (np.arange(n) % (n // 2)).astype(np.uint64)),
    "mixed sizes": (600, lambda n: np.minimum(np.arange(n) % 97, 20).astype(np.uint64)),
    "no group twice": (50, lambda n: np.arange(n).astype(np.uint64)),
    "nothing": (0, lambda n: np.zeros(n, np.uint64)),
}


@pytest.mark.parametrize(("count", "grouping"), SHAPES.values(), ids=SHAPES)
def test_pairs_are_those_of_a_full_comparison(count: int, grouping: object) -> None:
    vectors = planted(count, max(count, 10), max(count // 3, 1))[:count]
    groups = grouping(count)  # type: ignore[operator]
    found = similar_pairs(vectors, groups, 0.9)
    assert {(int(i), int(j)) for i, j in found.pairs} == brute(vectors, groups, 0.9)
    exact = vectors.astype(np.float64)
    for (i, j), value in zip(found.pairs.tolist(), found.similarity.tolist(), strict=True):
        assert value == pytest.approx(float(exact[i] @ exact[j]), abs=1e-6)


def test_small_groups_in_several_chunks_give_the_same() -> None:
    vectors, groups = planted(9, 600, 200), (np.arange(600) % 200).astype(np.uint64)
    expected = similar_pairs(vectors, groups, 0.8)
    again = similar_pairs(vectors, groups, 0.8, chunk=50)
    np.testing.assert_array_equal(again.pairs, expected.pairs)
    assert len(expected.pairs) > 20


@pytest.mark.slow
def test_cells_find_nearly_all_pairs_and_report_none_that_is_not_near() -> None:
    vectors = planted(11, 6000, 1500, 64)
    groups = np.zeros(6000, np.uint64)
    expected = brute(vectors, groups, 0.9)
    found = similar_pairs(vectors, groups, 0.9)
    pairs = {(int(i), int(j)) for i, j in found.pairs}
    assert pairs <= expected
    assert len(pairs) >= 0.998 * len(expected)
    compared = len(cell_pairs(vectors, 0.9, cells_of(vectors, 8)[1]))
    assert compared < 2 * len(expected)


@pytest.mark.parametrize(("count", "fresh"), [(300, 200), (300, 0), (300, 300), (6000, 5800)])
@pytest.mark.parametrize("families", [1, 100])
def test_rows_that_were_compared_before_are_not_compared_again(count: int, fresh: int, families: int) -> None:
    vectors = planted(count, count, count // 4, 64)
    groups = (np.arange(count) % families).astype(np.uint64)
    groups[-(count // 4) :] = groups[: count // 4]
    expected = {pair for pair in brute(vectors, groups, 0.9) if pair[1] >= fresh}
    found = {(int(i), int(j)) for i, j in similar_pairs(vectors, groups, 0.9, fresh=fresh).pairs}
    assert found <= expected
    assert len(found) >= 0.99 * len(expected)


class StandIn:
    """An index on a GPU, as far as a machine without one can show it: it counts what it is asked."""

    def __init__(self, index: Any) -> None:
        self.index, self.asked = index, 0

    def search(self, rows: Any, count: int) -> Any:
        self.asked += len(rows)
        return self.index.search(rows, count)


def test_on_a_gpu_the_same_pairs_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracemill.dedup.semantic.WHOLE", 64)
    vectors = np.random.default_rng(4).normal(size=(600, 32))
    vectors[300:] = vectors[:300] + np.random.default_rng(5).normal(size=(300, 32)) * 0.1
    rows = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    cpu = similar_pairs(rows, np.zeros(600, np.uint64), 0.9)
    moved: list[StandIn] = []

    def move(index: Any) -> StandIn:
        moved.append(StandIn(index))
        return moved[-1]

    monkeypatch.setattr("faiss.get_num_gpus", lambda: 1)
    monkeypatch.setattr("faiss.index_cpu_to_all_gpus", move)
    gpu = similar_pairs(rows, np.zeros(600, np.uint64), 0.9)
    np.testing.assert_array_equal(cpu.pairs, gpu.pairs)
    assert len(cpu.pairs) > 250
    assert [one.asked for one in moved] == [600]
