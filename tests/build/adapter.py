"""Small LoRA adapters, written as PEFT writes them; no trainer is needed for a few random numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

TARGETS = ("q_proj", "v_proj")


def adapter(folder: Path, rank: int = 8, base: Path | None = None, strength: float = 1.0, seed: int = 0) -> Path:
    """An adapter of that rank to the attention of the model in `base` (by its config.json; else settings alone).

    With a `strength` of 0 it changes nothing.
    """
    folder.mkdir(parents=True)
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": rank, "target_modules": TARGETS}
    (folder / "adapter_config.json").write_text(json.dumps({**config, "bias": "none", "lora_dropout": 0.0}))
    if base is None:
        return folder
    made = json.loads((base / "config.json").read_text())
    width = made["hidden_size"]
    head = width // made["num_attention_heads"]
    heads = {"q_proj": made["num_attention_heads"], "v_proj": made["num_key_value_heads"]}
    random = np.random.default_rng(seed)
    tensors = {}
    for layer in range(made["num_hidden_layers"]):
        for target in TARGETS:
            place = f"base_model.model.model.layers.{layer}.self_attn.{target}"
            into = random.standard_normal((rank, width)).astype(np.float32) / np.sqrt(width)
            out = random.standard_normal((heads[target] * head, rank)).astype(np.float32)
            tensors |= {f"{place}.lora_A.weight": into, f"{place}.lora_B.weight": strength * out}
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder
