"""What is learned how: the hyper-parameters of a training, by default those of the papers' two stages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

# DeepDistill (arXiv 2504.17565), section 3; 2505.14464, section 3, has stage one with two epochs. A batch of stage two
# is not given there: that of stage one.
_STAGES: dict[str, dict[str, Any]] = {
    "one": {"learning_rate": 8e-5, "epochs": 1.0, "packing": True},
    "two": {"learning_rate": 8e-6, "epochs": 2.0, "packing": False},
}


def _of_stage(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda known: _STAGES[known.get("stage", "one")][name]


class Schedule(BaseModel):
    """Adam's `learning_rate` rises linearly over a share of all steps (`warm_up`) and falls as a cosine to 0.

    `stage`: whose numbers hold where nothing is said: 8e-5, one epoch, packed; 8e-6, two epochs, not packed.
    `batch`: rows of a step, or packs of rows as long as the longest text where rows are packed (best fit decreasing, so
    that none is cut). `precision`: what is computed in; the weights that are changed are float32. `seed` decides the
    order of rows in each epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    stage: Literal["one", "two"] = "one"
    learning_rate: Annotated[float, Field(gt=0)] = Field(default_factory=_of_stage("learning_rate"))
    epochs: Annotated[float, Field(gt=0)] = Field(default_factory=_of_stage("epochs"))  # how often every row is seen
    packing: bool = Field(default_factory=_of_stage("packing"))  # whether short rows share a sequence
    batch: Annotated[int, Field(ge=1)] = 64
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.05
    precision: Literal["bf16", "float32"] = "bf16"
    seed: Annotated[int, Field(ge=0)] = 0
