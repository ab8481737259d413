"""Correctness from 1 to 5, by the prompt of table 5 of the 1.4M paper (arXiv 2503.19633, appendix B.3)."""

from __future__ import annotations

import re
from typing import Literal

from tracemill.judges.base import Judge

_NUMBER = re.compile(r"""["']?correctness(?:[ _]score)?["']?\s*[:=]\s*["'<\[]*\s*([1-5](?:\.\d+)?)(?![\d.])""", re.I)


class CorrectnessJudge(Judge):
    """Compares with the reference answer; without one (`needs_reference: false`) it judges the answer by the query.

    The table's JSON has a trailing comma and words after it, so the number is found by pattern, not by a JSON reader.
    """

    kind: Literal["correctness"]
    prompt: str = "correctness.v1"
    pass_mark: float = 5.0

    @property
    def scale(self) -> tuple[float, float]:
        """1 is completely incorrect, 5 completely correct."""
        return 1.0, 5.0

    def parse(self, said: str) -> float | None:
        """The first score that is named; a number above 5 is no score."""
        found = _NUMBER.search(said)
        number = float(found[1]) if found else None
        return number if number is not None and number <= 5 else None
