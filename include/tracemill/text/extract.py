r"""Finds the final answer that a solution states: the last \boxed{}, else a stated-answer line, else nothing.

The order is fixed and the same for every source:

    \boxed{N}, \fbox{N}      the last one; several close together are one answer, joined by commas (see `boxed`)
    #### N                   GSM8K references
    A: N                     GSM8K model solutions (openai/grade-school-math); only as the last line
    The answer is: N         MetaMathQA and plain prose; also "final answer is N", "Answer: N", 答案是 N

There is deliberately no "last number of the text": on a truncated trace it finds some number from the middle, which
passes now and then (measured with math-verify's own search over whole responses; see docs/design/verification.md).
"""

from __future__ import annotations

import re

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_SEPARATOR = re.compile(r"\b(?:and|or)\b|,|;")
_NEAR, _WITHIN_REACH = 10, 70  # characters between two boxes: math-verify 0.9, extract_boxed_content
_HASHES = re.compile(r"^[ \t]*####[ \t]*(.+)$", re.MULTILINE)
_A_LINE = re.compile(r"(?:\A|\n)A:[ \t]*([^\n]+)\s*\Z")
_STATED = re.compile(
    r"(?:answer(?:[ ]is)?\*{0,2}[ ]?[:：]|(?:the|final)[ ]answer[ ]is|答案[是为:：]{1,2})[\s*:：]*([^\n]+)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"\.(?:\s|$)|。")
_INLINE_MATH = re.compile(r"\$([^$\n]+)\$|\\\((.+?)\\\)")
_MATH_MARKS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))


def final_answer(text: str) -> str | None:
    """The answer that a response states, without its box or marks, or None when it states none."""
    if _BOX.search(text):
        return boxed(text)
    return _stated(text)


def reference(text: str) -> str:
    """The answer inside a reference: of a worked solution the stated one, else the text itself, unmarked."""
    stated = boxed(text) if _BOX.search(text) else _last(_HASHES, text)
    return unmarked(text) if stated is None else stated


def boxed(text: str) -> str | None:
    r"""The content of the last \boxed{} or \fbox{}; None if there is none, or it is unclosed (cut off) or empty.

    Boxes that belong together are joined by commas, in their order, as math-verify 0.9 does: those fewer than 10
    characters apart, and those less than 70 apart with "and", "or", "," or ";" between them and another content.
    """
    boxes: list[tuple[int, int, str]] = []
    for match in _BOX.finditer(text):
        if boxes and match.start() < boxes[-1][1]:
            continue  # a box inside a box belongs to the outer one
        end = _closing(text, match.end())
        if end is None:
            return None
        boxes.append((match.start(), end, text[match.end() : end - 1].strip()))
    if not boxes:
        return None
    joined = _joined(text, boxes)
    return unmarked(joined) or None


def unmarked(text: str) -> str:
    r"""Strip what surrounds an answer without being part of it: white space, $…$, \(…\), ** and one final period."""
    bare = text.strip().strip("*").strip()
    if bare.endswith((".", "。")) and not bare.endswith((r"\.", "..", r"\right.")):
        bare = bare[:-1].rstrip()
    for opening, closing in _MATH_MARKS:
        inner = bare[len(opening) : -len(closing)]
        if bare.startswith(opening) and bare.endswith(closing) and inner and opening not in inner:
            return inner.strip()
    return bare


def _closing(text: str, start: int) -> int | None:
    r"""The position after the brace that closes the one before `start`; \{ and \} do not count."""
    depth = 1
    for match in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return match.end()
    return None


def _joined(text: str, boxes: list[tuple[int, int, str]]) -> str:
    start, _, content = boxes[-1]
    contents = [content]
    for earlier_start, earlier_end, earlier in reversed(boxes[:-1]):
        between = text[earlier_end:start]
        related = earlier != contents[-1] and _SEPARATOR.search(between) is not None
        if len(between) >= _NEAR and not (len(between) < _WITHIN_REACH and related):
            break
        if earlier != contents[-1]:
            contents.append(earlier)
        start = earlier_start
    return ",".join(reversed(contents))


def _stated(text: str) -> str | None:
    marked = _last(_HASHES, text) or _last(_A_LINE, text)
    sentence = None if marked else _last(_STATED, text)
    if sentence is None:
        return marked
    sentence = _SENTENCE_END.split(sentence, maxsplit=1)[0]
    formulas = [first or second for first, second in _INLINE_MATH.findall(sentence)]
    return unmarked(formulas[-1] if formulas else sentence) or None


def _last(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.findall(text)
    return (unmarked(found[-1]) or None) if found else None
