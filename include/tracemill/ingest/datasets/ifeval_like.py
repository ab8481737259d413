"""argilla/ifeval-like-data: prompts with IFEval's checkable instructions, answered by Qwen2.5-72B-Instruct."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import items, optional_text, own_id, parsed
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, RowError, SourceRow

TEACHER = "qwen2.5-72b-instruct"


class IfevalLikeSource(DatasetSource):
    """`filtered` (56 k rows) has prompts whose instructions were checked, `default` (550 k) all that were made.

    `default` gives one set of arguments for all instructions of a row; each check takes those that it knows.
    """

    kind: Literal["ifeval_like"]
    repo: str = "argilla/ifeval-like-data"
    config: str | None = "filtered"
    license: str | None = "other"  # Qwen's licence: see the card
    documented: ClassVar[tuple[str, ...]] = ("instruction_id_list", "kwargs")

    def required(self) -> tuple[str, ...]:
        """The two configurations call the prompt by two names."""
        return ("instruction" if self.config == "default" else "prompt", *self.documented)

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; raises RowError for instructions and arguments that differ in number."""
        prompt = optional_text(value, "prompt") or optional_text(value, "instruction")
        if prompt is None:
            raise RowError("null_value", "columns 'prompt' and 'instruction' are null")
        answer = optional_text(value, "response")
        teacher = optional_text(value, "model_name") or TEACHER
        return SourceRow(
            native_id=own_id(value, "key"),
            prompt=prompt,
            category=self.category or "instruction following",
            constraints=constraints_of(value),
            responses=(Response(teacher=teacher, text=answer),) if answer else (),
        )


def constraints_of(value: dict[str, Any]) -> dict[str, Any] | None:
    """IFEval's instructions with their arguments, null arguments left out; None for none. Raises RowError."""
    names = items(value, "instruction_id_list")
    given = parsed(value, "kwargs")
    each = [given] * len(names) if isinstance(given, dict) else given or [{}] * len(names)
    if not isinstance(each, list) or len(each) != len(names) or not all(isinstance(one, dict) for one in each):
        raise RowError("bad_value", f"column 'kwargs' should have one object for each of {len(names)} instructions")
    kept = [{name: said for name, said in one.items() if said is not None} for one in each]
    return {"instruction_id_list": names, "kwargs": kept} if names else None
