"""The steps a recipe can name after `plan` and `ingest`. To add one: its file, an import here, its name in AnyStep."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.steps.cluster import Cluster
from tracemill.steps.decontaminate import Decontaminate
from tracemill.steps.label import Label
from tracemill.steps.release import Release
from tracemill.steps.rules import Rules
from tracemill.steps.select import Select
from tracemill.steps.sign import Sign
from tracemill.steps.unique import Unique
from tracemill.steps.verify import Verify

AnyStep = Annotated[
    Cluster | Decontaminate | Label | Release | Rules | Select | Sign | Unique | Verify, Field(discriminator="kind")
]
