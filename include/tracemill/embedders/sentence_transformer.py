"""Embeds with any model of sentence-transformers, from a folder or pinned on the Hub; on the GPU where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr, model_validator

from tracemill.embedders.base import Embedder, unit_rows
from tracemill.engine.processors import processors
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.weights import folder_digest
from tracemill.text.jit import F32

_FOLDER_STARTS = ("/", "./", "../")


class SentenceTransformerEmbedder(Embedder):
    """`model` is a folder (starting with /, ./ or ../; relative ones start at the recipe's folder) or an id on the Hub,

    which needs a `revision`. The papers use BAAI/bge-m3. `prefix` is put before every text, as some models want.
    `characters`: of one batch, whose texts are of like length. Needs `thresholds`: they belong to a model.
    """

    kind: Literal["sentence_transformer"]
    model: str
    revision: str | None = None
    prefix: str = ""
    max_tokens: Annotated[int, Field(ge=8)] | None = None  # longer texts are cut there; null: where the model does
    characters: Annotated[int, Field(ge=256)] = 65536
    version: ClassVar[int] = 1
    _base: Path = PrivateAttr(Path())

    def model_post_init(self, context: Any) -> None:
        """Take the recipe's folder, where relative paths start, from what the recipe is validated with."""
        folder = (context or {}).get("folder")
        self._base = Path(folder) if folder else Path()

    @model_validator(mode="after")
    def _is_pinned(self) -> Self:
        if not self.model.startswith(_FOLDER_STARTS) and not self.revision:
            raise ValueError(
                f"{self.model!r} is a Hub id: pin its revision (a commit), or start a folder's path with ./ or /"
            )
        return self

    def embed(self, texts: Sequence[str], resources: Resources) -> F32:
        """One unit row per text, in half precision on a GPU. Raises RecipeError when there is no such model."""
        model = _loaded(self._place(), self.revision, self.max_tokens)
        out = np.zeros((len(texts), int(model.get_sentence_embedding_dimension() or 0)), np.float32)
        for rows in self._batches(texts):
            batch = [self.prefix + texts[row] for row in rows]
            found = model.encode(batch, batch_size=len(batch), convert_to_numpy=True, show_progress_bar=False)
            out[rows] = np.asarray(found, np.float32)
        return unit_rows(out)

    def _batches(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """Rows of like length, the longest first: what does not fit into memory fails at once."""
        batch: list[int] = []
        for row in sorted(range(len(texts)), key=lambda row: -len(texts[row])):
            if batch and len(texts[batch[0]]) * (len(batch) + 1) > self.characters:
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def material(self) -> Mapping[str, str]:
        """The digest of a folder's files; a pinned model of the Hub is named by its settings."""
        if not self.model.startswith(_FOLDER_STARTS):
            return {}
        return {"model": _digest(_folder(self._place()))}

    def _place(self) -> str:
        """The folder's path from the recipe's folder on, or the id on the Hub."""
        return str((self._base / self.model).resolve()) if self.model.startswith(_FOLDER_STARTS) else self.model

    def space(self) -> dict[str, Any]:
        """Neither where a folder lies nor which texts share a batch changes the space."""
        settings = super().space()
        del settings["characters"]
        return settings | ({"model": "folder"} if self.model.startswith(_FOLDER_STARTS) else {})


def _folder(model: str) -> Path:
    folder = Path(model).resolve()
    if not (folder / "config.json").is_file():
        raise RecipeError(f"embedder: {folder} holds no model (config.json is missing): check `model`")
    return folder


@lru_cache(maxsize=4)
def _digest(folder: Path) -> str:
    return folder_digest(folder)


@lru_cache(maxsize=1)
def _loaded(model: str, revision: str | None, max_tokens: int | None) -> Any:
    """The model on its device, kept for the next shard of this process."""
    import torch
    from sentence_transformers import SentenceTransformer

    place = str(_folder(model)) if Path(model).is_absolute() else model
    try:
        loaded = SentenceTransformer(place, revision=revision, device=device(), trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise RecipeError(f"embedder: {model} cannot be loaded by sentence-transformers: {error}") from error
    torch.set_num_threads(processors())  # it counts the machine's, of which a container may use two
    if max_tokens is not None:
        loaded.max_seq_length = max_tokens
    return loaded.half() if loaded.device.type == "cuda" else loaded.to(torch.float32)


def device() -> str:
    """Where models run: the GPU if torch sees one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
