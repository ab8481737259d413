"""Correctness from 1 to 5, by the prompt of table 5 of the 1.4M paper (arXiv 2503.19633, appendix B.3)."""

from __future__ import annotations

from typing import Any, Literal

from tracemill.judge.asker import Judge


class CorrectnessJudge(Judge):
    """Compares with the reference answer; without one (`needs_reference: false`) it judges the answer by the query.

    The table's JSON has a trailing comma and words after it. Version 1 of the prompt is the table word for word;
    version 2 puts what is judged between fences (docs/design/roles.md).
    """

    kind: Literal["correctness"]
    prompt: str = "correctness.v2"
    pass_mark: float = 5.0

    @property
    def scale(self) -> tuple[float, float]:
        """1 is completely incorrect, 5 completely correct."""
        return 1.0, 5.0

    @property
    def number(self) -> dict[str, Any]:
        """A string, as the table's format has it."""
        return {"type": "string", "enum": ["1", "2", "3", "4", "5"]}

    @property
    def verdict_names(self) -> tuple[str, ...]:
        """The table's name; models also write "correctness score"."""
        return ("correctness",)
