"""Any local file of rows (JSON Lines, a JSON array, Parquet) whose columns the recipe maps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.ingest.columns import (
    boolean,
    column,
    difficulty,
    has_column,
    mapping,
    number,
    optional_text,
    own_id,
    text,
)
from tracemill.ingest.formats.files import FileSource
from tracemill.ingest.options import Options, options_of
from tracemill.ingest.programs import code_of
from tracemill.ingest.scalars import scalar_text
from tracemill.ingest.source import Response, RowError, SourceRow
from tracemill.ingest.turns import after_system, conversation, messages, thought_of, without_closing

# A part of the problem in columns of its own; a mapping without it is what it was before there were such parts.
_Part = Annotated[str | tuple[str, ...] | None, Field(exclude_if=lambda given: given is None)]
_PARTS = ("before", "after", "options")


class Columns(BaseModel):
    """Which column holds what; a dotted path reads a nested field. Only `prompt` or `messages` is needed; a row that
    lacks another column has no such value.

    prompt            the problem's text
    before, after     texts (or several columns of them) that are put above and below it with a blank line: a passage,
                      the input of an instruction; a row where one is blank has none
    options           the choices, in any shape (see `options_of`) or a column for each; they stand below all of it
    answer_index      the number of the right one of `options`, from 0, in place of `reference_answer`
    messages          turns, as [{role, content}] or [{from, value}]; a closing assistant turn is an existing response,
                      and each of several is one, unless the row has `response`, whose copies they are then
    system            a system prompt that is not among the turns
    id                the source's own id; it decides nothing
    difficulty        a word, or a number, which is then a score
    reference_solution  a program that solves the problem
    comparison        an object or JSON text of one: when an output is right (docs/design/verification.md)
    response          an existing response or a list of them, or several such columns; `thinking`, `verdict` and
                      `finish_reason` run in parallel
    test_case         an object or JSON text of one (any shape that the sandbox knows), or a list of assert lines
    teacher           the column that says who wrote them (see also `teacher` of the source)
    constraints       what instruction-following checks, an object or JSON text of one
    category          math, code, ...: in place of the source's own `category`
    difficulty_score  a number, whose scale is the source's
    license           in place of the source's own `license`
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    prompt: str | None = None
    before: _Part = None
    after: _Part = None
    options: _Part = None
    answer_index: Annotated[str | None, Field(exclude_if=lambda given: given is None)] = None
    messages: str | None = None
    system: str | None = None
    id: str | None = None
    reference_answer: str | None = None
    test_case: str | None = None
    constraints: str | None = None
    category: str | None = None
    difficulty: str | None = None
    difficulty_score: str | None = None
    reference_solution: str | None = None
    comparison: str | None = None
    license: str | None = None
    response: str | tuple[str, ...] | None = None
    thinking: str | None = None
    verdict: str | None = None
    finish_reason: str | None = None
    teacher: str | None = None

    @model_validator(mode="after")
    def _parts_belong_to_a_prompt(self) -> Columns:
        parts = [name for name in _PARTS if getattr(self, name)]
        if parts and (self.messages or not self.prompt):
            raise ValueError(f"{', '.join(parts)}: such parts stand beside a `prompt`, not in turns")
        if self.answer_index and (self.reference_answer or not self.options):
            raise ValueError("`answer_index` needs `options`, and stands in place of `reference_answer`")
        return self

    def needed(self) -> tuple[str, ...]:
        """The columns without which a row is no row."""
        return tuple(name for name in (self.prompt, self.messages) if name)

    def optional(self) -> tuple[str, ...]:
        """The other columns that the recipe names."""
        given = [name for name in self.model_dump(exclude={"prompt", "messages"}).values() if name]
        return tuple(one for name in given for one in _names(name))


def mapped_row(
    value: dict[str, Any], columns: Columns, teacher: str, boilerplate: Sequence[re.Pattern[str]] = ()
) -> SourceRow:
    """One native row through a column mapping. Raises RowError naming the column that is not as mapped."""
    turns = messages(value, columns.messages) if columns.messages else []
    options = options_of(value, columns.options) if columns.options else Options()
    turns, closing = without_closing(turns)
    responses = tuple(mapped_responses(value, columns, teacher)) or tuple(
        Response(teacher=teacher, text=turn["content"], thinking=thought_of(turn), sample_index=i)
        for i, turn in enumerate(closing)
    )
    if columns.prompt and len(turns) < 2:
        turns = [{"role": "user", "content": options.below(whole_prompt(value, columns))}]
    prompt, several = conversation(after_system(optional_text(value, columns.system), turns), boilerplate)
    hardness = difficulty(value, columns.difficulty)
    if columns.difficulty_score:
        hardness["difficulty_score"] = number(value, columns.difficulty_score)
    return SourceRow(
        native_id=own_id(value, columns.id),
        prompt=prompt,
        messages=several,
        category=optional_text(value, columns.category),
        reference_answer=options.mark(value, columns.answer_index)
        if columns.answer_index
        else optional_text(value, columns.reference_answer),
        reference_solution=code_of(optional_text(value, columns.reference_solution)),
        test_case=mapped_tests(value, columns.test_case) if columns.test_case else None,
        constraints=_object(value, columns.constraints),
        comparison=_object(value, columns.comparison),
        license=optional_text(value, columns.license),
        responses=responses,
        **hardness,
    )


