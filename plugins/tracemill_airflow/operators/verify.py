"""Verification: maths by symbolic comparison, code by running it in the sandbox, instructions by IFEval's checks. An
operator each, so that each can have its own pool, queue and machine.
"""

from __future__ import annotations

from typing import Any

from tracemill_airflow.operators.base import StageOperator
from tracemill_airflow.queues import SANDBOX


class VerifyMathOperator(StageOperator):
    """Compares final answers with the reference answers."""

    stage_name = "verify_math"


class VerifyCodeOperator(StageOperator):
    """Runs programs against their tests in the sandbox, on the worker that has one."""

    stage_name = "verify_code"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"queue": SANDBOX, **kwargs})


class VerifyInstructionsOperator(StageOperator):
    """Checks whether responses follow the instructions of their prompts."""

    stage_name = "verify_instructions"
