"""Agreement of a science answer with its reference, from 0 to 5 (DeepDistill, arXiv 2504.17565, section 2.4)."""

from __future__ import annotations

import re
from typing import Literal

from tracemill.judges.base import Judge

_NUMBER = re.compile(r"""["']?(?:similarity|score)["']?\s*[:=]\s*["'<\[]*\s*([0-5](?:\.\d+)?)(?![\d.])""", re.I)


class ScienceJudge(Judge):
    """Gives a decimal; the paper passes what is above 4.99, so the mark is 5. It does not print its prompt."""

    kind: Literal["science"]
    prompt: str = "science.v1"
    pass_mark: float = 5.0

    @property
    def scale(self) -> tuple[float, float]:
        """0 is unrelated, 5 the same."""
        return 0.0, 5.0

    def parse(self, said: str) -> float | None:
        """The first score that is named, if it is on the scale."""
        found = _NUMBER.search(said)
        number = float(found[1]) if found else None
        return number if number is not None and number <= 5 else None
