r"""Finds \boxed{} and \fbox{} in a text, and what belongs to them: the rest of their formula, and their neighbours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_BOX = re.compile(
    r"\\(?:boxed|fbox)(?![A-Za-z])\s*(?:(?P<brace>\{)|"
    r"(?P<bare>[-+]?\d+(?:[.,]\d+)*|[A-Za-z](?![A-Za-z])|\\[dt]?frac\s?\d\s?\d))"
)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_MENTION = re.compile(
    r"(?:\.{2,}|…|\\[cl]?dots|(?:your|the|final|my)? ?answer(?: here)?|answer_here"
    r"|\s*\\text\{\s*(?:your )?answer\s*\})",
    re.IGNORECASE,
)
_MOST_JOINED = 50  # boxes of one list
_REACH = 200  # characters of a formula read on either side of a box
_WITHIN_REACH = 70  # characters between two boxes of one list: math-verify 0.9, extract_boxed_content
_MARKS = re.compile(r"\$|\\[()\[\]]|\*\*|[{}&]|\\\\|\\(?:quad|qquad|[,;:! ])")
_JOINT = re.compile(
    r"\s*(?:(?:,|;|，|、|和|或|\band\b|\bor\b|\\text\s*(?:and|or|,)|\\text)\s*)*(?:[A-Za-z]\w{0,2}\s*=\s*)?",
    re.IGNORECASE,
)
_OTHER_FORM = re.compile(
    r"\(\s*(?:or|i\.?e)\b|\bor equivalently\b|\bi\.e\.|\bthat is,|\bwhich (?:is|equals)(?: equal to)?\s*[$\\(\[]*\s*$",
    re.IGNORECASE,
)
_CONNECTED = re.compile(r"\b(?:and|or)\b", re.IGNORECASE)
_CORRECTED = re.compile(
    r"\b(?:so|thus|hence|therefore|but|then|which|actually|correct\w*|instead|wait|equals?|simplif\w*|now|after|finally"
    r"|implies|gives?|rather|not|because|since|becomes?|yields?)\b|[.?!。]\s",
    re.IGNORECASE,
)
_RELATION = re.compile(
    r"=|\\(?:approx|equiv|le|leq|ge|geq|ne|neq|in|to|rightarrow|Rightarrow|implies|iff|therefore|Longrightarrow"
    r"|longrightarrow|quad|qquad|colon)(?![A-Za-z])|[<>&:,;]|\\\\|\\text\s*\{[^{}]*\}|\\[,;:! ]"
)
_RIGHT_END = re.compile(
    r"=|\\(?:approx|equiv|le|leq|ge|geq|ne|neq|to|rightarrow|Rightarrow|implies|iff|quad|qquad|end|tag|boxed|fbox"
    r"|pmod|bmod|mod|square|Box|blacksquare|qed|hfill|checkmark)(?![A-Za-z])|(?<!\\)[<>&,;]|\\\\|[.。](?:\s|$)|\$|\\[)\]]|\n"
)
_UNEQUAL = re.compile(r"[<>]|\\(?:le|leq|ge|geq|ne|neq)(?![A-Za-z])")
_PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{3,}|[\u4e00-\u9fff]")
_TEXT_COMMAND = re.compile(r"\\(?:text|mathrm|mbox|textbf|operatorname)\s*\{[^{}]*\}|\\[A-Za-z]+")
_NAME = re.compile(r"([A-Za-z]\w{0,2}\s*=\s*)$")
_PLAIN_LEFT = re.compile(r"(?:^|[\s=:(])([-+−–]\s?)$")
_PLAIN_RIGHT = re.compile(
    r"(?:\s*\^\{?\\circ\}?|\s*°|\s*\\?%|\\sqrt(?:\{[^{}]*\}|\d)|\\pi|\^\{?\w+\}?|\s*\\(?:times|cdot)\s*[^\s$,;.]+|[A-Za-z]{1,3}(?![A-Za-z]))"
)


_PART = re.compile(
    r"^[ \t]*(?:[-*#>]+[ \t]*)?(?:\*\*)?(?:part|question|第)?[ \t]*[(（]([a-j]|[1-9]|i{1,3}|iv|vi?)[)）]",
    re.IGNORECASE | re.MULTILINE,
)


class Box(NamedTuple):
    """A box from `start` to `end` of a text. `content` is None where it is not closed."""

    start: int
    end: int
    content: str | None


def find_boxes(text: str) -> list[Box]:
    """The outermost boxes in their order, without those that only mention how an answer is to be boxed."""
    boxes: list[Box] = []
    for match in _BOX.finditer(text):
        if boxes and match.start() < boxes[-1].end:
            continue  # a box inside a box belongs to the outer one
        if match["brace"]:
            end = closing(text, match.end())
            box = Box(match.start(), end or len(text), text[match.end() : end - 1].strip() if end else None)
        else:
            box = Box(match.start(), match.end(), match["bare"])
        if not _mentioned(text, box):
            boxes.append(box)
    return boxes


def _mentioned(text: str, box: Box) -> bool:
    quoted = text[: box.start].endswith("`") and text[box.end : box.end + 1] == "`"
    return box.content is not None and (_MENTION.fullmatch(box.content) is not None or (quoted and not box.content))


def closing(text: str, start: int) -> int | None:
    r"""The position after the brace that closes the one before `start`; \{ and \} do not count."""
    depth = 1
    for match in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return match.end()
    return None


def last_answer(text: str, boxes: Sequence[Box]) -> tuple[str, bool]:
    """What the last boxes say: the last one, or the list that it ends, with the rest of their formula.

    The second value says whether it is only likely that several boxes are one list.
    """
    if parts := _labelled(text, boxes):
        return "; ".join(box.content or "" for box in parts), True
    first = len(boxes) - 1
    unsure = False
    while first and boxes[first - 1].content and len(boxes) - first < _MOST_JOINED:
        between = text[boxes[first - 1].end : boxes[first].start]
        if len(between) < _WITHIN_REACH and _OTHER_FORM.search(between):
            return last_answer(text, boxes[:first])
        bare = _MARKS.sub(" ", between)
        if len(between) < _WITHIN_REACH and _JOINT.fullmatch(bare):
            first -= 1
        elif len(between) < _WITHIN_REACH and _CONNECTED.search(bare) and not _CORRECTED.search(bare):
            first = first - 1
            unsure = True
        else:
            break
    group = boxes[first:]
    if len({box.content for box in group}) == 1:
        whole = _in_formula(text, boxes[-1])
        return whole, whole != boxes[-1].content and _is_nested(text, boxes[-1])
    return (", ".join(box.content or "" for box in group) if unsure else _unwrapped(text, group)), unsure


def _labelled(text: str, boxes: Sequence[Box]) -> Sequence[Box]:
    """The boxes of the last run of labelled parts: `(a) \\boxed{5} (b) \\boxed{7}`; none where the last is no part."""
    labels = [_PART.findall(text[(boxes[at - 1].end if at else 0) : box.start])[-1:] for at, box in enumerate(boxes)]
    for names in ("abcdefghij", "123456789", ("i", "ii", "iii", "iv", "v", "vi")):
        for count in range(2, min(len(boxes), len(names)) + 1):
            if labels[-count:] == [[name] for name in names[:count]]:
                return boxes[-count:]
    return ()


def _is_nested(text: str, box: Box) -> bool:
    r"""Whether a box is an exponent, a numerator, a radicand or a bound: perhaps the box alone was meant."""
    part = _left_part(text[max(0, box.start - _REACH) : box.start])
    return part.count("{") > part.count("}") or _UNEQUAL.search(part) is not None


def _unwrapped(text: str, group: Sequence[Box]) -> str:
    """Several boxes and what joins them, without the boxes: `x = 1 and y = 2`, `(3, 4)`."""
    name = _NAME.search(text[: group[0].start])
    out = name[1] if name else ""
    between_any = "".join(text[one.end : other.start] for one, other in pairwise(group))
    if "=" not in between_any:
        out = ""
    for place, box in enumerate(group):
        out += box.content or ""
        if place + 1 < len(group):
            joint = _MARKS.sub(" ", text[box.end : group[place + 1].start]).replace(r"\text", " ")
            out += _joint(joint)
    left = text[: group[0].start].rstrip()[-1:]
    right = text[group[-1].end :].lstrip()[:1]
    return f"({out})" if (left, right) == ("(", ")") else out


def _joint(between: str) -> str:
    """What joins two members: "or" stays, everything else is a comma; a name that follows is kept."""
    name = _NAME.search(between)
    sign = " or " if re.search(r"\bor\b|或", between) else ", "
    return sign + (name[1] if name else "")


def _in_formula(text: str, box: Box) -> str:
    """The box's content with what its formula multiplies, raises or negates it by."""
    before = text[max(0, box.start - _REACH) : box.start]
    after = text[box.end : box.end + _REACH]
    if _inside_formula(text, box.start):
        left = _left_part(before)
        right = after[: end.start()] if (end := _RIGHT_END.search(after)) else after
        if not _is_prose(left) and not _is_prose(right):
            return _assembled(left, box.content or "", right.strip())
    sign = _PLAIN_LEFT.search(before)
    factor = _PLAIN_RIGHT.match(after)
    return _assembled(sign[1] if sign else "", box.content or "", factor[0] if factor else "")


