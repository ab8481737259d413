"""Reads the reference answer of a worked solution, and knows what says that there is none."""

from __future__ import annotations

import re

from tracemill.text.boxes import find_boxes
from tracemill.text.extract import boxed

LONGEST = 200  # characters of an answer that is not boxed; what is longer is a solution or a proof
_NO_ANSWER = frozenset(
    re.split(
        r"\s*\|\s*",
        """proof | notfound | not found | no answer | answer not found | not provided | see solution | see the solution
        | qed | q.e.d | proved | proven | proof complete | 证明略 | 略 | 见解析 | 证明见解析""",
    )
)
_AROUND = re.compile(r"\\(?:text|textbf|textit|mathrm|mbox|mathbf)\s*\{([^{}]*)\}")
_ENDS_PROOF = re.compile(r"\\?(?:blacksquare|square|Box|qed|QED)|[■□∎]")
_PART = re.compile(
    r"(?<![A-Za-z\\0-9(])(?:\(([a-f]|i{1,3}|iv|v|[1-6])\)|([a-f]|i{1,3}|iv|v)\)|(?i:part) ([a-f1-6])\b)"
    r"|[(（]([一二三123])[)）]|第([一二三])问"
)


def answer_of(written: str | None) -> str | None:
    """The answer as written; None for blank and for what only says that there is none ("proof", "notfound", QED)."""
    bare = _AROUND.sub(r"\1", written or "").strip(" \t\n.$*。")
    return None if not bare or bare.lower() in _NO_ANSWER or _ENDS_PROOF.fullmatch(bare) else written


def boxed_answer(solution: str) -> str | None:
    """What the last box of a solution says (or the list that it ends), where that is the answer to the whole problem.

    Boxes that differ, each of a part of the problem, have no one answer: the last would be that of the last part.
    """
    answer = answer_of(boxed(solution))
    boxes = [box for box in find_boxes(solution) if box.content]
    if answer is None or len({box.content for box in boxes}) < 2:
        return answer
    parts = {part for found in _PART.findall(solution[: boxes[-1].start]) for part in found if part}
    joined = (boxes[-2].content or "") in answer
    return None if len(parts) > 1 and not joined else answer


def text_answer(solution: str, is_math: bool) -> str | None:
    """The boxed answer of a worked solution, else its text, which in mathematics is a proof if it is long."""
    if "boxed" in solution or "fbox" in solution:
        return boxed_answer(solution)
    if not is_math:
        return solution or None
    return None if "\n" in solution or len(solution) > LONGEST else answer_of(solution)
