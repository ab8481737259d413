"""A trained network written as a Hugging Face folder for transformers and vLLM: bf16 safetensors and tokenizer."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
)

from zoo.network import EPSILON, THETA, Shape
from zoo.rewarding import ATTRIBUTES


def config(shape: Shape, end: int, pad: int) -> Qwen2Config:
    """The transformers configuration of a shape; classifiers regress (`problem_type`), so servers apply no softmax."""
    extra = {}
    if shape.labels:
        extra = {
            "problem_type": "regression",
            "id2label": dict(enumerate(ATTRIBUTES)),
            "label2id": {name: i for i, name in enumerate(ATTRIBUTES)},
        }
    return Qwen2Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
        max_position_embeddings=shape.context,
        rms_norm_eps=EPSILON,
        rope_parameters={"rope_type": "default", "rope_theta": THETA},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
        **extra,
    )


def save(weights: dict[str, Tensor], shape: Shape, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write the folder; raises RuntimeError when the weights do not fit the shape."""
    settings = config(shape, tokenizer.eos_token_id, tokenizer.pad_token_id)
    model = (Qwen2ForSequenceClassification if shape.labels else Qwen2ForCausalLM)(settings)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    if unexpected or set(missing) - {"lm_head.weight"}:
        raise RuntimeError(f"weights do not fit: missing {missing}, unexpected {unexpected}")
    model.to(torch.bfloat16).save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    if not shape.labels:
        GenerationConfig(
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=True, temperature=0.6,
            top_p=0.95,
        ).save_pretrained(folder)  # fmt: skip
