"""The teachers a recipe can name. To add one: its file, an import here, and its name in AnyTeacher."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.distill.chat import ChatTeacher
from tracemill.distill.completion import CompletionTeacher

AnyTeacher = Annotated[ChatTeacher | CompletionTeacher, Field(discriminator="kind")]
