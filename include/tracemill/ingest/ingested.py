"""The rows of tables that one understood source row becomes: its problem, and its existing responses split in parts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tracemill.engine.ids import generation_id
from tracemill.ingest.source import Response, RowError, Source, SourceRow
from tracemill.text.think import Split, joined, split


def problem_row(problem: str, given: SourceRow, source: Source, licence: str | None) -> dict[str, Any]:
    """One row of table `problems`; `test_case` and `constraints` become JSON with sorted keys."""
    return {
        "id": problem,
        "source": source.name,
        "native_id": given.native_id or None,
        "category": given.category or source.category,
        "prompt": given.prompt,
        "messages": list(given.messages) if given.messages else None,
        "reference_answer": given.reference_answer,
        "test_case": _json(given.test_case),
        "constraints": _json(given.constraints),
        "difficulty": given.difficulty,
        "license": licence,
        "source_rank": source.rank,
        "difficulty_score": given.difficulty_score,
        "reference_solution": given.reference_solution,
        "comparison": _json(given.comparison),
        "released_as": source.release_name,
        "published": given.published,
    }


def generation_rows(problem: str, source: Source, responses: Iterable[Response]) -> list[dict[str, Any]]:
    """Rows of table `generations` for the existing responses to one problem, split into chain and answer."""
    return [_generation_row(problem, source, response) for response in responses]


def _generation_row(problem: str, source: Source, response: Response) -> dict[str, Any]:
    parts: Split = split(response.text) if response.thinking is None else joined(response.thinking, response.text)
    text = response.text if response.thinking is None else f"{response.thinking}\0{response.text}"
    return {
        "id": generation_id(problem, response.teacher, response.sample_index, text),
        "problem_id": problem,
        "source": source.name,
        "teacher": response.teacher,
        "sample_index": response.sample_index,
        "style": parts.style,
        "raw": parts.raw,
        "think_content": parts.think,
        "answer_content": parts.answer,
        "finish_reason": response.finish_reason,
        "source_verdict": response.verdict,
        "response_source": response.source or source.release_name,
    }


def _json(value: dict[str, Any] | None) -> str | None:
    """JSON with sorted keys. Raises RowError for what JSON cannot hold (dates, bytes)."""
    if value is None:
        return None
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RowError("bad_value", f"not JSON: {error}") from error
