"""Verification: maths by symbolic comparison, code by running it in the sandbox, instructions by IFEval's checks. An
operator each, so that each can have its own pool, queue and machine.
"""

from __future__ import annotations

from tracemill_airflow.operators.base import StageOperator


class VerifyMathOperator(StageOperator):
    """Compares final answers with the reference answers."""

    stage_name = "verify_math"


class VerifyCodeOperator(StageOperator):
    """Runs programs against their tests in the sandbox."""

    stage_name = "verify_code"


class VerifyInstructionsOperator(StageOperator):
    """Checks whether responses follow the instructions of their prompts."""

    stage_name = "verify_instructions"
