"""Label: cheap facts about each problem."""

from __future__ import annotations

from tracemill_airflow.operators.base import StageOperator


class LabelOperator(StageOperator):
    """Labels problems with language, length and what the source says of category and difficulty."""

    stage_name = "label"
