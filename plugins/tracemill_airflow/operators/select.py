"""Select: the responses that are released."""

from __future__ import annotations

from tracemill_airflow.operators.base import StageOperator


class SelectOperator(StageOperator):
    """Chooses which verified responses of each problem are released."""

    stage_name = "select"
