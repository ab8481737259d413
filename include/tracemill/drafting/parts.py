"""Finds what of a problem stands outside its main column (a passage, an input, options), and what is left over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tracemill.drafting.looking import Look
from tracemill.ingest.columns import column, has_column
from tracemill.ingest.options import options_of
from tracemill.ingest.source import RowError

Roles = Mapping[str, str | tuple[str, ...]]

_ABOVE = ("context", "body", "passage", "paragraph", "article", "premise", "background", "story", "fact")
_BELOW = {
    "instruction": ("input", "inputs"),
    "code": ("starter_code", "starter", "code_stub", "function_signature", "signature"),
}
_OPTIONS = ("options", "choices", "answer_choices", "answer_options", "endings", "candidates", "选项")
_KEYS = ("answerkey", "answer_key", "answer_idx", "answer_index", "correct_option", "correct", "label", "cop")
_FAMILY = re.compile(r"(?P<stem>(?:options?|choices?|opt?|ending|选项)[_ -]?|)(?P<mark>[a-j]|\d)", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,3}(?:\.0)?")

# What columns that are no part of a problem are called in public data sets: where a row comes from, and its measures.
_BESIDE = re.compile(
    r"(?:.*[_ .-])?(?:id|ids|uuid|idx|index|n|no|nr|num|count|counts|len|length|tokens?|scores?|rate|rating|sha\d*|"
    r"md5|hash|url|urls|link|source|sources|origin|dataset|data_source|split|subset|config|repo|path|file|filename|date|"
    r"year|time|timestamp|version|author|authors|teacher|model|language|lang|license|licence|quality|difficulty|level|"
    r"grade|subject|topic|topics|tag|tags|category|domain|type|metadata|meta|unnamed:.*|.*_level_\d+__?)|__.*__",
    re.IGNORECASE,
)
# What is said of the answer: nobody may show it to a model that is to find it.
_ANSWERS = re.compile(
    r"(?:.*[_ .-])?(?:answers?|answerkey|solutions?|rationales?|explanations?|reasoning(?:_.*)?|thinking|cot|"
    r"responses?|generations?|generation|completions?|completion|output|outputs|ground_truth|gold|target|targets|labels?|label_.*|"
    r"correct(?:ness)?(?:_.*)?|verdicts?|tests?|test_.*|unit_tests?|input_output|think|content_cot|answer_.*|"
    r"is_.*|has_.*|chosen|rejected|distractors?\d*|incorrect.*|参考答案|标准答案|答案|解析)",
    re.IGNORECASE,
)


def named(roles: Roles) -> set[str]:
    """Every column that the roles use."""
    return {one for given in roles.values() for one in ((given,) if isinstance(given, str) else given)}


def values(found: Look, name: str) -> list[Any]:
    """That column's values (a dotted path reads a nested field) which are not null."""
    rows = (dict(row) for row in found.rows)
    return [one for one in (column(row, name) for row in rows if has_column(row, name)) if one is not None]


def parts_of(found: Look, roles: Roles) -> dict[str, str | tuple[str, ...]]:
    """The roles `before`, `after`, `options` and `answer_index` for what stands beside a prompt by its usual names."""
    prompt = roles.get("prompt")
    if not isinstance(prompt, str) or "messages" in roles:
        return {}
    free = {one.lower(): one for one in reversed(found.columns) if one not in named(roles)}
    above = tuple(free[name] for name in _ABOVE if name in free and _is_text(values(found, free[name])))
    wanted = [*(_BELOW["instruction"] if prompt.lower() == "instruction" else ()), *_BELOW["code"]]
    below = tuple(free[name] for name in wanted if name in free and _is_text(values(found, free[name])))
    made = {"before": above, "after": below, "options": _options(found, roles, free)}
    return {role: given[0] if len(given) == 1 else given for role, given in made.items() if given}


def _is_text(given: Sequence[Any]) -> bool:
    return bool(given) and all(isinstance(one, str) for one in given) and any(one.strip() for one in given)


def _options(found: Look, roles: Roles, free: Mapping[str, str]) -> tuple[str, ...]:
    for name in (free[one] for one in _OPTIONS if one in free):
        if readable(found, name):
            return () if _is_shown(found, roles, name) else (name,)
    families: dict[str, list[str]] = {}
    for one in found.columns:
        if (match := _FAMILY.fullmatch(one)) and (match["stem"] or one.isupper()) and one not in named(roles):
            families.setdefault(match["stem"].lower(), []).append(one)
    for stem, members in families.items():
        if len(members) >= (2 if stem else 3) and _goes_on(members) and readable(found, members):
            return tuple(members)
    return ()


