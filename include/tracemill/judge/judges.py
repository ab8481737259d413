"""The judges a recipe can name. To add one: its file, an import here, and its name in AnyJudge."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.judge.correctness import CorrectnessJudge
from tracemill.judge.science import ScienceJudge

AnyJudge = Annotated[CorrectnessJudge | ScienceJudge, Field(discriminator="kind")]
