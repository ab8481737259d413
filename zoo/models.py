"""What is trained: the shape, data, seed and budget of each model of the zoo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zoo.network import Shape
from zoo.rewarding import ATTRIBUTES

Role = Literal["teacher", "judge", "reward"]
ROOT = Path(__file__).parent / "models"
VOCABULARY = 960


@dataclass(frozen=True, slots=True)
class Spec:
    """One model. Training ends, with learning rate zero, at `tokens` or `minutes` of CPU time, whichever is first.

    A model with a `parent` starts from the exported weights of that model, which must have the same decoder shape.
    """

    name: str
    role: Role
    shape: Shape
    tokens: int
    minutes: float
    seed: int
    rows: int = 24
    length: int = 256
    muon_rate: float = 4e-3
    adam_rate: float = 3e-3
    parent: str | None = None

    @property
    def folder(self) -> Path:
        """Where the trained model is kept."""
        return ROOT / self.name


def _shape(hidden: int, layers: int, feed_forward: int, labels: int = 0) -> Shape:
    heads = hidden // 64
    return Shape(VOCABULARY, hidden, layers, heads, heads, feed_forward, labels=labels)


_TUNED: dict[str, Any] = {"rows": 12, "muon_rate": 3e-3, "adam_rate": 2e-3, "parent": "teacher-small"}
SPECS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec("teacher-large", "teacher", _shape(192, 5, 512), tokens=14_000_000, minutes=20, seed=11, rows=12),
        Spec("teacher-weak", "teacher", _shape(128, 4, 384), tokens=4_000_000, minutes=11, seed=17, rows=12),
        Spec("teacher-small", "teacher", _shape(128, 4, 384), tokens=6_000_000, minutes=6, seed=13, rows=12),
        # Goes on from its own weights, which 18 minutes on the prompts without fences had made.
        Spec(
            "judge", "judge", _shape(128, 4, 384), tokens=12_000_000, minutes=12, seed=14,
            rows=9, length=352, muon_rate=2e-3, adam_rate=1.5e-3, parent="judge",
        ),
        Spec("reward", "reward", _shape(128, 4, 384, len(ATTRIBUTES)), tokens=8_000_000, minutes=8, seed=15, **_TUNED),
    )
}  # fmt: skip
