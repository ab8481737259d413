"""Looks, before anything is started, whether weights, tokenizer and machine can do what a training asks of them."""

from __future__ import annotations

import json
from pathlib import Path

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.fits import gpu_memories
from tracemill.train.inside.job import Job
from tracemill.train.launch import Launch

_TOKENIZER = "tokenizer.json"
_SHOWN = 3  # tokens that are named


def require_possible(job: Job, launch: Launch, resources: Resources) -> None:
    """Raise RecipeError for rows longer than the weights' own config.json says, for a tokenizer that numbers tokens
    otherwise than the weights' own, and for GPUs that are not here.
    """
    path = Path(job.base) / "config.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    of_texts = known.get("text_config") or {}  # models that see pictures, too, have their texts' own there
    reach = known.get("max_position_embeddings", of_texts.get("max_position_embeddings"))
    if isinstance(reach, int) and job.max_length is not None and reach < job.max_length:
        raise RecipeError(
            f"rows may be {job.max_length:,} tokens long by the proof's max_length, and the model in {job.base} "
            f"reaches {reach:,}: lower max_length, or take another base"
        )
    _require_same_numbers(Path(job.base) / _TOKENIZER, Path(job.tokenizer) / _TOKENIZER)
    here = len(gpu_memories(dict(resources.environment))) if launch.gpus else 0
    if here < launch.gpus:
        raise RecipeError(
            f"the recipe trains on {launch.gpus} GPUs and nvidia-smi shows {here} here: lower launch.gpus, or train "
            "where they are"
        )


def _require_same_numbers(own: Path, proved: Path) -> None:
    """What a token is called decides nothing, but its number does: weights know tokens by that alone."""
    if not own.is_file() or not proved.is_file():
        return
    known = _numbers(own)
    given = _numbers(proved)
    other = [token for token, number in given.items() if known.get(token, number) != number]
    if other or not known.keys() & given.keys():
        such = f" (such as {', '.join(map(repr, other[:_SHOWN]))})" if other else ""
        raise RecipeError(
            f"the tokenizer that rows were proved with is not that of the model in {own.parent}: {len(other):,} of its "
            f"{len(given):,} tokens have other numbers there{such}. Prove with the model's own"
        )


def _numbers(path: Path) -> dict[str, int]:
    """The number of each token of a tokenizer.json. Raises RecipeError for a file that is none."""
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        known = made["model"]["vocab"]
        named = known if isinstance(known, dict) else {piece: number for number, (piece, _) in enumerate(known)}
        return {**named, **{token["content"]: token["id"] for token in made.get("added_tokens") or ()}}
    except (ValueError, KeyError, TypeError) as error:
        raise RecipeError(f"{path} is no tokenizer that can be read: {type(error).__name__}: {error}") from error
