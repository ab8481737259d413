"""Measures semantic dedup on a million vectors against an exact comparison, in recall and in CPU time."""

from __future__ import annotations

import time

import faiss
import numpy as np
from numpy.typing import NDArray

from tracemill.dedup.semantic import similar_pairs

DIMENSIONS, THRESHOLD = 384, 0.9
QUERIES = 4000  # rows whose neighbours are looked for exactly


def planted(rows: int, seed: int = 1) -> NDArray[np.float16]:
    """Unit rows like embeddings: mixtures of 2,000 topics, and 8 % noisy copies of other rows about the threshold."""
    draw = np.random.default_rng(seed)
    topics = draw.normal(size=(2000, DIMENSIONS)).astype(np.float32)
    out = np.empty((rows, DIMENSIONS), np.float16)
    for start in range(0, rows, 50_000):
        size = min(50_000, rows - start)
        mixture = topics[draw.integers(0, 2000, size)] * draw.uniform(0.5, 1.5, (size, 1)).astype(np.float32)
        block = mixture + topics[draw.integers(0, 2000, size)] * np.float32(0.7)
        block += draw.normal(size=(size, DIMENSIONS)).astype(np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
        copies = np.flatnonzero(draw.random(size) < 0.08)
        spread = draw.uniform(0.005, 0.03, (len(copies), 1))
        source = out[draw.integers(0, start, len(copies))] if start else block[draw.integers(0, size, len(copies))]
        block[copies] = source + draw.normal(size=(len(copies), DIMENSIONS)) * spread
        out[start : start + size] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return out


def measured(rows: int) -> dict[str, float]:
    """Recall of pairs, and CPU seconds of ours and of FAISS Flat (measured on some queries, scaled to all rows)."""
    vectors = planted(rows)
    start = time.process_time()
    found = similar_pairs(vectors, np.zeros(rows, np.uint64), THRESHOLD)
    ours = time.process_time() - start
    queries = np.sort(np.random.default_rng(2).choice(rows, min(QUERIES, rows), replace=False))
    index = faiss.IndexFlatIP(DIMENSIONS)
    for block in range(0, rows, 100_000):
        index.add(vectors[block : block + 100_000].astype(np.float32))
    start = time.process_time()
    limits, _, places = index.range_search(vectors[queries].astype(np.float32), THRESHOLD)
    flat = (time.process_time() - start) * rows / len(queries)
    owners = np.repeat(queries, (limits[1:] - limits[:-1]).astype(np.int64))
    exact = {(min(a, b), max(a, b)) for a, b in zip(owners.tolist(), places.tolist(), strict=True) if a != b}
    ours_found = {(a, b) for a, b in found.pairs.tolist()}
    return {
        "semantic_rows": rows,
        "semantic_pairs": len(found.pairs),
        "semantic_recall": len(exact & ours_found) / max(1, len(exact)),
        "semantic_cpu_s": ours,
        "faiss_flat_cpu_s": flat,
        "semantic_share_of_flat": ours / flat,
    }
