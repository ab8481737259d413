"""Who is kept: best first, never for a row that is itself dropped."""

from __future__ import annotations

import numpy as np
import pytest

from tracemill.dedup.representatives import Edges, chosen, exact_leaders


def edges(*triples: tuple[int, int, float]) -> Edges:
    pairs = np.array([(a, b) for a, b, _ in triples], np.int64).reshape(-1, 2)
    return Edges(pairs, np.array([s for _, _, s in triples], np.float32))


def outcome(n: int, *tiers: Edges) -> list[int | None]:
    """For each row None if it is kept, else the row it was dropped for."""
    choice = chosen(n, list(tiers))
    pairs = np.concatenate([tier.pairs for tier in tiers])
    return [
        None if kept else int(pairs[e, 0]) for kept, e in zip(choice.kept.tolist(), choice.edge.tolist(), strict=True)
    ]


CASES = {
    "no edges": ([edges()], [None, None, None]),
    "a pair": ([edges((0, 2, 0.9))], [None, None, 0]),
    "a chain keeps its end": ([edges((0, 1, 0.9), (1, 2, 0.9))], [None, 0, None]),
    "a star": ([edges((0, 1, 0.9), (0, 2, 0.95))], [None, 0, 0]),
    "the most similar kept row is named": ([edges((0, 2, 0.9), (1, 2, 0.99))], [None, None, 1]),
    "the first tier goes before similarity": ([edges((0, 2, 0.7)), edges((1, 2, 0.99))], [None, None, 0]),
    "a dropped row drops nobody in any tier": ([edges((0, 1, 0.9)), edges((1, 2, 1.0))], [None, 0, None]),
}


@pytest.mark.parametrize(("tiers", "expected"), CASES.values(), ids=CASES)
def test_rows_are_taken_best_first(tiers: list[Edges], expected: list[int | None]) -> None:
    assert outcome(3, *tiers) == expected


def test_every_dropped_row_has_a_kept_neighbour_and_kept_rows_have_none() -> None:
    draw = np.random.default_rng(3)
    pairs = np.unique(np.sort(draw.integers(0, 300, (900, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    result = outcome(300, Edges(pairs, draw.random(len(pairs)).astype(np.float32)))
    for better, worse in pairs.tolist():
        assert result[better] is not None or result[worse] is not None
    for row, target in enumerate(result):
        assert target is None or (result[target] is None and [target, row] in pairs.tolist())


LEADERS = {
    "all different": (["a", "b", "c"], ["x", "y", "z"], [0, 1, 2]),
    "same id": (["a", "b", "a"], ["x", "y", "z"], [0, 1, 0]),
    "same key": (["a", "b", "c"], ["x", "y", "x"], [0, 1, 0]),
    "joined through both": (["a", "b", "b", "c"], ["x", "x", "y", "y"], [0, 0, 0, 0]),
    "joined late": (["a", "b", "c", "b"], ["x", "y", "z", "x"], [0, 0, 2, 0]),
}


@pytest.mark.parametrize(("ids", "keys", "expected"), LEADERS.values(), ids=LEADERS)
def test_exact_copies_share_the_best_row(ids: list[str], keys: list[str], expected: list[int]) -> None:
    assert exact_leaders(np.array(ids, "S4"), np.array(keys, "S4")).tolist() == expected
