"""Guesses which column is what, by its name and by what its rows hold; a person may say otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tracemill.drafting.looking import Look
from tracemill.drafting.parts import Roles, answered, named, parts_of, values
from tracemill.errors import RecipeError
from tracemill.ingest.mapped import Columns, mapped_tests
from tracemill.ingest.source import RowError
from tracemill.text.spelling import nearest

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
    try:
        return any(mapped_tests({"tests": value}, "tests") for value in values)
    except RowError:
        return False  # such rows would all be quarantined


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
        "reference_answer final_answer expected_answer ground_truth gold_answer correct_answer gold answer "
        "target solution a 参考答案 标准答案 答案",
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


def guessed(found: Look) -> dict[str, str | tuple[str, ...]]:
    """The columns by what they are taken for; each is one thing at most. Without any known name the problem is the
    only text there is, or nothing.
    """
    roles = _by_name(found, found.columns)
    if not {"prompt", "messages"} & roles.keys():
        roles = _by_name(found, [*found.columns, *_nested(found)])
    if not {"prompt", "messages"} & roles.keys() and "prompt" in found.columns and _is_turns(values(found, "prompt")):
        roles["messages"] = "prompt"  # as trainers of verl read it
    if not {"prompt", "messages"} & roles.keys():
        free = [one for one in found.columns if one not in roles.values() and _is_text(values(found, one))]
        roles |= {"prompt": free[0]} if len(free) == 1 else {}
    if "thinking" in roles and "response" not in roles:
        del roles["thinking"]
    if "test_case" not in roles:
        roles.pop("reference_solution", None)  # code beside a question may be what is asked about
    roles |= _alone(found, roles.get("reference_answer"))
    roles |= parts_of(found, roles)
    return answered(found, roles) if "options" in roles else roles


def _alone(found: Look, column: str | tuple[str, ...] | None) -> dict[str, str]:
    """The answer within, where each reference answer is a list of one, as text (Skywork-OR1 has `["12"]`)."""
    if not isinstance(column, str):
        return {}
    lists = [_listed(value) for value in values(found, column) if value is not None]
    single = all(len(one) == 1 and isinstance(one[0], str) for one in lists)
    return {"reference_answer": f"{column}.0"} if lists and single else {}


def _by_name(found: Look, columns: Sequence[str]) -> dict[str, str | tuple[str, ...]]:
    roles: dict[str, str | tuple[str, ...]] = {}
    folded = {one.rsplit(".", 1)[-1].lower().replace("-", "_").replace(" ", "_"): one for one in reversed(columns)}
    for role, names, fits in _ROLES:
        if role == "prompt" and "messages" in roles:
            continue
        for name in names.split():
            column = folded.get(name)
            if column and column not in roles.values() and fits(values(found, column)):
                roles[role] = column
                break
    return roles


def _nested(found: Look) -> list[str]:
    """The fields of columns that are objects."""
    inner = ((one, value) for one in found.columns for value in values(found, one) if isinstance(value, Mapping))
    return list(dict.fromkeys(f"{one}.{field}" for one, value in inner for field in value))


def unused(found: Look, roles: Roles) -> list[str]:
    """The columns that hold anything and are taken for nothing."""
    used = {one.split(".")[0] for one in named(roles)} | named(roles)
    return [column for column in found.columns if column not in used and any(values(found, column))]


def said(roles: Roles, given: Sequence[str], found: Look) -> dict[str, str | tuple[str, ...]]:
    """The guess, corrected by ROLE=COLUMN, or ROLE=COLUMN,COLUMN where a role takes several (an empty COLUMN: no such
    column). Raises RecipeError for unknown ones.
    """
    corrected = dict(roles)
    for one in given:
        role, equals, column = (part.strip() for part in one.partition("="))
        if not equals or role not in Columns.model_fields:
            raise RecipeError(f"{one!r}: write ROLE=COLUMN{nearest(role, Columns.model_fields)}")
        columns = (column,) if column in found.columns else tuple(name.strip() for name in column.split(","))
        for name in columns if column else ():
            if name not in found.columns and name.split(".")[0] not in found.columns:
                raise RecipeError(f"{one!r}: the rows have no such column{nearest(name, found.columns)}")
        if len(columns) > 1 and role not in SEVERAL:
            raise RecipeError(f"{one!r}: {role} is one column; {', '.join(SEVERAL)} may be several")
        corrected.pop(role, None)
        if column:
            corrected = _without(corrected, columns)
            corrected[role] = columns if len(columns) > 1 else columns[0]
            _drop_opposites(corrected, role)
    return corrected


SEVERAL = ("before", "after", "options", "response")
_OPPOSITES = {
    "prompt": ("messages",),
    "messages": ("prompt", "before", "after", "options", "answer_index"),
    "reference_answer": ("answer_index",),
    "answer_index": ("reference_answer",),
}


def _without(roles: Roles, columns: Sequence[str]) -> dict[str, str | tuple[str, ...]]:
    """The roles that those columns no longer have."""
    left = dict[str, str | tuple[str, ...]]()
    for role, given in roles.items():
        names = [name for name in ((given,) if isinstance(given, str) else given) if name not in columns]
        if names:
            left[role] = names[0] if len(names) == 1 else tuple(names)
    return left


def _drop_opposites(roles: dict[str, str | tuple[str, ...]], role: str) -> None:
    for other in _OPPOSITES.get(role, ()):
        roles.pop(other, None)
    if "options" not in roles:
        roles.pop("answer_index", None)


def require_problem(roles: Roles, found: Look) -> None:
    """Raise RecipeError when no column is known to hold the problems."""
    if not {"prompt", "messages"} & roles.keys():
        raise RecipeError(
            f"{found.given}: which column holds the problems? Say --column prompt=NAME; the rows have: "
            f"{', '.join(found.columns)}"
        )