def whole_prompt(value: dict[str, Any], columns: Columns) -> str:
    """The prompt with what stands above and below it. Raises RowError when it is null, or a part has no one text."""
    main = text(value, columns.prompt or "")
    if not main.strip():
        return main  # what stands around it is no problem
    above = [optional_text(value, name) for name in _names(columns.before)]
    below = [optional_text(value, name) for name in _names(columns.after)]
    return "\n\n".join(part for part in (*above, main, *below) if part) if above or below else main


def _names(given: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given or ()


def _object(value: dict[str, Any], name: str | None) -> dict[str, Any] | None:
    return mapping(value, name) if name is not None and has_column(value, name) else None


def mapped_tests(value: dict[str, Any], name: str) -> dict[str, Any] | None:
    """A test case, whichever shape. Raises RowError for what is neither an object nor a list of assert lines."""
    found = column(value, name) if has_column(value, name) else None
    if not isinstance(found, list):
        return mapping({name: found}, name)
    if not all(isinstance(line, str) for line in found):
        raise RowError("bad_value", f"column {name!r}: a list of tests should hold assert lines")
    return {"call_type": "assert", "fn_name": None, "assert_case": found} if found else None


def mapped_responses(value: dict[str, Any], columns: Columns, teacher: str) -> list[Response]:
    """The row's responses; single values and parallel lists alike. Raises RowError when lists differ in length."""
    if columns.response is None:
        return []
    names = (columns.response,) if isinstance(columns.response, str) else columns.response
    texts = [one for name in names if has_column(value, name) for one in _many(column(value, name))]
    count = len(texts)
    beside = {
        name: _beside(value, mapped, count)
        for name, mapped in columns.model_dump(include={"thinking", "verdict", "finish_reason", "teacher"}).items()
    }
    return [
        Response(
            teacher=scalar_text(beside["teacher"][i], "teacher") or teacher,
            text=text({names[0]: response}, names[0]),
            thinking=scalar_text(beside["thinking"][i], columns.thinking or ""),
            sample_index=i,
            finish_reason=scalar_text(beside["finish_reason"][i], columns.finish_reason or ""),
            verdict=boolean(beside["verdict"][i], columns.verdict or ""),
        )
        for i, response in enumerate(texts)
        if response is not None and response == response  # NaN is what a data frame writes for none
    ]


def _many(found: Any) -> list[Any]:
    if found is None:
        return []
    return list(found) if isinstance(found, list | tuple) else [found]


def _beside(value: dict[str, Any], name: str | None, count: int) -> list[Any]:
    if name is None or not has_column(value, name):
        return [None] * count
    found = column(value, name)
    if not isinstance(found, list | tuple):
        return [found] * count
    if len(found) != count:
        raise RowError("bad_value", f"column {name!r} has {len(found)} values for {count} responses")
    return list(found)


def as_patterns(texts: Sequence[str]) -> list[re.Pattern[str]]:
    """Texts of system turns that say nothing, as `conversation` takes them; white space does not count."""
    return [re.compile(re.escape(" ".join(one.split()))) for one in texts]


class JsonlSource(FileSource):
    """Local files with a column mapping; whatever their format. `teacher` names who wrote the responses.

    `boilerplate`: whole system prompts that are no part of a problem; all others are.
    """

    kind: Literal["jsonl", "parquet"]
    columns: Columns
    teacher: str = "unknown"
    boilerplate: tuple[str, ...] = ()

    def required(self) -> tuple[str, ...]:
        """The columns of the problem itself."""
        return self.columns.needed()

    def optional(self) -> tuple[str, ...]:
        """Every other mapped column."""
        return self.columns.optional()

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """One row through the mapping."""
        return mapped_row(value, self.columns, self.teacher, as_patterns(self.boilerplate))
