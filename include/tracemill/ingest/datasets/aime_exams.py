"""The American Invitational Mathematics Examination of a year: thirty problems, whose answers are whole numbers."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

from tracemill.engine.days import Day
from tracemill.ingest.columns import own_id, text
from tracemill.ingest.datasets.benchmark import Benchmark, first_of
from tracemill.ingest.source import RowError, SourceRow

# Some mirrors put DeepSeek's instruction into the problem; what is said to a model is the recipe's matter.
_INSTRUCTION = re.compile(r"\s*Please reason step by step, and put your final answer within \\boxed\{\}\.?\s*\Z")
# A data frame writes 33 as 33.0 where another answer was missing once; an angle (math-ai/aime25) has its degrees.
_ANSWER = re.compile(r"(\d{1,3})(?:\.0+)?(?:\s*(?:\^\{?\\circ\}?|°))?")


class AimeExam(Benchmark):
    """Base of the years. `problem` and `answer`, or what the mirrors of Maxwell-Jia, MathArena and QwQ call them."""

    whole: ClassVar[int | None] = 30

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one item. Raises RowError for an answer that is no whole number from 0 to 999."""
        answer = text(value, first_of(value, "answer", "Answer")).strip()
        number = _ANSWER.fullmatch(answer)
        if number is None:
            raise RowError("bad_value", f"an answer should be a whole number from 0 to 999, is {answer!r}")
        prompt = text(value, first_of(value, "problem", "Problem", "question", "prompt"))
        return SourceRow(
            native_id=next((found for name in ("id", "ID", "problem_idx") if (found := own_id(value, name))), ""),
            prompt=_INSTRUCTION.sub("", prompt),
            category=self.category or "math",
            reference_answer=str(int(number[1])),
        )


class Aime2024(AimeExam):
    """AIME I and II of 2024, the second on 7 February."""

    kind: Literal["aime_2024"]
    repo: str = "HuggingFaceH4/aime_2024"
    published: Day | None = "2024-02-07"
    title: ClassVar[str] = "AIME 2024"


class Aime2025(AimeExam):
    """AIME I and II of 2025, the second on 12 February."""

    kind: Literal["aime_2025"]
    repo: str = "math-ai/aime25"
    split: str = "test"  # the split of the data set that is read
    published: Day | None = "2025-02-12"
    title: ClassVar[str] = "AIME 2025"


class Aime2026(AimeExam):
    """AIME I and II of 2026, the second on 11 February."""

    kind: Literal["aime_2026"]
    repo: str = "MathArena/aime_2026"
    license: str | None = "cc-by-nc-sa-4.0"
    published: Day | None = "2026-02-11"
    title: ClassVar[str] = "AIME 2026"
