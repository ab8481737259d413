"""Embeds the benchmarks' items once a store: every task of a run compares with them, and it took most of its start.

benchmarks/DIGEST.npy    the vectors of these texts in this embedder's space, float16
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracemill.embedders import AnyEmbedder
from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.engine.store import canonical_digest
from tracemill.text.jit import F32


def item_vectors(texts: Sequence[str], embedder: AnyEmbedder, resources: Resources, store: ObjectStore | None) -> F32:
    """The items' vectors, rounded to float16: from the store, or made and kept there. Shape (texts, dimensions).

    Tasks that make them at once write the same bytes. What is damaged is made anew.
    """
    key = f"benchmarks/{canonical_digest({'texts': list(texts), 'embedder': embedder.identity()})[:40]}.npy"
    found = None if store is None else _read(store, key, len(texts))
    if found is None:
        found = embedder.embed(list(texts), resources).astype(np.float16)
        if store is not None:
            _write(store, key, found)
    return found.astype(np.float32)


def _read(store: ObjectStore, key: str, rows: int) -> NDArray[np.float16] | None:
    try:
        found = np.load(io.BytesIO(store.read_bytes(key)), allow_pickle=False)
    except (FileNotFoundError, ValueError, EOFError):
        return None
    fits = isinstance(found, np.ndarray) and found.dtype == np.float16 and found.ndim == 2 and len(found) == rows
    return found if fits else None


def _write(store: ObjectStore, key: str, vectors: NDArray[np.float16]) -> None:
    file = io.BytesIO()
    np.save(file, vectors, allow_pickle=False)
    store.write_bytes(key, file.getvalue())
