"""Decides whether what two rows say of the right answer shows that they are two problems."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import orjson

from tracemill.text.choices import parted
from tracemill.text.folding import folded
from tracemill.text.wording.words import Parts

Verdict = Literal["equal", "different", "unknown", "ask"]
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:/\d+)?")
_ASSERT = re.compile(r"^\s*assert\s+(.+?)\s*==\s*(.+?)\s*(?:,\s*[frb]?[\"'].*)?$", re.M)
_CALLED = re.compile(r"([A-Za-z_]\w*)\s*\(")
_LETTER = re.compile(r"\(?([A-J])\)?[.:]?")
_TELLING = 2  # characters of an answer that two problems do not share by chance


@dataclass(frozen=True)
class Evidence:
    """What a row says of its answer; each may be absent. `choices` are those of its text, by letter."""

    reference: str | None
    tests: Mapping[str, str]
    functions: frozenset[str]
    constraints: str | None
    choices: Mapping[str, str]


def evidence(text: str, row: Mapping[str, Any]) -> Evidence:
    """Of a row of `problems` with its text in one spelling."""
    reference = row.get("reference_answer")
    tests, functions = _tests(row.get("test_case") or "")
    return Evidence(
        reference=" ".join(folded(str(reference)).split()) or None if reference else None,
        tests=tests,
        functions=functions,
        constraints=_canonical(row["constraints"]) if row.get("constraints") else None,
        choices=parted(text)[1],
    )


def compared(one: Evidence, other: Evidence) -> Verdict:
    """Whether the two rows' answers are the same; `ask`: only a verifier can tell, of `stated` of both."""
    if one.constraints and other.constraints and one.constraints != other.constraints:
        return "different"
    if one.functions and other.functions and not one.functions & other.functions:
        return "different"
    if any(one.tests[call] != other.tests[call] for call in one.tests.keys() & other.tests.keys()):
        return "different"
    if one.choices and other.choices and sorted(one.choices.values()) != sorted(other.choices.values()):
        return "different"
    first = stated(one)
    second = stated(other)
    if first is None or second is None:
        return "unknown"
    if first.lower() == second.lower():
        return "equal"
    values = [_number(text) for text in (first, second)]
    return "ask" if None in values else "equal" if values[0] == values[1] else "different"


def stated(one: Evidence) -> str | None:
    """The reference; for a choice's letter what the choice says."""
    return said(one.reference, one.choices) if one.reference else None


def said(reference: str, choices: Mapping[str, str]) -> str:
    """What a choice's letter stands for; any other reference as it is."""
    letter = _LETTER.fullmatch(reference)
    return choices.get(letter[1], reference) if letter else reference


def telling(one: Evidence, text: Parts) -> bool:
    """Whether the answer is one that two problems hardly share by chance: no single digit, nor a number of the text."""
    answer = stated(one) or ""
    named = answer.strip("$ ").replace(",", "") in text.words
    return len(answer) >= _TELLING and answer.lower() not in ("yes", "no", "true", "false") and not named


def _number(text: str) -> Fraction | None:
    plain = text.strip("$ ").replace(",", "")
    try:
        return Fraction(plain) if _NUMBER.fullmatch(plain) else None
    except ZeroDivisionError:
        return None


def _canonical(text: str) -> str:
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONDecodeError:
        return text


def _tests(text: str) -> tuple[dict[str, str], frozenset[str]]:
    """What each input must give, as far as the tests can be read, and the names of the functions they call."""
    try:
        suite = orjson.loads(text) if text.lstrip()[:1] in ("{", "[") else text
    except orjson.JSONDecodeError:
        suite = text
    if isinstance(suite, dict) and isinstance(suite.get("inputs"), list) and isinstance(suite.get("outputs"), list):
        pairs = zip(suite["inputs"], suite["outputs"], strict=False)
        name = suite.get("fn_name")
        return {_plain(given): _plain(wanted) for given, wanted in pairs}, frozenset([name] if name else [])
    code = "\n".join(_strings(suite))
    found = _ASSERT.findall(code)
    calls = [_CALLED.search(call) for call, _ in found]
    return dict(found), frozenset(call[1] for call in calls if call)


def _plain(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else orjson.dumps(value).decode()


def _strings(value: Any) -> Sequence[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []
