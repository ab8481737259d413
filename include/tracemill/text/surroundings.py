"""Reads the sentence around a box: whether it denies, doubts or asks what the box holds, or says more than it."""

from __future__ import annotations

import re

_REACH = 80  # characters read on either side
_CLOSING = r"^(?:[\s$*)\]\\.]|\\[)\]])*"
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|cannot|can't|never|neither|nor|except|minus|negative|(?:less|more|greater|fewer|smaller|larger) than"
    r"|at (?:least|most)|over|under|exceeds?|perhaps|maybe|possibly)|n't|不是|不等于|至少|至多|可能是|负)"
    r"(?:\s+(?:be|equal|equal to|exactly|simply|just))*\s*(?:[$*(\[]|\\[(\[])*\s*$|(?<!\w)[-−](?:\$+|\\[(\[])\s*$",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    _CLOSING + r"(?:(?:is|was|are|would be|seems)\s+(?:\w+\s+){0,2}?(?:not|n't|incorrect|wrong|false|impossible|invalid"
    r"|too|excluded|rejected)\b|(?:is|was|are|does|ca|could|would)n(?:'|o)t\b|cannot\b|不对|是错|不是)",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(
    _CLOSING + r"(?:[,;!。，(]\s*)?(?:(?:wait|oops|hmm+|hold on|sorry|correction|on second thought|actually)\b[,.!:… ]"
    r"|no,|(?:but )?(?:that|this|it)(?:'s| is| was) (?:wrong|incorrect|not (?:right|correct)|a mistake)\b"
    r"|等等|等一下|不对|错了)",
    re.IGNORECASE,
)
_SUPPOSED_BEFORE = re.compile(
    r"\b(?:(?:might|may|could|would|to) (?:first |initially |naively )?"
    r"(?:think|guess|expect|believe|assume|suppose|suspect|say)"
    r"|tempt\w+|at first (?:glance|sight)|na[iï]ve\w*|common (?:mistake|error)|mistakenly|wrongly|incorrectly"
    r"|hypothetically|suppose)\b[^.!?。\n]*$|\b(?:if|had|were|unless)\b[^.!?。\n]*\bwould\b[^.!?。\n]*$|(?:误以为|乍一看|乍看|错误地)[^。\n]*$",
    re.IGNORECASE,
)
_OPPOSED_AFTER = re.compile(
    _CLOSING + r"[,;]?\s*(?:(?:but|however|yet|instead|in fact|in reality)\b|但|然而|实际上)[^.!?。\n]{0,60}\d",
    re.IGNORECASE,
)
_CONCLUDED_AFTER = re.compile(
    r"^[^.!?。\n]{0,40}\b(?:thus|so|hence|therefore|giving|which gives|then|implying)\b[^.!?。\n]{0,60}=", re.IGNORECASE
)
_MULTIPLIED = re.compile(r"(?:\d[.,]?|[×·]|~~)$")  # `2\boxed{5}` outside of any formula, or struck out
_GOES_ON_UNMARKED = re.compile(
    r"^(?:[$*)]|\\[)\]])*(?:\d|[.,]\d|\s*/\s*[\w\\(]"
    r"|\s*(?:over|squared|cubed|(?:more|less|fewer|greater|higher|lower) than|plus|minus|divided by|multiplied by"
    r"|times (?:as|the|\d|more|larger)|to the power|out of|if|unless|except)\b)"
)
_ARGUMENT = re.compile(
    r"\\(?:sqrt|[dtc]?frac|d?binom|overline|bar|hat|ln|log|sin|cos|tan|sout|st|[bx]?cancel|[hv]?phantom)"
    r"(?:\[[^\]]*\]|\{[^{}]*\})?\s*\{[^{}]*$"
)
_ASKED = re.compile(r"^[^.!\n。]{0,60}[?？]")
_GOES_ON = re.compile(
    r"^(?:[$*)\s]|\\[)\]])*(?:,|;|\b(?:or|and|to|through)\b|或|和|到)\s*(?:[$(]|\\[(\[])*\s*-?\s*(?:\d|\\[a-z]+\{?\d)"
)
_NOT_GOING_ON = re.compile(r"^(?:[$*)\s]|\\[)\]])*(?:,|;)\s*(?:\d{4}\b|\d+[.)])")
_MULTIPLE = re.compile(
    r"^(?:[$*)\s~]|\\[)\],; ])*(?:\\text\s*\{\s*)?(million|billion|trillion|thousand|hundred|dozen|万|亿|千|百)s?\b",
    re.IGNORECASE,
)


_HALF_OF_DAY = re.compile(
    r"^(?:[$*)\s~]|\\[)\],; ])*(?:\\(?:text|mathrm)\s*\{\s*)?([ap]m|[ap]\.\s?m\.?)(?![a-z])", re.IGNORECASE
)


def is_doubtful(text: str, start: int, end: int) -> bool:
    """Whether the sentence around text[start:end] denies it, doubts it, asks for it, or names a second value."""
    before = text[max(0, start - _REACH) : start]
    after = text[end : end + _REACH]
    if any(sign.search(after) for sign in (_DENIED_AFTER, _TAKEN_BACK, _ASKED, _OPPOSED_AFTER)):
        return True
    if _GOES_ON_UNMARKED.search(after):
        return True
    if _DENIED_BEFORE.search(before) or _SUPPOSED_BEFORE.search(before):
        return True
    bare = not any(mark in before for mark in ("$", r"\(", r"\["))
    if bare and (_MULTIPLIED.search(before) or _ARGUMENT.search(before)):
        return True
    return _GOES_ON.search(after) is not None and _NOT_GOING_ON.search(after) is None


def is_followed_up(text: str, end: int) -> bool:
    """Whether the sentence goes on from what stands there to another value: "b = 6, thus a + b = 11"."""
    return _CONCLUDED_AFTER.search(text[end : end + 2 * _REACH]) is not None


def multiple_behind(text: str, end: int, is_time: bool = False) -> str:
    """A number word that stands behind a box, or behind its formula, or the half of a time; blank where none does."""
    found = (_HALF_OF_DAY if is_time else _MULTIPLE).search(text[end : end + _REACH])
    return found[1] if found else ""
