"""Says which models one server serves: LoRA adapters of one base, and the base itself, are one engine's work.

An adapter is a model with `engine.lora`. What it says depends on base and adapter, whose digests are both in its
identity; who else is served by the same engine does not, so that is in no fingerprint.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.model import Model

_RANKS = (16, 32, 64, 128, 256, 320, 512)  # what vLLM 0.32 takes as --max-lora-rank, from its default on
_CLIENTS = {"concurrency", "silence", "patience", "price"}  # settings of `serve` that start no other server


def families(models: Iterable[Model]) -> list[tuple[Model, ...]]:
    """The models by the server that serves them, in the order in which the first of each is named.

    Adapters that have one base, whose engine is set and run alike, are a family, with that base itself if it is among
    the models. Every other model is alone.
    """
    listed = list(models)
    groups: dict[str, list[Model]] = {}
    for model in listed:
        groups.setdefault(_base(model) if model.task == "generate" else model.name, []).append(model)
    adapted = [tuple(group) for group in groups.values() if any(model.engine.lora for model in group)]
    alone = [(model,) for group in groups.values() for model in group if not any(one.engine.lora for one in group)]
    return sorted([*adapted, *alone], key=lambda family: listed.index(family[0]))


def lora_options(family: Sequence[Model], resources: Resources) -> list[str]:
    """The flags of `vllm serve` for the adapters of a family, each under its model's name; none where there is none.

    Raises RecipeError for a folder that holds no adapter, or one that vLLM has no room for.
    """
    folders = {model.name: adapter_folder(model, resources) for model in family if model.engine.lora}
    if not folders:
        return []
    rank = max(adapter_rank(name, folder) for name, folder in folders.items())
    modules = [f"{name}={folder}" for name, folder in folders.items()]
    room = ["--max-loras", str(len(folders)), "--max-lora-rank", str(next(r for r in _RANKS if r >= rank))]
    return ["--enable-lora", *room, "--lora-modules", *modules]


def served_names(family: Sequence[Model]) -> list[str]:
    """What a family's base is called at its server; a base that nobody asks gets a name that no model has."""
    return [model.name for model in family if not model.engine.lora] or [f"{family[0].name}-base"]


def adapter_folder(model: Model, resources: Resources) -> Path:
    """The folder of a model's adapter. Raises RecipeError when it holds none."""
    folder = resources.path(model.engine.lora or "").resolve()
    if not (folder / "adapter_config.json").is_file():
        raise RecipeError(
            f"model {model.name!r}: engine.lora: {folder} holds no adapter (adapter_config.json is missing); relative "
            "paths start at the recipe's folder"
        )
    return folder


def adapter_rank(name: str, folder: Path) -> int:
    """The largest rank in an adapter's own settings, as PEFT writes them. Raises RecipeError for one beyond vLLM's."""
    try:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        rank = max(int(config["r"]), *map(int, (config.get("rank_pattern") or {}).values()), 1)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecipeError(
            f"model {name!r}: {folder}/adapter_config.json is no adapter's ({type(error).__name__}: {error})"
        ) from error
    if rank > _RANKS[-1]:
        raise RecipeError(
            f"model {name!r}: the adapter in {folder} has rank {rank}, and vLLM serves none beyond {_RANKS[-1]}: merge "
            "it into its base, and name that as `weights`"
        )
    return rank


def _base(model: Model) -> str:
    """What two models must have in common to be one server's."""
    said: dict[str, Any] = model.model_dump(mode="json", exclude={"name": True, "engine": {"lora"}, "serve": _CLIENTS})
    return json.dumps(said, sort_keys=True)
