"""One optimiser step on float32 master weights of a network: Muon for the matrices, AdamW for the rest."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

WARM_UP = 0.02
CLIP = 1.0


def schedule(progress: float) -> float:
    """The share of the peak learning rate: linear warm-up over 2 % of the training, then linear decay to zero."""
    if progress < WARM_UP:
        return max(progress / WARM_UP, 0.02)
    return max((1.0 - progress) / (1.0 - WARM_UP), 0.0)


class Masters:
    """Float32 copies of a network's parameters and their optimisers; `step` reads gradients and writes weights."""

    def __init__(self, network: nn.Module, muon_rate: float, adam_rate: float) -> None:
        self.parameters = dict(network.named_parameters())
        self.weights = {name: p.detach().float().clone() for name, p in self.parameters.items()}
        matrices = [w for name, w in self.weights.items() if w.dim() == 2 and "layers" in name]
        others = [w for name, w in self.weights.items() if not (w.dim() == 2 and "layers" in name)]
        self.peaks = (muon_rate, adam_rate)
        self.optimisers: tuple[torch.optim.Optimizer, torch.optim.Optimizer] = (
            torch.optim.Muon(matrices, lr=muon_rate, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=adam_rate, betas=(0.9, 0.95), weight_decay=0.0),
        )

    def step(self, share: float) -> None:
        """Apply the gradients at `share` of the peak rates, and clear them."""
        for name, parameter in self.parameters.items():
            if parameter.grad is not None:
                self.weights[name].grad = parameter.grad.float()
                parameter.grad = None
        nn.utils.clip_grad_norm_(list(self.weights.values()), CLIP)
        for optimiser, peak in zip(self.optimisers, self.peaks, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = peak * share
            optimiser.step()
        self.publish()

    def publish(self) -> None:
        """Copy the master weights into the network."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(self.weights[name])

    def state(self) -> dict[str, Any]:
        """Everything a resumed training needs."""
        return {"weights": self.weights, "optimisers": [o.state_dict() for o in self.optimisers]}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""
        weights: dict[str, Tensor] = state["weights"]
        for name, weight in self.weights.items():
            weight.copy_(weights[name])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.publish()
