"""GSM8K with the model solutions that its authors published (openai/grade-school-math, `example_model_solutions`)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import boolean, mapping, text
from tracemill.ingest.formats.files import FileSource
from tracemill.ingest.source import Response, RowError, SourceRow

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
GOLD_MARKS = ("####", "A:")  # the data set's own mark, and that of the solutions file


class Gsm8kSource(FileSource):
    """Grade-school problems with four models' solutions each; `is_correct` is the published verdict."""

    kind: Literal["gsm8k"]
    documented: ClassVar[tuple[str, ...]] = ("question", "ground_truth", *MODELS)

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """Raises RowError when the gold line or a solution is missing."""
        return SourceRow(
            prompt=text(value, "question"),
            category=self.category or "math",
            reference_answer=gold_answer(text(value, "ground_truth")),
            responses=tuple(_solution(value, model, i) for i, model in enumerate(MODELS)),
        )


def gold_answer(solution: str) -> str:
    """The number after the last mark, without thousands separators. Raises RowError when there is no mark."""
    for mark in GOLD_MARKS:
        before, found, after = solution.rpartition(mark)
        if found and (not before or before.endswith("\n")):
            return after.strip().replace(",", "")
    raise RowError("no_gold", f"no line of the solution begins with {' or '.join(GOLD_MARKS)}")


def _solution(value: dict[str, Any], model: str, index: int) -> Response:
    given = mapping(value, model)
    if given is None:
        raise RowError("null_value", f"column {model!r} is null")
    return Response(
        teacher=model,
        text=text(given, "solution"),
        sample_index=index,
        verdict=boolean(given.get("is_correct"), f"{model}.is_correct"),
    )
