"""The steps a recipe can name after `plan` and `ingest`. To add one: its file, an import here, its name in AnyStep."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.steps.release import Release
from tracemill.steps.select import Select
from tracemill.steps.verify import Verify

AnyStep = Annotated[Release | Select | Verify, Field(discriminator="kind")]
