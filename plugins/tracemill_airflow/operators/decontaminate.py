"""Decontaminate: no benchmark problem enters the release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracemill_airflow.operators.asking import AskingOperator


class DecontaminateOperator(AskingOperator):
    """Turns away problems that a named benchmark contains, and keeps the evidence; a recipe may name a judge for it."""

    stage_name = "decontaminate"

    def __init__(self, *, at_once: int = 1, **kwargs: Any) -> None:
        super().__init__(at_once=at_once, **kwargs)

    @classmethod
    def asks(cls, step: Mapping[str, Any]) -> bool:
        """Only where the recipe names a judge."""
        return step.get("judge") is not None
