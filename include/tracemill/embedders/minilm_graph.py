"""all-MiniLM-L6-v2 as an OpenVINO graph, built from its weights: no torch at run time, bf16 where the CPU has it.

BERT (Devlin et al. 2019) with 6 layers, 12 heads of 32, and the mean over the text's tokens, as the model card says.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADS = 12
HEAD_WIDTH = 32
LAYERS = 6
EPSILON = 1e-12
Weights = Mapping[str, NDArray[np.float32]]


def built_model(folder: Path) -> Any:
    """An openvino.Model of the weights in that folder: input_ids and attention_mask [n, length] → float32 [n, 384]."""
    import openvino as ov
    from openvino import opset13 as op
    from safetensors.numpy import load_file

    weights = {name.removeprefix("bert."): value for name, value in load_file(folder / "model.safetensors").items()}
    ids, mask = (op.parameter([-1, -1], np.int64, name=name) for name in ("input_ids", "attention_mask"))
    hidden = _embedded(op, weights, ids)
    present = op.convert(mask, "f32")
    barred = op.multiply(
        op.subtract(present, _constant(op, 1.0)), _constant(op, 1e4)
    )  # 0 for tokens, -10000 for padding
    barred = op.unsqueeze(barred, op.constant(np.array([1, 2], np.int64)))
    for layer in range(LAYERS):
        hidden = _layer(op, weights, f"encoder.layer.{layer}.", hidden, barred)
    weight = op.unsqueeze(present, op.constant(np.int64(2)))
    total = op.reduce_sum(op.multiply(hidden, weight), op.constant(np.int64(1)))
    return ov.Model([op.divide(total, op.reduce_sum(weight, op.constant(np.int64(1))))], [ids, mask], "minilm")


def _constant(op: Any, value: NDArray[np.float32] | float) -> Any:
    return op.constant(np.asarray(value, np.float32))


def _embedded(op: Any, weights: Weights, ids: Any) -> Any:
    words = op.gather(_constant(op, weights["embeddings.word_embeddings.weight"]), ids, op.constant(np.int64(0)))
    length = op.gather(op.shape_of(ids), op.constant(np.int64(1)), op.constant(np.int64(0)))
    places = op.range(op.constant(np.int64(0)), length, op.constant(np.int64(1)), "i64")
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    summed = op.add(words, op.gather(_constant(op, positions), places, op.constant(np.int64(0))))
    return _normed(op, weights, "embeddings.LayerNorm", summed)


def _normed(op: Any, weights: Weights, name: str, hidden: Any) -> Any:
    scaled = op.mvn(hidden, op.constant(np.array([-1], np.int64)), True, EPSILON, "INSIDE_SQRT")
    scaled = op.multiply(scaled, _constant(op, weights[f"{name}.weight"]))
    return op.add(scaled, _constant(op, weights[f"{name}.bias"]))


def _dense(op: Any, weights: Weights, name: str, hidden: Any) -> Any:
    product = op.matmul(hidden, _constant(op, weights[f"{name}.weight"]), False, True)
    return op.add(product, _constant(op, weights[f"{name}.bias"]))


def _heads(op: Any, hidden: Any) -> Any:
    """[n, length, 384] → [n, heads, length, 32]."""
    split = op.reshape(hidden, op.constant(np.array([0, 0, HEADS, HEAD_WIDTH], np.int64)), True)
    return op.transpose(split, op.constant(np.array([0, 2, 1, 3], np.int64)))


def _layer(op: Any, weights: Weights, name: str, hidden: Any, barred: Any) -> Any:
    query, key, value = (
        _heads(op, _dense(op, weights, f"{name}attention.self.{part}", hidden)) for part in ("query", "key", "value")
    )
    mixed = op.scaled_dot_product_attention(query, key, value, barred)
    mixed = op.transpose(mixed, op.constant(np.array([0, 2, 1, 3], np.int64)))
    mixed = op.reshape(mixed, op.constant(np.array([0, 0, HEADS * HEAD_WIDTH], np.int64)), True)
    mixed = op.add(_dense(op, weights, f"{name}attention.output.dense", mixed), hidden)
    attended = _normed(op, weights, f"{name}attention.output.LayerNorm", mixed)
    wide = op.gelu(_dense(op, weights, f"{name}intermediate.dense", attended), "erf")
    narrow = op.add(_dense(op, weights, f"{name}output.dense", wide), attended)
    return _normed(op, weights, f"{name}output.LayerNorm", narrow)
