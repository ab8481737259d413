"""The sources a recipe can name. To add one: its file, an import here, and its name in AnySource."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.sources.aime import AimeSource
from tracemill.sources.demo import DemoSource
from tracemill.sources.gsm8k import Gsm8kSource
from tracemill.sources.humaneval import HumanevalSource
from tracemill.sources.jsonl import JsonlSource
from tracemill.sources.kodcode import KodcodeSource
from tracemill.sources.math_cot import MathCotSource

AnySource = Annotated[
    AimeSource | DemoSource | Gsm8kSource | HumanevalSource | JsonlSource | KodcodeSource | MathCotSource,
    Field(discriminator="kind"),
]
