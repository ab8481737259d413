"""The benchmarks' items are embedded once a store, and what is kept of them is never believed unseen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tracemill.decontaminate.kept import item_vectors
from tracemill.embedders.hashing import HashingEmbedder
from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.text.jit import F32

TEXTS = ["How many eggs are left?", "What is 7 times 8?", "A ladder leans on a wall."]
ONE = Resources(workers=1)


class Counting(HashingEmbedder):
    """Counts how often it is asked."""

    def embed(self, texts: Sequence[str], resources: Resources) -> F32:
        asked.append(len(texts))
        return super().embed(texts, resources)


asked: list[int] = []
EMBEDDER = Counting(kind="hashing")


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    asked.clear()
    return Store.at(str(tmp_path / "store"), create=True)


def key(store: ObjectStore) -> str:
    (name,) = store.names("benchmarks")
    return f"benchmarks/{name}"


def test_a_second_task_finds_what_the_first_one_kept(store: ObjectStore) -> None:
    first = item_vectors(TEXTS, EMBEDDER, ONE, store)
    second = item_vectors(TEXTS, EMBEDDER, ONE, store)
    assert asked == [3]
    assert np.array_equal(first, second)
    assert first.dtype == np.float32
    assert np.array_equal(first, item_vectors(TEXTS, EMBEDDER, ONE, None)), "as without a store"


@pytest.mark.parametrize("texts", [TEXTS[:2], [*TEXTS[:2], "another"], TEXTS[::-1]])
def test_other_items_have_other_vectors(store: ObjectStore, texts: list[str]) -> None:
    item_vectors(TEXTS, EMBEDDER, ONE, store)
    found = item_vectors(texts, EMBEDDER, ONE, store)
    assert asked == [3, len(texts)]
    assert np.array_equal(found, EMBEDDER.embed(texts, ONE).astype(np.float16).astype(np.float32))


def test_another_embedder_has_a_space_of_its_own(store: ObjectStore) -> None:
    item_vectors(TEXTS, EMBEDDER, ONE, store)
    item_vectors(TEXTS, Counting(kind="hashing", dimensions=32), ONE, store)
    assert len(store.names("benchmarks")) == 2


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut"),
        pytest.param(lambda data: b"\x80\x04K\x01.", id="a pickle"),
        pytest.param(lambda data: b"{}", id="something else"),
    ],
)
def test_what_is_damaged_is_made_anew(store: ObjectStore, damage: object) -> None:
    whole = item_vectors(TEXTS, EMBEDDER, ONE, store)
    place, kept = key(store), store.read_bytes(key(store))
    store.write_bytes(place, damage(kept))  # type: ignore[operator]
    assert np.array_equal(item_vectors(TEXTS, EMBEDDER, ONE, store), whole)
    assert store.read_bytes(place) == kept
