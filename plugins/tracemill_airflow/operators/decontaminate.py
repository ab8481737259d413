"""Decontaminate: no benchmark problem enters the release."""

from __future__ import annotations

from tracemill_airflow.operators.base import StageOperator


class DecontaminateOperator(StageOperator):
    """Turns away problems that a named benchmark contains, and keeps the evidence."""

    stage_name = "decontaminate"
