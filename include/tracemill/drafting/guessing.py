"""Guesses which column is what, by its name and by what its rows hold; a person may say otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tracemill.drafting.looking import Look
from tracemill.errors import RecipeError
from tracemill.sources.jsonl import Columns
from tracemill.spelling import nearest

LONGEST_ANSWER = 300  # characters at the median; longer texts are solutions or responses, not reference answers
_CODE = re.compile(r"^\s*(?:```|def |class |import |from \w+ import|#include|public )", re.MULTILINE)
_MARKED = re.compile(r"\\boxed|^\s*####", re.MULTILINE)


def _texts(values: Sequence[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str) and value.strip()]


def _is_text(values: Sequence[Any]) -> bool:
    return len(_texts(values)) * 2 > len(values)


def _is_short(values: Sequence[Any]) -> bool:
    lengths = sorted(len(str(value)) for value in values if not isinstance(value, list | Mapping))
    return bool(lengths) and lengths[len(lengths) // 2] <= LONGEST_ANSWER


def _is_answer(values: Sequence[Any]) -> bool:
    if any(isinstance(value, bool) for value in values):
        return False
    texts = _texts(values)
    marked = sum(bool(_MARKED.search(text)) for text in texts) * 2 > max(1, len(texts))
    return marked or (_is_short(values) and not _is_code(values))


def _is_code(values: Sequence[Any]) -> bool:
    texts = _texts(values)
    return sum(bool(_CODE.search(text)) for text in texts) * 2 > max(1, len(texts))


def _is_turns(values: Sequence[Any]) -> bool:
    return any(
        isinstance(turn, Mapping) and {"role", "from"} & turn.keys() for value in values for turn in _listed(value)
    )


def _is_test(values: Sequence[Any]) -> bool:
    return any(isinstance(_decoded(value), Mapping | list) for value in values) or any(
        "assert" in text for text in _texts(values)
    )


def _is_response(values: Sequence[Any]) -> bool:
    return _is_text([one for value in values for one in (value if isinstance(value, list) else [value])])


def _decoded(value: Any) -> Any:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value if isinstance(value, Mapping | list) else None
    try:
        return json.loads(value)
    except ValueError:
        return None


def _listed(value: Any) -> list[Any]:
    found = _decoded(value)
    return found if isinstance(found, list) else []


# What a column is, the names that such columns have in public data sets (the likeliest first), and what must hold.
_ROLES: tuple[tuple[str, str, Callable[[Sequence[Any]], bool]], ...] = (
    ("messages", "messages conversations conversation turns dialog dialogue", _is_turns),
    ("test_case", "test_case test_cases tests test unit_tests public_tests input_output test_list", _is_test),
    (
        "prompt",
        "problem question prompt instruction query problem_statement problem_description question_content task "
        "statement description input q text 问题 题目 题干",
        _is_text,
    ),
    ("system", "system system_prompt", _is_text),
    (
        "reference_answer",
        "reference_answer final_answer expected_answer ground_truth gold_answer correct_answer gold answer target "
        "solution a 参考答案 标准答案 答案",
        _is_answer,
    ),
    ("reference_solution", "reference_solution canonical_solution solution code", _is_code),
    ("thinking", "thinking reasoning reasoning_content think cot chain_of_thought", _is_response),
    ("response", "response responses generations generation completion output model_answer answer", _is_response),
    ("difficulty", "difficulty level difficulty_level rating", _is_short),
    ("category", "category subject domain topic type", _is_short),
    ("license", "license licence", _is_short),
    ("id", "id uuid idx problem_id question_id task_id index", _is_short),
)
ROLES = tuple(role for role, _, _ in _ROLES)


def guessed(found: Look) -> dict[str, str]:
    """The columns by what they are taken for; each is one thing at most. Without any known name the problem is the
    only text there is, or nothing.
    """
    roles: dict[str, str] = {}
    folded = {column.lower().replace("-", "_").replace(" ", "_"): column for column in reversed(found.columns)}
    for role, names, fits in _ROLES:
        if role == "prompt" and "messages" in roles:
            continue
        for name in names.split():
            column = folded.get(name)
            if column and column not in roles.values() and fits(_values(found, column)):
                roles[role] = column
                break
    if not {"prompt", "messages"} & roles.keys():
        free = [one for one in found.columns if one not in roles.values() and _is_text(_values(found, one))]
        roles |= {"prompt": free[0]} if len(free) == 1 else {}
    if "thinking" in roles and "response" not in roles:
        del roles["thinking"]
    return roles


def unused(found: Look, roles: Mapping[str, str]) -> list[str]:
    """The columns that hold texts or lists and are taken for nothing: options, say, or the second part of a prompt."""
    free = (column for column in found.columns if column not in roles.values())
    return [column for column in free if any(isinstance(one, str | list) and one for one in _values(found, column))]


def _values(found: Look, column: str) -> list[Any]:
    return [row[column] for row in found.rows if row.get(column) is not None]


def said(roles: Mapping[str, str], given: Sequence[str], found: Look) -> dict[str, str]:
    """The guess, corrected by ROLE=COLUMN (an empty COLUMN: no such column). Raises RecipeError for unknown ones."""
    corrected = dict(roles)
    for one in given:
        role, equals, column = one.partition("=")
        if not equals or role not in Columns.model_fields:
            raise RecipeError(f"{one!r}: write ROLE=COLUMN{nearest(role, Columns.model_fields)}")
        if column and column.split(".")[0] not in found.columns:
            raise RecipeError(f"{one!r}: the rows have no such column{nearest(column, found.columns)}")
        corrected.pop(role, None)
        corrected = {known: name for known, name in corrected.items() if name != column}
        if column:
            corrected[role] = column
            if role in ("prompt", "messages"):
                corrected.pop("messages" if role == "prompt" else "prompt", None)
    return corrected


def require_problem(roles: Mapping[str, str], found: Look) -> None:
    """Raise RecipeError when no column is known to hold the problems."""
    if not {"prompt", "messages"} & roles.keys():
        raise RecipeError(
            f"{found.given}: which column holds the problems? Say --column prompt=NAME; the rows have: "
            f"{', '.join(found.columns)}"
        )