def _goes_on(members: Sequence[str]) -> bool:
    """Whether their marks are A, B, C ... or 1, 2, 3 ... in this order, all of them."""
    places = [ord(one[-1].lower()) for one in members]
    return places[0] in (ord("a"), ord("1"), ord("0")) and places == list(range(places[0], places[0] + len(places)))


def readable(found: Look, name: str | Sequence[str]) -> bool:
    """Whether the options of some rows can be read, and those of none cannot."""
    try:
        return any(options_of(dict(row), name).lines for row in found.rows)
    except RowError:
        return False


def _is_shown(found: Look, roles: Roles, name: str) -> bool:
    """Whether the problems' own text has the options already."""
    prompt = str(roles["prompt"])
    rows = [dict(row) for row in found.rows if row.get(name)]
    return all(
        _folded(line.partition(". ")[2] or line) in _folded(column(row, prompt) if has_column(row, prompt) else "")
        for row in rows
        for line in options_of(row, name).lines
    )


def answered(found: Look, roles: Roles) -> dict[str, str | tuple[str, ...]]:
    """The roles of a question with options, with the column that says which is right: by its mark, else by its number,
    else by its text. A number of which nobody can tell from where it counts is none.
    """
    left = {role: given for role, given in roles.items() if role != "reference_answer"}
    options = roles["options"]
    answer = roles.get("reference_answer")
    free = {one.lower(): one for one in reversed(found.columns) if one not in named(left)}
    names = [*([answer] if isinstance(answer, str) else []), *(free[key] for key in _KEYS if key in free)]
    said = {name: _said_as(found, options, name) for name in names}
    for how, role in {"mark": "reference_answer", "number": "answer_index", "text": "reference_answer"}.items():
        for name in (one for one in names if said[one] == how):
            return {**left, role: name}
    return left


def _said_as(found: Look, options: str | Sequence[str], name: str) -> str:
    """How a column's values name the right option: "mark", "text", "number" (from 0), or "" where nobody can tell."""
    rows = [dict(row) for row in found.rows if has_column(dict(row), name) and column(dict(row), name) is not None]
    seen = [(str(column(row, name)).strip(), options_of(row, options)) for row in rows]
    if not seen or all(written in given.marks for written, given in seen):
        return "mark" if seen else ""
    if all(any(line.partition(". ")[2] == written for line in given.lines) for written, given in seen):
        return "text"
    if not all(_NUMBER.fullmatch(written) for written, _ in seen):
        return "text"
    numbers = [(int(float(written)), len(given.marks)) for written, given in seen]
    from_zero = any(number == 0 for number, _ in numbers) and all(number < count for number, count in numbers)
    return "number" if from_zero else ""


def unaccounted(found: Look, roles: Roles, ignored: Sequence[str] = ()) -> list[str]:
    """The columns that may be a part of the problem and that no model would see: all that is neither used, nor named
    like what stands beside a problem or says its answer, nor found in the problem's own text.
    """
    if found.known or "*" in ignored:
        return []
    used = named(roles)
    free = (one for name in found.columns for one in _leaves(found, name, used))
    return [one for one in free if one not in used and one not in ignored and _may_be_part(found, roles, one)]


def _leaves(found: Look, name: str, used: set[str]) -> Iterator[str]:
    """The column itself, or its fields where one of them is used."""
    if name in used or not any(one.startswith(f"{name}.") for one in used):
        yield name
        return
    fields = dict.fromkeys(str(key) for one in values(found, name) if isinstance(one, Mapping) for key in one)
    for field in fields:
        yield from _leaves(found, f"{name}.{field}", used)


def _may_be_part(found: Look, roles: Roles, name: str) -> bool:
    last = name.rsplit(".", 1)[-1]
    given = [one for one in values(found, name) if not isinstance(one, bool) and one not in ("", [], {})]
    if not given or _BESIDE.fullmatch(last) or _ANSWERS.fullmatch(last):
        return False
    prompt = roles.get("prompt")
    if not isinstance(prompt, str) or not all(isinstance(one, str) for one in given):
        return True
    rows = [dict(row) for row in found.rows]
    both = [
        (column(row, name), column(row, prompt)) for row in rows if has_column(row, name) and has_column(row, prompt)
    ]
    return not all(_folded(one) in _folded(whole) for one, whole in both if one)


def _folded(given: Any) -> str:
    return " ".join(str(given or "").split())
