"""Reads the verdict in what a judge says. What is not plainly the judge's own, whole and single verdict is none.

A verdict stands on a line of its own, as JSON or as `name: number`. What stands inside a sentence, in quotation marks
or in a quoted block is somebody else's word. Two verdicts that differ are none. A number is a verdict only as a whole:
`1 to 5`, `4/10`, `5e0`, `NaN` and what is off the scale are none, and neither is anything in a thought.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from tracemill.judge.fencing import harmless
from tracemill.judge.retracting import is_introduced_as_no_verdict, is_taken_back, other_numbers
from tracemill.models.request import Reply

FINISHED = "stop"
_THOUGHT_ENDS = re.compile(r"</think>|<\|end_of_thought\|>|\[/THINK\]|</seed:think>|<\|channel\|>final<\|message\|>")
_THOUGHT_BEGINS = re.compile(
    r"<think>|<\|begin_of_thought\|>|\[THINK\]|<seed:think>|<\|channel\|>(?:analysis|commentary)"
)
_LEAD_WORDS = (
    "here is are my the so thus therefore final overall score verdict evaluation assessment rating json answer"
)
_LEAD = rf"(?:(?:{'|'.join(_LEAD_WORDS.split())}|judge?ment)[ ,]*){{1,8}}:[ \t]*"
_MARKED = r"[ \t]*(?:[-*#]+[ \t]+|[0-9]\.[ \t]+)?[*_]{0,3}"
_BLOCK = r"(?:(?:```|''')[a-z]*[ \t]*)?"
_BARE = r"[0-9]+(?:\.[0-9]+)?"
_OF = rf"(?:\s*(?:/|out of)\s*(?P<top{{0}}>{_BARE}))?"
_NUMBER = re.compile(
    rf"[*_]{{0,3}}(?P<quote>[\"']?)(?:<\s*{_BARE}\s*>|\[\s*{_BARE}\s*\]|\(\s*{_BARE}\s*\)|{_BARE}){_OF.format(1)}"
    rf"[*_]{{0,3}}(?P=quote)[*_]{{0,3}}{_OF.format(2)}"
    r"(?=\s*(?:\Z|[;}\]`(#]|'''|,(?!\s*[0-9])|\.(?![0-9])|[-–—](?!\s*[0-9])|//)|[ \t]*$)",
    re.MULTILINE,
)
# Another scale said behind the number: `5 (out of 10)`, `5 on a scale of 1 to 10`, `5, max 10`.
_SCALED = re.compile(
    rf"\bout\s+of\s+({_BARE})|\bscale\s+(?:of|from)\s+{_BARE}\s*(?:to|[-–—])\s*({_BARE})|\bmax(?:imum)?\W+(?:of\s+|is\s+)?({_BARE})"
    rf"|^\s*\(\s*/\s*({_BARE})",
    re.IGNORECASE,
)
_RATED = re.compile(
    r"\b(?:scor|rat(?:e|ing)|grad|mark|correct|similar)\w*\b[^\n]{0,60}?[0-9]|[0-9]\s*(?:/|out of)\s*[0-9]"
    r"|(?:评分|得分|打分|评为)[^\n]{0,20}[0-9]",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:can ?not|can[’']t|unable|insufficient|not enough|impossible|unclear|unsure|uncertain)\b|无法|不能|不确定",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"[\"']?\s*[<\[]\s*[a-z]", re.IGNORECASE)
_TRAILING_COMMA = re.compile(r",(?=\s*})")


def said_by(reply: Reply) -> str | None:
    """What a model says after any thinking; None when the answer was cut or the thinking never ended."""
    return spoken(reply.text) or None if reply.finish_reason == FINISHED else None


def spoken(text: str) -> str:
    """What follows the first end of a thought, so that a quoted end hides nothing; nothing inside a thought."""
    end = _THOUGHT_ENDS.search(text)
    if end:
        return text[end.end() :]
    return "" if _THOUGHT_BEGINS.search(text) else text


def verdict(said: str, names: Sequence[str], low: float, high: float) -> float | None:
    """The judge's verdict under one of these names, on a scale from `low` to `high`; None when there is none."""
    found = set(_verdicts(said, names, high))
    number = found.pop() if len(found) == 1 else None
    if number is not None and any(other != number for other in other_numbers(said, _named(names), _BARE)):
        return None
    return number if number is not None and low <= number <= high else None


