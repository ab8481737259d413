"""open-thoughts/OpenThoughts-114k: DeepSeek-R1 traces of maths, code, science and puzzles, with tests for the code."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import mapping, optional_text, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.programs import code_of
from tracemill.ingest.source import Response, SourceRow
from tracemill.ingest.turns import LONG_THINKING, after_system, conversation, messages, without_instruction
from tracemill.ingest.worked import text_answer

TEACHER = "deepseek-r1"
_METADATA = ("problem", "deepseek_reasoning", "deepseek_solution", "ground_truth_solution", "domain", "test_cases")


class Openthoughts114kSource(DatasetSource):
    """Configuration `metadata` has chain, answer, reference and tests in columns; `default` has conversations only."""

    kind: Literal["openthoughts_114k"]
    repo: str = "open-thoughts/OpenThoughts-114k"
    config: str | None = "metadata"
    license: str | None = "apache-2.0"
    published_as: ClassVar[str | None] = "openThoughts"
    documented: ClassVar[tuple[str, ...]] = _METADATA

    def required(self) -> tuple[str, ...]:
        """The columns of the configuration."""
        return self.documented if self.config == "metadata" else ("conversations",)

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row of either configuration."""
        if self.config != "metadata":
            return conversation_row(value, self.category)
        domain = text(value, "domain")
        starter = optional_text(value, "starter_code")
        truth = optional_text(value, "ground_truth_solution")
        chain = optional_text(value, "deepseek_reasoning")
        answer = optional_text(value, "deepseek_solution")
        return SourceRow(
            prompt="\n".join(part for part in (text(value, "problem"), starter) if part),
            category=domain,
            reference_answer=_reference(truth, domain),
            reference_solution=code_of(truth) if domain == "code" else None,
            test_case=mapping(value, "test_cases") if domain == "code" else None,
            responses=(Response(teacher=TEACHER, text=answer, thinking=chain),) if chain and answer else (),
        )


def conversation_row(value: dict[str, Any], category: str | None) -> SourceRow:
    """A row of question and tagged response, as OpenThoughts and Bespoke-Stratos publish them."""
    turns = messages(value, "conversations")
    first = next((k for k, turn in enumerate(turns) if turn["role"] == "user"), 0)
    question, kind = without_instruction(turns[first]["content"])
    opening = [*turns[:first], {**turns[first], "content": question}]
    prompt, several = conversation(after_system(optional_text(value, "system"), opening), [LONG_THINKING])
    answers = [turn["content"] for turn in turns if turn["role"] == "assistant"]
    return SourceRow(
        prompt=prompt,
        messages=several,
        category=category or kind,
        responses=tuple(Response(teacher=TEACHER, text=answer) for answer in answers[:1]),
    )


def _reference(truth: str | None, domain: str) -> str | None:
    """The answer of a worked solution; code has tests instead."""
    return text_answer(truth or "", domain == "math") if domain != "code" else None
