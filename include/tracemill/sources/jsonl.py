"""Any local file of rows (JSON Lines, a JSON array, Parquet) whose columns the recipe maps."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tracemill.sources.base import Response, RowError, SourceRow
from tracemill.sources.columns import boolean, column, mapping, optional_text, text
from tracemill.sources.files import FileSource
from tracemill.sources.turns import asked, messages


class Columns(BaseModel):
    """Which column holds what; a dotted path reads a nested field. Only `prompt` or `messages` is needed.

    prompt            the problem's text
    messages          turns, as [{role, content}] or [{from, value}]; a closing assistant turn is an existing response
    id                the source's own id; without it a row is named by its place in the file
    response          an existing response or a list of them, or several such columns; `thinking`, `verdict` and
                      `finish_reason` run in parallel
    test_case         an object or JSON text of one (any shape that the sandbox knows), or a list of assert lines
    teacher           the column that says who wrote them (see also `teacher` of the source)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    prompt: str | None = None
    messages: str | None = None
    id: str | None = None
    reference_answer: str | None = None
    test_case: str | None = None
    constraints: str | None = None
    category: str | None = None
    difficulty: str | None = None
    license: str | None = None
    response: str | tuple[str, ...] | None = None
    thinking: str | None = None
    verdict: str | None = None
    finish_reason: str | None = None
    teacher: str | None = None

    def named(self) -> tuple[str, ...]:
        """All columns that the recipe names."""
        given = [name for name in self.model_dump().values() if name]
        return tuple(one for name in given for one in ((name,) if isinstance(name, str) else name))


def mapped_row(value: dict[str, Any], columns: Columns, teacher: str) -> SourceRow:
    """One native row through a column mapping. Raises RowError naming the column that is not as mapped."""
    turns = messages(value, columns.messages) if columns.messages else []
    responses = tuple(mapped_responses(value, columns, teacher))
    if turns and turns[-1]["role"] == "assistant" and not columns.response:
        responses = (Response(teacher=teacher, text=turns[-1]["content"]),)
    while turns and turns[-1]["role"] == "assistant":
        turns = turns[:-1]

    def optional(name: str | None) -> str | None:
        return optional_text(value, name) if name else None

    return SourceRow(
        native_id=optional(columns.id) or "",
        prompt=text(value, columns.prompt) if columns.prompt else asked(turns),
        messages=tuple(turns) if len(turns) > 1 else None,
        category=optional(columns.category),
        reference_answer=optional(columns.reference_answer) or None,
        test_case=tests(value, columns.test_case) if columns.test_case else None,
        constraints=mapping(value, columns.constraints) if columns.constraints else None,
        difficulty=optional(columns.difficulty),
        license=optional(columns.license),
        responses=responses,
    )


def tests(value: dict[str, Any], name: str) -> dict[str, Any] | None:
    """A test case, whichever shape. Raises RowError for what is neither an object nor a list of assert lines."""
    found = column(value, name)
    if not isinstance(found, list):
        return mapping(value, name)
    if not all(isinstance(line, str) for line in found):
        raise RowError("bad_value", f"column {name!r}: a list of tests should hold assert lines")
    return {"call_type": "assert", "fn_name": None, "assert_case": found} if found else None


def mapped_responses(value: dict[str, Any], columns: Columns, teacher: str) -> list[Response]:
    """The row's responses; single values and parallel lists alike. Raises RowError when lists differ in length."""
    if columns.response is None:
        return []
    names = (columns.response,) if isinstance(columns.response, str) else columns.response
    texts = [text for name in names for text in _many(column(value, name))]
    count = len(texts)
    beside = {
        name: _beside(value, mapped, count)
        for name, mapped in columns.model_dump(include={"thinking", "verdict", "finish_reason", "teacher"}).items()
    }
    return [
        Response(
            teacher=beside["teacher"][i] or teacher,
            text=_text_of(response, names[0]),
            thinking=beside["thinking"][i],
            sample_index=i,
            finish_reason=beside["finish_reason"][i],
            verdict=boolean(beside["verdict"][i], columns.verdict or ""),
        )
        for i, response in enumerate(texts)
        if response is not None
    ]


def _many(found: Any) -> list[Any]:
    if found is None:
        return []
    return list(found) if isinstance(found, list | tuple) else [found]


def _beside(value: dict[str, Any], name: str | None, count: int) -> list[Any]:
    if name is None:
        return [None] * count
    found = column(value, name)
    if not isinstance(found, list | tuple):
        return [found] * count
    if len(found) != count:
        raise RowError("bad_value", f"column {name!r} has {len(found)} values for {count} responses")
    return list(found)


def _text_of(response: Any, name: str) -> str:
    if isinstance(response, str):
        return response
    raise RowError("bad_value", f"column {name!r}: a response should be a text, is {type(response).__name__}")


class JsonlSource(FileSource):
    """Local files with a column mapping; the format is told by the suffix. `teacher` names who wrote the responses."""

    kind: Literal["jsonl", "parquet"]
    columns: Columns
    teacher: str = "unknown"

    def required(self) -> tuple[str, ...]:
        """Every mapped column."""
        return self.columns.named()

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """One row through the mapping."""
        return mapped_row(value, self.columns, self.teacher)
