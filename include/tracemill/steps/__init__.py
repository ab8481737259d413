"""The steps a recipe can name after `plan` and `ingest`. To add one: its file, an import here, its name in AnyStep."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.steps.annotate import Annotate
from tracemill.steps.cluster import Cluster
from tracemill.steps.conflicts import Conflicts
from tracemill.steps.cut import CutStep
from tracemill.steps.decontaminate import Decontaminate
from tracemill.steps.distill import Distill
from tracemill.steps.filter import Filter
from tracemill.steps.gate import Gate
from tracemill.steps.judge import JudgeResponses
from tracemill.steps.label import Label
from tracemill.steps.perplexity import Perplexity
from tracemill.steps.precheck import Precheck
from tracemill.steps.references import References
from tracemill.steps.release import Release
from tracemill.steps.reward import Reward
from tracemill.steps.rules import Rules
from tracemill.steps.score import Score
from tracemill.steps.select import Select
from tracemill.steps.sign import Sign
from tracemill.steps.unique import Unique
from tracemill.steps.verify import Verify

AnyStep = Annotated[
    Annotate
    | Cluster
    | Conflicts
    | CutStep
    | Decontaminate
    | Distill
    | Filter
    | Gate
    | JudgeResponses
    | Label
    | Perplexity
    | Precheck
    | References
    | Release
    | Reward
    | Rules
    | Score
    | Select
    | Sign
    | Unique
    | Verify,
    Field(discriminator="kind"),
]
