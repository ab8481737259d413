"""A student is written in the numbers of its base, whatever the trainer left: weights, index and config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tracemill.train.inside.written import as_the_base

WEIGHTS = {"a": torch.tensor([1.0, 1 / 3]), "n": torch.tensor([3, 4]), "b": torch.tensor([[2.5]])}


def student(folder: Path) -> Path:
    """Two files of float32 weights with their index, as the trainer leaves them."""
    names = {"a": "model-00001-of-00002.safetensors", "n": "model-00001-of-00002.safetensors"}
    names["b"] = "model-00002-of-00002.safetensors"
    for file in set(names.values()):
        save_file({k: v for k, v in WEIGHTS.items() if names[k] == file}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {"total_size": 28, "total_parameters": 5}, "weight_map": names}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text(json.dumps({"dtype": "float32", "use_cache": False, "eos_token_id": 7}))
    return folder


@pytest.mark.parametrize(
    ("base", "kind", "said"),
    [
        ({"dtype": "bfloat16", "use_cache": True}, torch.bfloat16, {"dtype": "bfloat16", "use_cache": True}),
        ({"torch_dtype": "float16"}, torch.float16, {"dtype": "float16"}),
        ({"dtype": "float32", "use_cache": True}, torch.float32, {"dtype": "float32", "use_cache": True}),
        ({}, torch.float32, {"dtype": "float32"}),
    ],
)
def test_weights_are_rounded_to_the_numbers_of_the_base(
    base: dict[str, Any], kind: torch.dtype, said: dict[str, Any], tmp_path: Path
) -> None:
    """Trap: a student of bfloat16 weights that is twice as large is refused by the GPUs that hold its base."""
    folder = student(tmp_path)
    as_the_base(folder, base)
    made = {k: v for file in sorted(folder.glob("*.safetensors")) for k, v in load_file(file).items()}
    assert {k: v.tolist() for k, v in made.items()} == {k: v.tolist() for k, v in (_as(kind)).items()}
    assert (made["a"].dtype, made["n"].dtype) == (kind, torch.int64)
    assert json.loads((folder / "config.json").read_text()) == {**said, "eos_token_id": 7}
    known = json.loads((folder / "model.safetensors.index.json").read_text())
    assert known["metadata"] == {"total_size": 16 + 3 * (4 if kind == torch.float32 else 2), "total_parameters": 5}
    with safe_open(next(iter(folder.glob("*.safetensors"))), framework="pt") as file:
        assert file.metadata() == {"format": "pt"}


def _as(kind: torch.dtype) -> dict[str, torch.Tensor]:
    return {k: v.to(kind) if v.dtype == torch.float32 else v for k, v in WEIGHTS.items()}