def claims(text: str, names: Sequence[str]) -> set[float]:
    """The numbers that a text gives itself under one of these names: a judge that says one may only quote it."""
    plain = unicodedata.normalize("NFKC", harmless(text))
    pattern = rf"{_named(names)}[\"'*_`]*\s*[:=]\s*[\"'<\[(*_`\\]*({_BARE})"
    return {float(found[1]) for found in re.finditer(pattern, plain, re.IGNORECASE)}


def rates_in_words(said: str) -> bool:
    """Whether a judgement has a rating somewhere in its sentences, and no doubt whether one can be given."""
    return _RATED.search(said) is not None and _UNSURE.search(said) is None


def _named(names: Sequence[str]) -> str:
    return rf"(?:{'|'.join(names)})(?:[ _]score)?"


def _verdicts(said: str, names: Sequence[str], high: float) -> Iterator[float | None]:
    """Every verdict on a line of its own: its number, or None where what stands there is no number."""
    key = rf"(?P<quote>[\"']?){_named(names)}(?P=quote)[*_]{{0,3}}\s*[:=：][*_]{{0,3}}[ \t]*"
    begins = re.compile(
        rf"^{_BLOCK}{_MARKED}(?:{_LEAD})?(?:{_MARKED}{key}|(?P<object>\{{))", re.IGNORECASE | re.MULTILINE
    )
    first_member = re.compile(rf"\s*{key}", re.IGNORECASE)
    place = 0
    while found := begins.search(said, place):
        place = found.end()
        foreign = is_introduced_as_no_verdict(said[: found.start()])
        if found["object"]:
            members, end = _object(said, place - 1)
            if members is not None:
                place = end
                own = [value for name, value in members if re.fullmatch(_named(names), name, re.IGNORECASE)]
                values = [_value(value, high) for value in own if not _is_place(value)]
                whole = not is_taken_back(said[end:], high in values) and not foreign
                yield from (value if whole else None for value in values)
                continue
            if not (inner := first_member.match(said, place)):
                continue
            place = inner.end()
            foreign = foreign or "}" not in said[place:]  # cut: more may have followed
        if not _PLACEHOLDER.match(said, place):
            yield None if foreign else _number(said, place, high)


def _object(text: str, start: int) -> tuple[list[tuple[str, Any]] | None, int]:
    """The members of the JSON object there, also with the trailing comma of table 5, and where it ends."""
    for repaired in (text[start:], _TRAILING_COMMA.sub(" ", text[start:], count=1)):
        try:
            members, size = _DECODER.raw_decode(repaired)
        except (ValueError, RecursionError):
            continue
        return members, start + size
    return None, start


def _number(text: str, place: int, high: float) -> float | None:
    found = _NUMBER.match(text, place)
    if found is None or any(float(found[top] or high) != high for top in ("top1", "top2")):
        return None
    behind = text[found.end() :].split("\n", 1)[0]
    if any(float(next(filter(None, one.groups()))) != high for one in _SCALED.finditer(behind)):
        return None
    bare = re.search(_BARE, found[0])
    if bare is None or is_taken_back(text[found.end() :], float(bare[0]) == high):
        return None
    return float(bare[0])


def _is_place(value: Any) -> bool:
    """Whether that is the place that the prompt's own format leaves open."""
    return isinstance(value, str) and _PLACEHOLDER.match(value) is not None


def _value(value: Any, high: float) -> float | None:
    if isinstance(value, str):
        return _number(value.strip(), 0, high)
    return None if isinstance(value, bool) or not isinstance(value, int) else float(min(value, 10**9))


# Numbers with a point and NaN as the text they are, so that they are read like any other.
_DECODER = json.JSONDecoder(object_pairs_hook=list, parse_float=str, parse_constant=str, strict=False)
