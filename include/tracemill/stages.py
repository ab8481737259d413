"""The steps a recipe can name after `plan` and `ingest`. To add one: its file, an import here, its name in AnyStep."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.curate.conflicts import Conflicts
from tracemill.curate.filter import Filter
from tracemill.curate.label import Label
from tracemill.curate.precheck import Precheck
from tracemill.curate.references import References
from tracemill.decontaminate.step import Decontaminate
from tracemill.dedup.cluster import Cluster
from tracemill.dedup.sign import Sign
from tracemill.dedup.unique import Unique
from tracemill.distill.step import Distill
from tracemill.judge.annotate import Annotate
from tracemill.judge.judge import JudgeResponses
from tracemill.judge.perplexity import Perplexity
from tracemill.judge.reward import Reward
from tracemill.judge.score import Score
from tracemill.release.step import Release
from tracemill.select.cut import CutStep
from tracemill.select.gate import Gate
from tracemill.select.rules import Rules
from tracemill.select.select import Select
from tracemill.verify.step import Verify

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
