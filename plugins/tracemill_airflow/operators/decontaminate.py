"""Decontaminate: no benchmark problem enters the release."""

from __future__ import annotations

from typing import Any, ClassVar

from tracemill_airflow.operators.asking import AskingOperator


class DecontaminateOperator(AskingOperator):
    """Turns away problems that a named benchmark contains, and keeps the evidence; a recipe may name a judge for it."""

    stage_name = "decontaminate"
    always_asks: ClassVar[bool] = False

    def __init__(self, *, at_once: int = 1, **kwargs: Any) -> None:
        super().__init__(at_once=at_once, **kwargs)
