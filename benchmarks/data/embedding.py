"""Measures the MiniLM embedder against `SentenceTransformer.encode` as it comes, on the same texts and one thread."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from tracemill.embedders.minilm import MiniLMEmbedder, model_folder
from tracemill.engine.resources import Resources


def measured(texts: Sequence[str], threshold: float = 0.9) -> dict[str, float]:
    """Texts per CPU second of both, their ratio, and how far vectors and the decisions at the threshold lie apart."""
    one = Resources(workers=1)
    embedder = MiniLMEmbedder(kind="minilm")
    embedder.embed(texts[:8], one)  # built before the clock starts
    start = time.process_time()
    ours = embedder.embed(texts, one)
    rate = len(texts) / (time.process_time() - start)
    torch.set_num_threads(1)
    reference = SentenceTransformer(str(model_folder()), device="cpu", local_files_only=True)
    reference.encode(list(texts[:8]), show_progress_bar=False)
    start = time.process_time()
    theirs = np.asarray(reference.encode(list(texts), show_progress_bar=False), np.float32)
    reference_rate = len(texts) / (time.process_time() - start)
    upper = np.triu_indices(len(texts), 1)
    mine, other = (ours @ ours.T)[upper], (theirs @ theirs.T)[upper]
    return {
        "embedded_per_cpu_s": rate,
        "default_encode_per_cpu_s": reference_rate,
        "embedding_vs_default": rate / reference_rate,
        "largest_cosine_error": float(np.abs(mine - other).max()),
        "decisions_changed": int(((mine >= threshold) != (other >= threshold)).sum()),
        "pairs_near_threshold": int((np.abs(other - threshold) < 0.01).sum()),
    }
