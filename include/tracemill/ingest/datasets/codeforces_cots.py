"""open-r1/codeforces-cots: competitive programming with DeepSeek-R1 solutions in C++ or Python (cc-by-4.0)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tracemill.ingest.columns import items, optional_text, own_id, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, RowError, SourceRow
from tracemill.ingest.turns import messages

TEACHER = "deepseek-r1"
_SECTIONS = (
    ("input_format", "Input Format"),
    ("output_format", "Output Format"),
    ("interaction_format", "Interaction Format"),
)
_TESTS = ("public_tests", "private_tests", "generated_tests", "official_tests")
_HIDDEN = _TESTS[1:]


class CodeforcesCotsSource(DatasetSource):
    """The problem is the statement; the `prompt` column puts its makers' instructions around it.

    A row's examples are no test suite, for a wrong program passes one or two of them: tests are those of rows that
    have hidden ones, too (private, generated or official). Interactive problems have none. The configurations that ask
    for checkers or test inputs are another task and are not read.
    """

    kind: Literal["codeforces_cots"]
    repo: str = "open-r1/codeforces-cots"
    config: Annotated[str, Field(pattern="^solutions")] = "solutions_decontaminated"
    license: str | None = "cc-by-4.0"
    documented: ClassVar[tuple[str, ...]] = ("description", "input_format", "output_format", "examples")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; `generation` has chain and answer, in older rows the last turn of `messages`."""
        generated = optional_text(value, "generation") or _answer(value)
        finish = optional_text(value, "finish_reason")
        given = (Response(teacher=TEACHER, text=generated, finish_reason=finish),) if generated else ()
        interactive = optional_text(value, "interaction_format") is not None
        tests = {name: value[name] for name in _TESTS if value.get(name)}
        return SourceRow(
            native_id=own_id(value, "id"),
            prompt=statement(value),
            category=self.category or "code",
            test_case=tests if not interactive and any(name in tests for name in _HIDDEN) else None,
            responses=given,
        )


def statement(value: dict[str, Any]) -> str:
    """Description, formats, examples and note, under the headings that the site has. Raises RowError without one."""
    parts = [text(value, "description").strip()]
    parts += [f"## {title}\n\n{part}" for name, title in _SECTIONS if (part := optional_text(value, name))]
    examples = [_example(one) for one in items(value, "examples")]
    parts += ["## Examples\n\n" + "\n\n".join(examples)] if examples else []
    parts += [f"## Note\n\n{note}"] if (note := optional_text(value, "note")) else []
    return "\n\n".join(parts) if parts[0] else ""


def _example(given: Any) -> str:
    if not isinstance(given, dict):
        raise RowError("bad_value", f"column 'examples': an entry should be an object, is {type(given).__name__}")
    return f"```input\n{text(given, 'input').strip()}\n```\n```output\n{text(given, 'output').strip()}\n```"


def _answer(value: dict[str, Any]) -> str | None:
    turns = messages(value, "messages") if value.get("messages") else []
    return turns[-1]["content"] if turns and turns[-1]["role"] == "assistant" else None
