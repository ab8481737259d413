r"""Finds the final answer that a solution states, and says when it states none, or none that is sure.

The order is fixed and the same for every source:

    an answer line behind the last box      "Answer: D", "#### 5", "The final answer is $-256$"
    \boxed{N}, \fbox{N}, \boxed 2           the last; several that one list joins are one answer; see `boxes`
    #### N                                  GSM8K references
    A: N                                    GSM8K model solutions (openai/grade-school-math); only as the last line
    The answer is: N                        plain prose, headings, 答案是 N, 故选 B; see `statements`
    N                                       where the whole answer part is one short line

There is deliberately no "last number of the text": on a truncated trace it finds some number from the middle, which
passes now and then (measured with math-verify's own search over whole responses; see docs/design/verification.md).
"""

from __future__ import annotations

import re

from tracemill.text.boxes import find_boxes, last_answer
from tracemill.text.hedges import ends_rough
from tracemill.text.statements import (
    LONGEST,
    NOTHING,
    UNCLEAR,
    Statement,
    is_value_like,
    last_statement,
    whole_statement,
    without_next_question,
)
from tracemill.text.surroundings import is_doubtful, is_followed_up, multiple_behind

_MATH_MARKS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
# What no sentence ends with: the text was cut in the middle of a calculation, so that it states nothing.
_ENDS_OPEN = re.compile(r"(?:[=+×÷^(\[{]|(?<=\s)[*/]|<<|\\(?:frac|times|cdot|div|sqrt|left))\s*\Z")
_TAIL = 20_000  # characters at the end of a response in which an answer without a box is looked for


def stated(text: str) -> Statement:
    """What a response states as its answer."""
    text = without_next_question(text)
    boxes = find_boxes(text) if "boxed" in text or "fbox" in text else []
    if not boxes:
        found = last_statement(text[-_TAIL:])
        found = found if found.state != "none" else _whole(text)
        return Statement("", "cut") if found.state == "none" and _ENDS_OPEN.search(text[-_TAIL:]) else found
    last = boxes[-1]
    later = last_statement(text[last.end :][-_TAIL:])
    if later.state == "stated" and later.sure and is_value_like(later.text) and len(later.text) < LONGEST:
        return later
    if last.content is None:
        return Statement("", "cut")
    if not last.content.strip():
        return Statement("", "unclear")
    answer, unsure = last_answer(text, boxes)
    if is_doubtful(text, last.start, last.end):
        return UNCLEAR
    multiple = multiple_behind(text, last.end, is_time=":" in answer)
    answer = rf"{answer} \text{{ {multiple}}}" if multiple else answer
    answer = rf"\approx {answer}" if ends_rough(text[: last.start]) else answer
    return Statement(answer, sure=not unsure and not is_followed_up(text, last.end))


def final_answer(text: str) -> str | None:
    """The answer that a response states, without its box or marks, or None when it states none that is sure."""
    found = stated(text)
    return unmarked(found.text) or None if found.state == "stated" and found.sure else None


def reference(text: str) -> str:
    """The answer inside a reference: of a worked solution the stated one, else the text itself, unmarked."""
    if "boxed" in text or "fbox" in text or "####" in text or "\n" in text.strip():
        found = stated(text)
        if found.state == "stated":
            return unmarked(found.text)
        if find_boxes(text):
            return ""
    return unmarked(text)


def boxed(text: str) -> str | None:
    r"""The content of the last \boxed{} or \fbox{}, with the rest of its formula; several that one list joins are one.

    None if there is none, or it is unclosed (cut off) or empty.
    """
    boxes = find_boxes(text)
    if not boxes or not boxes[-1].content:
        return None
    return unmarked(last_answer(text, boxes)[0]) or None


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


def _whole(text: str) -> Statement:
    if not text.strip():
        return Statement("", "blank")
    return whole_statement(text) if len(text) <= 4 * LONGEST else NOTHING
