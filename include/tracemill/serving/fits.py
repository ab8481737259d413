"""Checks, before a server is started, whether a model can run on this machine's GPUs at all.

Loading 700 GB only to be told that one GPU is missing costs half an hour of eight of them.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tracemill.errors import RecipeError
from tracemill.resources import Resources
from tracemill.serving.model import Model
from tracemill.serving.weights import weight_files

_USABLE = 0.95  # of a GPU's memory, at most, for weights; vLLM itself takes 0.9 for weights and KV cache together
_WEIGHTS = {".safetensors", ".bin", ".pt", ".gguf"}


def gpu_memories(environment: dict[str, str]) -> list[int]:
    """The memory in bytes of each GPU that is seen here; [] without one (or without nvidia-smi)."""
    program = shutil.which("nvidia-smi", path=environment.get("PATH"))
    if program is None:
        return []
    query = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [int(line) << 20 for line in said.split("\n") if line.strip().isdigit()]


def require_fit(model: Model, resources: Resources) -> None:
    """Raise RecipeError when the model asks for more GPUs, or for more memory, than this node has."""
    memories = gpu_memories(dict(resources.environment))
    if not memories:
        return
    needed = model.serve.tensor_parallel * model.serve.pipeline_parallel
    if needed > len(memories):
        raise RecipeError(
            f"model {model.name!r} asks for {needed} GPUs (tensor_parallel {model.serve.tensor_parallel} x "
            f"pipeline_parallel {model.serve.pipeline_parallel}); this node has {len(memories)}. Lower them, or ask "
            "the model through an API"
        )
    size = _weight_bytes(model, resources)
    if size / needed > _USABLE * min(memories):
        raise RecipeError(
            f"model {model.name!r}: {size / 1e9:.0f} GB of weights over {needed} GPUs are {size / needed / 1e9:.0f} GB "
            f"each, and a GPU here has {min(memories) / 1e9:.0f} GB: raise serve.tensor_parallel, or take a quantised "
            "model"
        )


def _weight_bytes(model: Model, resources: Resources) -> int:
    """The size of a folder's weight files; 0 for a model of the Hub, which is not here yet."""
    if not model.is_folder:
        return 0
    folder = Path(model.location(resources))
    return sum(path.stat().st_size for path in weight_files(folder) if path.suffix in _WEIGHTS)
