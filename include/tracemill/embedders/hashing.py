"""Embeds by counting hashed words and word pairs: cheap, needs no model, for tests and for measuring scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from tracemill.embedders.base import Embedder, Thresholds, unit_rows
from tracemill.engine.resources import Resources
from tracemill.text.jit import F32, I64, U64, kernel, mixed
from tracemill.text.tokens import tokenise
from tracemill.text.vocabulary import LEXICAL


class HashingEmbedder(Embedder):
    """Signed feature hashing of distinct words into `dimensions` (Weinberger et al. 2009), four signs a word."""

    kind: Literal["hashing"]
    dimensions: Annotated[int, Field(ge=16, le=4096)] = 384
    version: ClassVar[int] = 1
    calibrated: ClassVar[Thresholds] = Thresholds(semantic=0.9, item=0.9)

    def embed(self, texts: Sequence[str], resources: Resources) -> F32:
        """One unit row of `dimensions` per text; the order of words does not count."""
        tokens = tokenise(pa.array(texts, pa.large_string())).only(LEXICAL)
        return unit_rows(_counted(tokens.hashes, tokens.offsets, self.dimensions))


@kernel
def _counted(hashes: U64, offsets: I64, dimensions: int) -> F32:
    out = np.zeros((len(offsets) - 1, dimensions), np.float32)
    for row in range(len(offsets) - 1):
        for i in range(offsets[row], offsets[row + 1]):
            value = hashes[i]
            for _ in range(4):
                value = mixed(value)
                sign = 1.0 if value & np.uint64(1) else -1.0
                out[row, (value >> np.uint64(1)) % np.uint64(dimensions)] += np.float32(sign)
    return out
