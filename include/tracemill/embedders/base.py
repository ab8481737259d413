"""What an embedder is: texts in, unit vectors out; equal texts give equal vectors on every machine it supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from tracemill.resources import Resources
from tracemill.shards import canonical_digest
from tracemill.text.kernels import F32


class Embedder(BaseModel):
    """Base of every embedder: frozen settings with a `kind`. `version` is raised when its vectors change."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: ClassVar[int]

    def embed(self, texts: Sequence[str], resources: Resources) -> F32:
        """One unit row per text (an empty text may be a zero row). Raises when the model itself cannot be used."""
        raise NotImplementedError  # abstract

    def material(self) -> Mapping[str, str]:
        """Digests of the model files that the vectors depend on."""
        return {}

    def identity(self) -> str:
        """Names the space that vectors are in; vectors of different spaces must not be compared."""
        parts = {"settings": self.model_dump(mode="json"), "version": self.version, "material": dict(self.material())}
        return canonical_digest(parts)[:16]


def unit_rows(vectors: F32) -> F32:
    """The rows divided by their length; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    divided: F32 = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return divided
