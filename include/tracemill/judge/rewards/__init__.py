"""The reward models a recipe can name. To add one: its file, an import here, and its name in AnyRewardModel."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.judge.rewards.local import LocalRewardModel
from tracemill.judge.rewards.served import ServedRewardModel

AnyRewardModel = Annotated[LocalRewardModel | ServedRewardModel, Field(discriminator="kind")]
