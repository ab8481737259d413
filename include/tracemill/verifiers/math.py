r"""Judges a mathematical answer against the reference, with math-verify, without ever hanging or guessing.

What the response states last (`text.extract`) and the reference form a pair of short texts. A pair is looked up, then
decided exactly if both are plain numbers (`exact`), else given to math-verify in a guarded process (`math_pool`). The
reference is math-verify's first argument: the comparison is not symmetric (an interval accepts the inequality, not the
reverse). Score 1 for a pass, else 0 (DeepDistill, arXiv 2504.17565, section 2.4, equation 1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tracemill.records import VerdictStatus, normalised
from tracemill.resources import Resources
from tracemill.text.extract import final_answer, reference
from tracemill.verifiers.base import Question, Verdict, Verifier
from tracemill.verifiers.exact import quick_equal
from tracemill.verifiers.math_pool import Finding, MathPool, Pair

MAX_ANSWER = 4000  # characters; the longest of 1,971 published references has 300
PROSE_WORDS = 4  # so many words make a sentence: no reference of MATH-500 or AIME 1983-2023 has more than 2
_CACHED_PAIRS = 100_000
_SHOWN = 300  # characters of either side kept in a verdict's detail
_MARKUP = re.compile(r"\\(?:text|mathrm|mbox|operatorname)\*?\s*\{[^{}]*\}|\\(?:begin|end)\{[^{}]*\}|\\[A-Za-z]+")
_WORD = re.compile(r"[A-Za-z]{3,}")

_MEANING: dict[Finding, tuple[VerdictStatus, str]] = {
    "equal": ("pass", "equal"),
    "same_text": ("pass", "same_text"),
    "different": ("fail", "wrong_answer"),
    "unparsable_answer": ("fail", "unparsable_answer"),
    "unparsable_gold": ("unverifiable", "unparsable_gold"),
    "timeout": ("unverifiable", "timeout"),
    "memory": ("unverifiable", "memory"),
    "crashed": ("unverifiable", "crashed"),
}


class MathVerifier(Verifier):
    """math-verify for problems that have a reference answer and no tests.

    `cpu_seconds` is a comparison's whole budget (math-verify's own: 5 per parse and 5 to compare), `memory_mib` the
    most its process may hold; beyond either the response is unverifiable, never wrong.
    """

    kind: Literal["math"] = "math"
    cpu_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    memory_mib: Annotated[int, Field(ge=256)] = 1024

    version: ClassVar[int] = 1

    def applies(self, question: Question) -> bool:
        """Whether there is a reference answer; a problem with tests is judged by its tests."""
        return question.test_case is None and bool(question.reference_answer and question.reference_answer.strip())

    def judge(self, questions: Iterable[Question], resources: Resources) -> Iterator[Verdict]:
        """One verdict per question, as they get ready. Raises VerifierError when math-verify cannot be run."""
        known: dict[Pair, Finding] = {}
        waiting: dict[Pair, list[Question]] = {}
        with MathPool(resources.workers, self.cpu_seconds, self.memory_mib << 20) as pool:
            for question in questions:
                pair = _pair(question)
                if isinstance(pair, Verdict):
                    yield pair
                elif (finding := known.get(pair) or _quick(pair)) is not None:
                    yield _verdict(question, pair, finding)
                elif pair in waiting:
                    waiting[pair].append(question)
                else:
                    waiting[pair] = [question]
                    yield from _settled(pool.submit(pair), known, waiting)
            yield from _settled(pool.drain(), known, waiting)


def _settled(
    found: Iterable[tuple[Pair, Finding]], known: dict[Pair, Finding], waiting: dict[Pair, list[Question]]
) -> Iterator[Verdict]:
    for pair, finding in found:
        if len(known) >= _CACHED_PAIRS:
            known.pop(next(iter(known)))
        known[pair] = finding
        for question in waiting.pop(pair):
            yield _verdict(question, pair, finding)


def _pair(question: Question) -> Pair | Verdict:
    """The two texts to compare, or the verdict where there is nothing to compare."""
    pair = Pair(reference(question.reference_answer or ""), final_answer(question.answer) or "")
    if not pair.gold:
        return _says(question, pair, "unverifiable", "unparsable_gold")
    if not pair.answer:
        return _says(question, pair, "fail", "no_answer")
    if is_prose(pair.gold) and normalised(pair.gold) != normalised(pair.answer):
        return _says(question, pair, "unverifiable", "prose_gold")
    if len(pair.gold) > MAX_ANSWER or len(pair.answer) > MAX_ANSWER:
        return _says(question, pair, "unverifiable", "too_long")
    return pair


def is_prose(gold: str) -> bool:
    r"""Whether a reference is a sentence. math-verify reads one as a product of letters, or as its first number.

    LaTeX commands and the contents of \text{} do not count as words.
    """
    return len(_WORD.findall(_MARKUP.sub(" ", gold))) >= PROSE_WORDS


def _quick(pair: Pair) -> Finding | None:
    if is_prose(pair.gold):
        return "same_text"
    equal = quick_equal(pair.gold, pair.answer)
    return None if equal is None else ("equal" if equal else "different")


def _verdict(question: Question, pair: Pair, finding: Finding) -> Verdict:
    return _says(question, pair, *_MEANING[finding])


def _says(question: Question, pair: Pair, status: VerdictStatus, reason: str) -> Verdict:
    detail = json.dumps({"gold": pair.gold[:_SHOWN], "answer": pair.answer[:_SHOWN]}, ensure_ascii=False)
    score = 1.0 if status == "pass" else 0.0
    return Verdict(question.generation_id, question.problem_id, "math", status, score, reason, detail)
