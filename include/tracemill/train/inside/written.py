"""Writes a student's weights and config as its base has them, so that it takes no more room and is served alike.

Weights are changed in float32 and the trainer shuts the cache off. Left so, a student of bfloat16 weights were twice as
large, refused by GPUs that hold its base, and answered without a cache where a reader goes by its config.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

_CONFIG = "config.json"
_INDEX = "model.safetensors.index.json"
_KINDS = {"bfloat16": torch.bfloat16, "float16": torch.float16}
_KEPT = ("use_cache",)  # of the base's config


def as_the_base(folder: Path, base: Mapping[str, Any]) -> None:
    """Round the weights of a student's folder to the numbers of its base, whose config.json says `base`, file by file.

    A base that says nothing, or float32, leaves the weights as they are.
    """
    path = folder / _CONFIG
    own = json.loads(path.read_text(encoding="utf-8"))
    kind = base.get("dtype") or base.get("torch_dtype")
    kept = {name: base[name] for name in _KEPT if name in base}
    if kind in _KINDS:
        size = sum(_rounded(file, _KINDS[kind]) for file in sorted(folder.glob("*.safetensors")))
        _tell_size(folder / _INDEX, size)
        kept["dtype"] = kind
    unset = [name for name in _KEPT if name not in base]
    made = {name: value for name, value in {**own, **kept}.items() if name not in unset}
    path.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def _rounded(path: Path, kind: torch.dtype) -> int:
    """Write one file of weights anew; how many bytes of weights it has."""
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    made = {name: one.to(kind) if one.dtype == torch.float32 else one for name, one in weights.items()}
    part = path.with_suffix(".part")  # what was read may still lie in the file itself
    save_file(made, part, metadata=about)
    part.replace(path)
    return sum(one.numel() * one.element_size() for one in made.values())


def _tell_size(index: Path, size: int) -> None:
    if not index.is_file():
        return
    known = json.loads(index.read_text(encoding="utf-8"))
    known.setdefault("metadata", {})["total_size"] = size
    index.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
