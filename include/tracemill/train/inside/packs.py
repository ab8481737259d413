"""Tries whether a model keeps the rows of a pack apart: attention does by their positions, other layers may not.

A layer that carries a state along (Mamba, linear attention, short convolutions), and a model that counts positions by
itself (OPT) or measures distances alone (MPT), take a pack for one text, without a word: each row but the first would
be learned behind another.
"""

from __future__ import annotations

from typing import Any

import torch

_ROW = 32  # tokens of each of the two rows that are tried
_EXACT = 3e-5  # relative; what is not seen makes no difference at all, but for sums in another order
_ROUGH = 2e-2  # the same of bfloat16 where experts are given other rows beside, and may add up otherwise
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")


def keeps_apart(model: Any, config: Any, ids: torch.Tensor, short: bool) -> bool:
    """Whether what the model says of a row stays as it is when another row is before it in the pack.

    `ids`: tokens that the model knows, on its device; of fewer than four nothing can be told. `short`: it computes in
    bfloat16. Random numbers are as before. All processes that share the model must call it.
    """
    tokens = ids.flatten()[: 2 * _ROW]
    half = len(tokens) // 2
    if half < 2:
        return True
    before, row = tokens[:half], tokens[half : 2 * half]
    known, said = (_said_of_second(model, first, row) for first in (before, _others(before)))
    noise = _ROUGH if short and any(getattr(config, name, None) for name in _EXPERTS) else _EXACT
    return bool((known - said).abs().max() <= noise * known.abs().max())


def _others(tokens: torch.Tensor) -> torch.Tensor:
    """Other tokens in each place."""
    return torch.where(tokens > 0, tokens - 1, tokens + 1)


def _said_of_second(model: Any, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    positions = torch.arange(len(first), device=first.device).repeat(2)
    devices = [first.device] if first.device.type == "cuda" else []
    with torch.no_grad(), torch.random.fork_rng(devices):
        torch.manual_seed(0)  # what drops out must be the same of both
        made = model(input_ids=torch.cat([first, second])[None], position_ids=positions[None], use_cache=False)
    logits: torch.Tensor = made.logits[0, len(first) :]
    return logits.float()
