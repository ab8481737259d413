"""The verifiers a recipe can name. To add one: its file, an import here, and its name in AnyVerifier."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.verify.code import CodeVerifier
from tracemill.verify.human_eval import DirectVerifier
from tracemill.verify.instructions.verifier import InstructionVerifier
from tracemill.verify.math.verifier import MathVerifier

AnyVerifier = Annotated[CodeVerifier | DirectVerifier | InstructionVerifier | MathVerifier, Field(discriminator="kind")]
