"""The verifiers a recipe can name. To add one: its file, an import here, and its name in AnyVerifier."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.verifiers.code import CodeVerifier
from tracemill.verifiers.direct import DirectVerifier
from tracemill.verifiers.instruction import InstructionVerifier
from tracemill.verifiers.math import MathVerifier

AnyVerifier = Annotated[CodeVerifier | DirectVerifier | InstructionVerifier | MathVerifier, Field(discriminator="kind")]
