"""Checks, before a server is started, whether a model can run as the recipe says, and on this machine's GPUs at all.

Loading 700 GB only to be told that one GPU is missing costs half an hour of eight of them; and what config.json alone
tells need not wait until the stage before has run for a day.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.model import Model
from tracemill.models.weights import weight_files

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


def require_possible(model: Model, tokens: Iterable[int], resources: Resources) -> None:
    """Raise RecipeError when the model's own config.json says that it cannot be served so, or cannot answer so long.

    `tokens`: the lengths of answers that the recipe allows, in tokens. Nothing is checked of a model of the Hub.
    """
    if not model.is_folder or model.api:
        return
    config = _config(Path(model.location(resources)))
    heads = config.get("num_attention_heads")
    parallel = model.serve.tensor_parallel
    if isinstance(heads, int) and heads % parallel:
        raise RecipeError(
            f"model {model.name!r} has {heads} attention heads, which serve.tensor_parallel {parallel} does not "
            "divide: take a divisor of their number"
        )
    longest = _context(config)
    given = model.serve.max_model_len
    if longest and given and given > longest and not model.engine.hf_overrides:
        raise RecipeError(
            f"model {model.name!r}: serve.max_model_len {given} is longer than the {longest} tokens that it was made "
            "for: lower it, or say in engine.hf_overrides how its positions are scaled"
        )
    context = given or longest
    asked = max(tokens, default=0)
    if context and asked > context:
        raise RecipeError(
            f"model {model.name!r}: answers of {asked} tokens do not fit into its context of {context}: lower "
            "sampling.max_tokens (or continue_to), or raise serve.max_model_len"
        )


def _config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{folder}/config.json cannot be read ({error}): fetch the model's files again") from error
    inner = found.get("text_config") if isinstance(found, dict) else None
    return {**found, **(inner if isinstance(inner, dict) else {})} if isinstance(found, dict) else {}


def _context(config: Mapping[str, Any]) -> int | None:
    """The most tokens that a model takes, prompt and answer; generous where positions are scaled."""
    positions = config.get("max_position_embeddings")
    scaling = config.get("rope_scaling")
    if not isinstance(positions, int):
        return None
    factor = scaling.get("factor") if isinstance(scaling, dict) else None
    return int(positions * max(1.0, factor)) if isinstance(factor, int | float) else positions


def _weight_bytes(model: Model, resources: Resources) -> int:
    """The size of a folder's weight files; 0 for a model of the Hub, which is not here yet."""
    if not model.is_folder:
        return 0
    folder = Path(model.location(resources))
    return sum(path.stat().st_size for path in weight_files(folder) if path.suffix in _WEIGHTS)
