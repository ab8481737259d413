"""Looks, before anything is started, whether weights and this machine can do what a training asks of them."""

from __future__ import annotations

import json
from pathlib import Path

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.fits import gpu_memories
from tracemill.train.inside.job import Job
from tracemill.train.launch import Launch


def require_possible(job: Job, launch: Launch, resources: Resources) -> None:
    """Raise RecipeError for rows longer than the weights' own config.json says, and for GPUs that are not here."""
    path = Path(job.base) / "config.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    reach = known.get("max_position_embeddings")
    if isinstance(reach, int) and job.max_length is not None and reach < job.max_length:
        raise RecipeError(
            f"rows may be {job.max_length:,} tokens long by the proof's max_length, and the model in {job.base} "
            f"reaches {reach:,}: lower max_length, or take another base"
        )
    here = len(gpu_memories(dict(resources.environment))) if launch.gpus else 0
    if here < launch.gpus:
        raise RecipeError(
            f"the recipe trains on {launch.gpus} GPUs and nvidia-smi shows {here} here: lower launch.gpus, or train "
            "where they are"
        )
