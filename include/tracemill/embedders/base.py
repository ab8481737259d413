"""What an embedder is: texts in, unit vectors out; equal texts give equal vectors on every machine it supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.engine.resources import Resources
from tracemill.engine.store import canonical_digest
from tracemill.text.jit import F32


class Thresholds(BaseModel):
    """From which cosine two texts are compared further: `semantic` in one language, `across` two (null: never); and

    `item`: from which a problem gives a benchmark's item away by its cosine alone.
    They belong to the embedder: 0.9 is a near-copy in one space and any two questions on one matter in another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    semantic: Annotated[float, Field(gt=0, le=1)]
    across: Annotated[float, Field(gt=0, le=1)] | None = None
    item: Annotated[float, Field(gt=0, le=1)] | None = None


class Embedder(BaseModel):
    """Base of every embedder: frozen settings with a `kind`. `version` is raised when its vectors change."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: str
    thresholds: Thresholds | None = None
    version: ClassVar[int]
    calibrated: ClassVar[Thresholds | None] = None

    @model_validator(mode="after")
    def _has_thresholds(self) -> Self:
        if self.thresholds is None and self.calibrated is None:
            raise ValueError(
                f"nobody has calibrated the embedder '{self.kind}' with this model: give thresholds, "
                "such as {semantic: 0.85, item: 0.95}, and say across: 0.8 if it knows several languages"
            )
        return self

    def limits(self) -> Thresholds:
        """The thresholds of the recipe, else those that were measured for this embedder."""
        limits = self.thresholds or self.calibrated
        assert limits is not None, "validated"
        if limits.item is None and self.calibrated is not None:
            return limits.model_copy(update={"item": self.calibrated.item})
        return limits

    def embed(self, texts: Sequence[str], resources: Resources) -> F32:
        """One unit row per text (an empty text may be a zero row). Raises when the model itself cannot be used."""
        raise NotImplementedError  # abstract

    def material(self) -> Mapping[str, str]:
        """Digests of the model files that the vectors depend on."""
        return {}

    def space(self) -> dict[str, Any]:
        """The settings that vectors depend on."""
        return self.model_dump(mode="json", exclude={"thresholds"})

    def identity(self) -> str:
        """Names the space that vectors are in; vectors of different spaces must not be compared."""
        parts = {"settings": self.space(), "version": self.version, "material": dict(self.material())}
        return canonical_digest(parts)[:16]


def unit_rows(vectors: F32) -> F32:
    """The rows divided by their length; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    divided: F32 = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return divided
