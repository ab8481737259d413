"""Stages about the problems themselves: text filters, and problems whose answers are in dispute."""

from __future__ import annotations

from typing import Any

from tracemill_airflow.operators.base import StageOperator
from tracemill_airflow.queues import SANDBOX


class FilterOperator(StageOperator):
    """Turns away problems whose text is no usable question: empty, broken, links, tables."""

    stage_name = "filter"


class ReferencesOperator(StageOperator):
    """Compares the reference answers that different rows give for one problem, over all shards."""

    stage_name = "references"


class ConflictsOperator(StageOperator):
    """Sets aside problems whose reference answers, or whose teachers and reference, disagree."""

    stage_name = "conflicts"


class PrecheckOperator(StageOperator):
    """Sets aside problems that no response could be shown to solve, before a teacher is asked."""

    stage_name = "precheck"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"queue": SANDBOX, **kwargs})