def _left_part(before: str) -> str:
    opening = max(before.rfind(mark) + len(mark) for mark in ("$", r"\(", r"\[", "\n\n") if mark in before + "$")
    begun = max((found.end() for found in re.finditer(r"\\begin\{[a-z]+\*?\}|\\item", before)), default=0)
    inside = before[max(opening, begun) :]
    signs = list(_RELATION.finditer(inside))
    if signs and _UNEQUAL.fullmatch(signs[-1][0]):
        signs.pop()  # x > 3 says another thing than 3
    return inside[signs[-1].end() if signs else 0 :].strip().lstrip("*")


def _is_prose(part: str) -> bool:
    return _PROSE.search(_TEXT_COMMAND.sub(" ", part)) is not None


def _assembled(left: str, content: str, right: str) -> str:
    right = right.strip().rstrip(".*~ ")
    left = left.strip()
    if left + right in ("", "()", "[]", "{}"):
        return content
    return f"{left}{{{content}}}{right}" if left or right[:1] in ("^", "!") else f"{content}{right}"


def _inside_formula(text: str, place: int) -> bool:
    """Whether a place lies between math marks of its paragraph."""
    paragraph = text[max(text.rfind("\n\n", 0, place), 0, place - 20 * _REACH) : place].replace(r"\$", "")
    if paragraph.replace("$$", "$").count("$") % 2:
        return True
    if paragraph.rfind(r"\(") > paragraph.rfind(r"\)") or paragraph.rfind(r"\[") > paragraph.rfind(r"\]"):
        return True
    return paragraph.rfind(r"\begin{") > paragraph.rfind(r"\end{")
