"""Agreement of a science answer with its reference, from 0 to 5 (DeepDistill, arXiv 2504.17565, section 2.4)."""

from __future__ import annotations

from typing import Any, Literal

from tracemill.judge.asker import Judge


class ScienceJudge(Judge):
    """Gives a decimal; the paper passes what is above 4.99, so the mark is 5. It does not print its prompt."""

    kind: Literal["science"]
    prompt: str = "science.v2"
    pass_mark: float = 5.0

    @property
    def scale(self) -> tuple[float, float]:
        """0 is unrelated, 5 the same."""
        return 0.0, 5.0

    @property
    def number(self) -> dict[str, Any]:
        """A decimal; what is off the scale is read as none."""
        return {"type": "number"}

    @property
    def verdict_names(self) -> tuple[str, ...]:
        """The name in our prompt, and what the paper calls the number."""
        return ("score", "similarity")
