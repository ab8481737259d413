"""The sources a recipe can name. To add one: its file, an import here, and its name in AnySource."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.sources.demo import DemoSource
from tracemill.sources.jsonl import JsonlSource

AnySource = Annotated[DemoSource | JsonlSource, Field(discriminator="kind")]
