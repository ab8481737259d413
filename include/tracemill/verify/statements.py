"""Reads from a problem's statement how answers compare, where its row does not say: any letter case, how near a number
must be, and whether several answers are right.

Only what a statement says in so many words counts. On 408 Codeforces and 165 CodeContests statements see
docs/design/verification.md.
"""

from __future__ import annotations

import re
from typing import Any

_LONGEST = 200_000  # characters of a statement that are read
_SAY = r"(?:print|output|outputs|return|returns|report|write|find|construct|display|provide)"
_MANY = r"(?:multiple|several|many|more than one|two or more)"
_SENTENCE = re.compile(r"[.!?。！？；;\n]+")
_SEVERAL = tuple(
    re.compile(pattern)
    for pattern in (
        # "if there are multiple answers, print any"
        rf"\b(?:if|in case|in the case|when|where)\b.*\b{_MANY}\b.*\b(?:{_SAY}|choose|pick|select|give|show)\b.*"
        r"\b(?:any|arbitrary|one of (?:them|these|the))\b",
        rf"\b{_MANY} (?:\w+ )?(?:answers|solutions|outputs)\b.*\b(?:any|accept\w*)\b",
        # "print any of them", "output any suitable matrix", "return any valid order"
        rf"\b{_SAY} (?:out |me )?(?:just |an? |the )?(?:any|arbitrary)\b"
        r"(?! (?:extra|other|message|more|additional|prompt|debug))",
        rf"\b{_SAY}\b.*\bany (?:such|valid|suitable|possible|correct|permutation)\b",
        r"\bany (?:[^\s,]+ ){1,12}(?:will|would|shall) (?:all |also )?be "
        r"(?:accepted|considered (?:as )?correct|acceptable)\b",
        rf"\b(?:{_SAY}|returned|printed)\b.*\bin (?:any|an arbitrary|arbitrary|any arbitrary) order\b",
        r"\b(?:answer|solution|output) (?:is|may|might|need) not (?:always |necessarily )?(?:be )?unique(?:ly)?\b",
        r"\bspecial judge\b|\bspecial checker\b",
        r"(?:输出|打印|返回|给出)(?:其中)?(?:任意|任何|任一|随便)",
        r"(?:多个|多种|多组|多解|不唯一).*(?:任意|任一|任何|均可|都可|即可)",
        r"(?:выведите|вывести|найдите).*(?:любо[йе]|любую|любые)",
    )
)
# "if you did not find any"
_DENIED = re.compile(rf"(?:n['’]t|\bnot|\bcannot|\bnever|\bunable to)\s(?:\w+ ){{0,2}}{_SAY} (?:\w+ )?any\b")
_ERROR = re.compile(r"\berror\b")  # "any answer with an error below 1e-5 is accepted" is a tolerance
# "if there are multiple, print the smallest": one answer is asked for after all
_ONE = re.compile(
    rf"\b{_SAY} (?:the |that |one |it |them )*(?:with |which |that |is |has |in |of )*(?:the |a )?"
    r"(?:lexicographical(?:ly)?|alphabetical(?:ly)?|smallest|largest|minimum|maximum|minimal|maximal|"
    r"earliest|latest|first|last|lowest|highest|"
    r"least|greatest|leftmost|rightmost|shortest|longest)\b(?!.*\b(?:any|arbitrary)\b)|字典序"
)
_ANY_CASE = re.compile(
    r"\b(?:in|of) (?:any|either|arbitrary) (?:letter )?(?:case|register)s?\b"
    r"(?!,|s? (?:of|where|there|you|we|it|he|she|if))|"
    r"\bany case you want\b|\bcase[- ]insensitive(?:ly)?\b|"
    r"\b(?:upper|lower)(?:case)? or (?:upper|lower)\s?case\b.*\b(?:accept|recogni)|"
    r"\bletter case (?:does not|doesn't) matter\b|大小写(?:均可|不敏感|不限|任意)|不区分大小写"
)
_TELLS_OF_CASE = re.compile(rf"\b(?:{_SAY}|answer|letters?|yes|no|strings?|case[- ]insensitive\w*)\b|大小写")
_POWER = r"10\s*\^?\s*\{?\s*[-−–]\s*\{?\s*(\d{1,2})\s*\}*|1e\s*[-−–]\s*0?(\d{1,2})|(0\.0{0,11}1)\b"
_TOLERANCE = re.compile(
    rf"\b(?:error|precision|accuracy|tolerance|difference|within|differ)\b[^.!?\n]{{0,120}}?(?:{_POWER})|"
    rf"(?:误差|精度)[^。\n]{{0,40}}?(?:{_POWER})"
)
_IN_PLACE = re.compile(
    r"\bdo not return anything\b|\b(?:modify|modified|modifying|sort|rotate|update|change)\b[^.!?\n]{0,80}"
    r"\bin[- ]place\b|\bin[- ]place\b[^.!?\n]{0,40}\bmodif|原地(?:修改|算法)|就地修改",
    re.IGNORECASE,
)
_INTERACTIVE = re.compile(r"\b(?<!not an )interactive (?:problem|task)\b|\binteractor\b|交互题", re.IGNORECASE)
_LOOSEST = 1  # 10**-1: what is looser than this was misread


def comparison_in(statement: str) -> dict[str, Any]:
    """Return what a statement says of how answers compare, as fields of `Compare`; {} where it says nothing."""
    text = re.sub(r"[$*`\\]|\\text\w*", "", statement[:_LONGEST].lower())
    found: dict[str, Any] = {}
    sentences = [" ".join(part.split()) for part in _SENTENCE.split(text)]
    if any(map(_says_several, sentences)):
        found["several"] = True
    if any(_ANY_CASE.search(part) and _TELLS_OF_CASE.search(part) for part in sentences):
        found["any_case"] = True
    tolerance = _tolerance(text)
    if tolerance is not None:
        found |= {"rel": tolerance, "abs": tolerance}
    return found


def is_interactive(statement: str) -> bool:
    """Return whether a program is to talk with a judge's program, which a file of tests cannot do."""
    return _INTERACTIVE.search(statement[:_LONGEST]) is not None


def is_in_place(statement: str) -> bool:
    """Return whether a function is to change its argument, so that what it returns shows nothing."""
    return _IN_PLACE.search(statement[:_LONGEST]) is not None


def _says_several(sentence: str) -> bool:
    if _ONE.search(sentence) or _ERROR.search(sentence) or _DENIED.search(sentence):
        return False
    return any(pattern.search(sentence) for pattern in _SEVERAL)


def _tolerance(text: str) -> float | None:
    """Return the largest error that the statement allows, or None."""
    allowed = []
    for match in _TOLERANCE.finditer(text):
        for group in filter(None, match.groups()):
            allowed.append(float(group) if "." in group else 10.0 ** -int(group))
    fair = [error for error in allowed if error <= 10.0**-_LOOSEST]
    return max(fair, default=None)
