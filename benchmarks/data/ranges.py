"""Measures FAISS `range_search` in inverted lists in place of our own blocks: pairs, CPU seconds and memory, each in a
process of its own. `python -m benchmarks.data.ranges ROWS`.

Both split the rows into the same cells and look at the same `probes` of them, and what either proposes is checked in
exact arithmetic, so that the pairs should be the same; what differs is how a cell is gone through: one matrix product
for all of its visitors, or one row after the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.data.vectors import DIMENSIONS, THRESHOLD, planted
from tracemill.dedup.representatives import Edges
from tracemill.dedup.semantic import CHUNK, MARGIN, similar_pairs
from tracemill.dedup.semantic import cells_of as cells

PROBES = 8
_QUERIES = 10_000  # rows of one search; its results are two lists of Python's size at most
Vectors = NDArray[np.float16]


def blocks(vectors: Vectors) -> Edges:
    """As `cluster` does it."""
    return similar_pairs(vectors, np.zeros(len(vectors), np.uint64), THRESHOLD, PROBES)


def lists(vectors: Vectors) -> Edges:
    """Inverted lists of half-precision rows at the same centroids; the pairs found are checked as ours are."""
    centroids, _ = cells(vectors, 1)
    quantizer = faiss.IndexFlatIP(DIMENSIONS)
    quantizer.add(np.ascontiguousarray(centroids))
    half = faiss.ScalarQuantizer.QT_fp16
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, DIMENSIONS, len(centroids), half, faiss.METRIC_INNER_PRODUCT, False
    )
    index.is_trained = True
    for start in range(0, len(vectors), CHUNK):
        index.add(vectors[start : start + CHUNK].astype(np.float32))
    index.nprobe = PROBES
    found = []
    for start in range(0, len(vectors), _QUERIES):
        part = vectors[start : start + _QUERIES].astype(np.float32)
        limits, _, places = index.range_search(part, THRESHOLD - MARGIN)
        owners = np.repeat(np.arange(start, start + len(part)), (limits[1:] - limits[:-1]).astype(np.int64))
        pairs = np.sort(np.stack([owners, places], axis=1), axis=1)
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    proposed = np.unique(np.concatenate(found), axis=0)
    alone = np.arange(len(vectors), dtype=np.uint64)  # every row is its own group: only what was proposed is checked
    return similar_pairs(vectors, alone, THRESHOLD, proposed=proposed)


WAYS: dict[str, Callable[[Vectors], Edges]] = {"blocks": blocks, "lists": lists}


def main(rows: int) -> None:
    """Both ways on the same vectors, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vectors.npy"
        np.save(file, planted(rows))
        for way in WAYS:
            subprocess.run([sys.executable, "-m", "benchmarks.data.ranges", way, str(file)], check=True)


def measured(way: str, vectors: Vectors) -> dict[str, str | float]:
    """What one way finds and takes; `digest` tells two sets of pairs apart."""
    before = _peak()
    start = time.process_time()
    pairs = WAYS[way](vectors).pairs.astype(np.uint64)
    taken = time.process_time() - start
    digest = int(np.bitwise_xor.reduce(pairs[:, 0] << np.uint64(32) | pairs[:, 1], initial=0))
    found: dict[str, str | float] = {"way": way, "rows": len(vectors), "pairs": len(pairs), "digest": f"{digest:016x}"}
    return {**found, "cpu_s": round(taken, 1), "memory_mib": _peak() - before}


def _peak() -> int:
    """Most memory that this process ever held, MiB; `getrusage` would count its parent's, too."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) >> 10


if __name__ == "__main__":
    if sys.argv[1] in WAYS:
        print(json.dumps(measured(sys.argv[1], np.load(sys.argv[2]))), flush=True)
    else:
        main(int(sys.argv[1]))
