"""What of an engine's settings changes what a model says: part of its identity, and so of every sample's key."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError

# Flags of `vllm serve` 0.32 that decide text, and the field that says the same where it is seen.
_TEXT_CHANGING = {
    "quantization": "engine.quantization",
    "kv-cache-dtype": "engine.kv_cache_dtype",
    "calculate-kv-scales": "engine.flags",
    "dtype": "engine.dtype",
    "chat-template": "engine.chat_template",
    "default-chat-template-kwargs": "sampling.chat_template_kwargs",
    "chat-template-content-format": "engine.flags",
    "hf-overrides": "engine.hf_overrides",
    "rope-scaling": "engine.hf_overrides",
    "rope-theta": "engine.hf_overrides",
    "enable-lora": "engine.lora",
    "lora-modules": "engine.lora",
    "revision": "revision",
    "code-revision": "engine.flags",
    "tokenizer": "engine.flags",
    "tokenizer-revision": "engine.flags",
    "tokenizer-mode": "engine.flags",
    "generation-config": "sampling",
    "override-generation-config": "sampling",
    "override-pooler-config": "engine.flags",
    "pooler-config": "engine.flags",
    "speculative-config": "engine.flags",
    "logits-processors": "engine.flags",
    "logits-processor-pattern": "engine.flags",
    "logprobs-mode": "engine.flags",
    "model-impl": "engine.flags",
    "seed": "sampling.seed",
    "served-model-name": "name",
}
_SHORT = {"-q": "quantization"}
_NAME = re.compile(r"--(?:no-)?([a-z0-9_-]+)")


class Engine(BaseModel):
    """Settings of the engine that change what a model says. What is at its default adds nothing to the identity.

    `chat_template` is a file and `lora` the folder of an adapter to the weights, whose content counts. `flags` go to
    `vllm serve` as they are, for settings that have no field here. `version`: refuse any other version of vLLM, and
    make it part of the identity (two versions may differ in the last bits of a logit, so in a token once in some
    thousand).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    quantization: str | None = None  # vLLM's --quantization
    kv_cache_dtype: str | None = None  # vLLM's --kv-cache-dtype
    dtype: str | None = None  # vLLM's --dtype; null: the weights' own
    chat_template: str | None = None
    hf_overrides: dict[str, Any] = {}  # keys of config.json to set otherwise
    lora: str | None = None
    flags: tuple[str, ...] = ()
    version: str | None = None

    def identity(self, resources: Resources, adapter: str | None = None) -> str:
        """What it adds to the identity of the weights: "" for all defaults. `adapter`: the digest of `lora`'s files."""
        given = self.model_dump(mode="json", exclude_defaults=True)
        if self.chat_template:
            given["chat_template"] = hashlib.sha256(_file(self.chat_template, resources).read_bytes()).hexdigest()
        if self.lora:
            given["lora"] = adapter
        if not given:
            return ""
        text = json.dumps(given, sort_keys=True, separators=(",", ":"))
        return "+" + hashlib.sha256(text.encode()).hexdigest()[:16]

    def options(self, resources: Resources) -> list[str]:
        """The flags of `vllm serve` that say the same, but for adapters (see models/sharing.py)."""
        return [
            *(("--quantization", self.quantization) if self.quantization else ()),
            *(("--kv-cache-dtype", self.kv_cache_dtype) if self.kv_cache_dtype else ()),
            *(("--dtype", self.dtype) if self.dtype else ()),
            *(("--chat-template", str(_file(self.chat_template, resources))) if self.chat_template else ()),
            *(("--hf-overrides", json.dumps(self.hf_overrides, sort_keys=True)) if self.hf_overrides else ()),
            *self.flags,
        ]


def _file(text: str, resources: Resources) -> Path:
    path = resources.path(text)
    if not path.is_file():
        raise RecipeError(f"engine.chat_template: {path} is no file; relative paths start at the recipe's folder")
    return path


def text_changing(flags: tuple[str, ...]) -> list[str]:
    """The flags among these that change what a model says, each with the field to use instead."""
    found = []
    for flag in flags:
        name = _SHORT.get(flag.split("=")[0]) or ((_NAME.match(flag) or [None, ""])[1] or "")
        known = _TEXT_CHANGING.get(name.replace("_", "-"))
        if known:
            found.append(f"{flag.split('=')[0]} (use {known})")
    return found
