"""Rule checks: the shape of a response."""

from __future__ import annotations

from tracemill_airflow.operators.base import StageOperator


class RuleCheckOperator(StageOperator):
    """Turns away responses that break the format rules: template, blank parts, repetition, truncation."""

    stage_name = "rules"
