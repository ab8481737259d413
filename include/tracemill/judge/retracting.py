"""Tells a verdict that its own sentence, the line above it or a later sentence takes back: it is none.

`5 (if it were right)` is a condition, `5, as the response claims` somebody else's word, `Actually, correctness: 1`
behind a 5 a correction, and what stands below "For example:" an example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CONDITIONS = (
    r"if|unless|assum\w+|provid(?:ed|ing)|suppos\w+|in case|were|would|could|might|hypothetical\w*|theoretical\w*"
    r"|had it|conditional\w*|on condition|maybe|perhaps|possibly|probably|until|pending|except|otherwise|actually"
    r"|i mean|rather|instead|correction|scratch that|kidding|jok(?:e|ing)|for example|e\.g|sample|placeholder"
    r"|wenn|falls|sofern|angenommen|wäre|vielleicht|si c'était|peut-être"
)
_UNSAID = rf"\b(?:{_CONDITIONS})\b|如果|假如|假设|倘若|要是|除非|可能|也许|其实|本应|应该是"
_SAYING = (
    "say|said|claim|demand|ask|want|request|requir|insist|instruct|order|tell|told|writ|wrote|print|output|propos"
    "|suggest|beg"
)
_ATTRIBUTED = (
    rf"\b(?:response|answer|solution|text|student|user|author|it|he|she|they|prompt|instructions?)\s+(?:\w+\s+)?"
    rf"(?:{_SAYING})\w*\b|\bas (?:{_SAYING})\w*\b|\baccording to\b|\bas (?:the|its|their) \w+ (?:{_SAYING})"
    r"|回答(?:里|中)?(?:写|说|要求)|学生(?:写|说|要求)"
)
_TAKES_BACK = re.compile(rf"{_UNSAID}|{_ATTRIBUTED}|^\W*(?:not|no|never|nope|nein|不)(?!\w)", re.IGNORECASE)
_SENTENCE_BEGINS = re.compile(rf"[\s.。]*(?:(?:but|only|and)\s+)?(?:{_UNSAID})", re.IGNORECASE)
_CONTRADICTS = re.compile(
    r"(?<!not )(?<!n't )(?<!no )(?<!nothing )(?<!never )\b(?:wrong|incorrect|false|mistaken)\b", re.IGNORECASE
)
_INTRODUCES = re.compile(
    rf"{_UNSAID}|{_ATTRIBUTED}|\b(?:examples?|formats?|templates?|injected|quot\w+|forged|fake|requested|instructed|hidden)\b"
    r"|例如|格式|示例",
    re.IGNORECASE,
)
_CORRECTS = (
    r"\b(?:wait|actually|correction|sorry|on (?:second thoughts?|(?:further )?reflection)|hmm+|oops|scratch|revis\w+"
    r"|updat\w+|instead|changed my mind|kidding|my mistake)\b|等等|其实|更正|不对"
)
_ENDS = ".!?。！？:：}"
_OPPOSES = re.compile(r"\s*(?:however|but|yet|still|nevertheless|但|然而|不过)\b", re.IGNORECASE)
_SUPPOSES = re.compile(
    r"\b(?:if|unless|assum\w+|suppos\w+|would|had it|perhaps|maybe|hypothetical\w*)\b|如果|假如|假设|倘若",
    re.IGNORECASE,
)
_IGNORED = re.compile(
    r"\b(?:ignore|disregard|discard|retract|withdraw|strike|scratch)\b[^.\n]{0,40}"
    r"\b(?:above|that|this|score|verdict|rating|previous|it)\b"
    r"|(?:忽略|作废|撤回)[^。\n]{0,12}(?:以上|上面|分数|评分)",
    re.IGNORECASE,
)
_CLOSERS = "\"'`*_}] \t,"


def is_taken_back(behind: str, is_highest: bool = False) -> bool:
    """Whether what stands behind a verdict makes it a condition, a guess, a correction or somebody else's word.

    `is_highest`: the verdict is the best there is, so that "wrong" beside it contradicts it.
    """
    remark, _, below = behind.lstrip(_CLOSERS).partition("\n")
    if _SENTENCE_BEGINS.match(remark) or (not remark.strip(_CLOSERS + ".") and _SENTENCE_BEGINS.match(below)):
        return True
    if _IGNORED.search(behind) or (
        is_highest and _OPPOSES.match(below) and _CONTRADICTS.search(_first_sentence(below))
    ):
        return True
    clause = _first_sentence(remark)
    return bool(_TAKES_BACK.search(clause) or (is_highest and _CONTRADICTS.search(clause)))


def _first_sentence(text: str) -> str:
    return re.split(r"[.。](?:\s|$)", text.strip(), maxsplit=1)[0]


def is_introduced_as_no_verdict(before: str) -> bool:
    """Whether the line above a verdict says that an example, a condition or somebody else's word follows."""
    line = before.rstrip().rpartition("\n")[2].strip("*_# ")
    if line and not before.endswith("\n\n") and line[-1] not in _ENDS and _SUPPOSES.search(line):
        return True  # "If it were complete I would give" and the verdict below
    return line.endswith((":", "：")) and _INTRODUCES.search(line) is not None


def other_numbers(said: str, named: str, number: str) -> Iterator[float]:
    """The numbers that sentences give in the verdict's place: "Wait, the correctness is 1", "the final score is 1".

    `named` and `number` are the patterns of the verdict's name and of a number.
    """
    places = (
        rf"(?:{_CORRECTS})[^\n]{{0,80}}{named}[^\n0-9]{{0,20}}({number})",
        rf"\b(?:final|correct|right|true|actual|real|overall)\s+(?:score|rating|grade|verdict)\b[^\n0-9]{{0,20}}({number})",
        rf"\b(?:score|rating|grade|verdict)\s+(?:must|should|has to|ought to)\b[^\n0-9]{{0,20}}({number})",
    )
    for place in places:
        yield from (float(found[1]) for found in re.finditer(place, said, re.IGNORECASE))
