r"""Judges a mathematical answer against the reference: nothing passes that was not compared, nothing hangs or guesses.

What the response states last (`text.extract`) and the reference are brought to one spelling (`text.answer_text`) and
form a pair of short texts. A pair is looked up, then decided exactly if both are plain numbers (`exact`), else compared
by their shapes (`answers`) in a guarded process (`math_pool`). The reference is the first of the pair: an answer may
leave out a reference's unit or base. Score 1 for a pass, else 0 (DeepDistill, arXiv 2504.17565, section 2.4, eq. 1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from tracemill.engine.ids import VerdictStatus
from tracemill.engine.resources import Resources
from tracemill.text.answer_text import normalised_answer, squeezed
from tracemill.text.extract import reference, stated
from tracemill.verify.math.answers.asked import asked_for
from tracemill.verify.math.exact import quick_equal
from tracemill.verify.math.options import with_choices
from tracemill.verify.math.pool import Finding, MathPool, Pair
from tracemill.verify.verifier import Question, Verdict, Verifier

MAX_ANSWER = 4000  # characters; the longest of 1,971 published references has 300
PROSE_WORDS = 4  # so many words make a sentence: no reference of MATH-500 or AIME 1983-2023 has more than 2
_CACHED_PAIRS = 100_000
_SHOWN = 300  # characters of either side kept in a verdict's detail
_MARKUP = re.compile(r"\\(?:text|mathrm|mbox|operatorname)\*?\s*\{[^{}]*\}|\\(?:begin|end)\{[^{}]*\}|\\[A-Za-z]+")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_LETTERS = re.compile(r"[^\W\d_]|[°⟦]")
_CONSTANT = re.compile(r"[+-]\s*\{?[CcKkD](?:_\{?\w\}?)?\}?\s*$")
_WORD = re.compile(r"[A-Za-z]{3,}")

_MEANING: dict[Finding, tuple[VerdictStatus, str]] = {
    "equal": ("pass", "equal"),
    "different": ("fail", "wrong_answer"),
    "unknown": ("unverifiable", "not_comparable"),
    "unparsable_answer": ("unverifiable", "unparsable_answer"),
    "unparsable_gold": ("unverifiable", "unparsable_gold"),
    "timeout": ("unverifiable", "timeout"),
    "memory": ("unverifiable", "memory"),
    "crashed": ("unverifiable", "crashed"),
}

_UNREAD: frozenset[Finding] = frozenset(("unknown", "unparsable_gold", "unparsable_answer"))


class MathVerifier(Verifier):
    """Final answers against reference answers, for problems that have a reference and no tests.

    `cpu_seconds` is a comparison's whole budget, `memory_mib` the most its process may hold; beyond either the response
    is unverifiable, never wrong.
    """

    kind: Literal["math"] = "math"
    cpu_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    memory_mib: Annotated[int, Field(ge=256)] = 1024

    version: ClassVar[int] = 4

    def applies(self, question: Question) -> bool:
        """Whether there is a reference answer; a problem with tests is judged by its tests."""
        return question.test_case is None and bool(question.reference_answer and question.reference_answer.strip())

    def judge(self, questions: Iterable[Question], resources: Resources) -> Iterator[Verdict]:
        """One verdict per question, as they get ready. Raises VerifierError when no worker starts."""
        known: dict[Pair, Finding] = {}
        waiting: dict[Pair, list[_Asked]] = {}
        with MathPool(resources.workers, self.cpu_seconds, self.memory_mib << 20) as pool:
            for question in questions:
                asked = _asked(question)
                if isinstance(asked, Verdict):
                    yield asked
                elif (finding := known.get(asked.pair) or _quick(asked.pair)) is not None:
                    yield _verdict(asked, finding)
                elif asked.pair in waiting:
                    waiting[asked.pair].append(asked)
                else:
                    waiting[asked.pair] = [asked]
                    yield from _settled(pool.submit(asked.pair), known, waiting)
            yield from _settled(pool.drain(), known, waiting)


class _Asked(NamedTuple):
    """A question with its pair; `sure` is False where the response may have meant another answer."""

    question: Question
    pair: Pair
    sure: bool


def _settled(
    found: Iterable[tuple[Pair, Finding]], known: dict[Pair, Finding], waiting: dict[Pair, list[_Asked]]
) -> Iterator[Verdict]:
    for pair, finding in found:
        if len(known) >= _CACHED_PAIRS:
            known.pop(next(iter(known)))
        known[pair] = finding
        for asked in waiting.pop(pair):
            yield _verdict(asked, finding)


def _asked(question: Question) -> _Asked | Verdict:
    """The two texts to compare, or the verdict where there is nothing to compare."""
    gold = reference(question.reference_answer or "")
    said = stated(question.answer)
    shown = Pair(gold[:_SHOWN], said.text[:_SHOWN])
    if len(gold) > MAX_ANSWER or len(said.text) > MAX_ANSWER:
        return _says(question, shown, "unverifiable", "too_long")
    pair = Pair(normalised_answer(gold), normalised_answer(said.text))
    if not pair.gold:
        return _says(question, shown, "unverifiable", "unparsable_gold")
    if said.state in ("blank", "cut"):
        return _says(question, shown, "fail", "no_answer")
    if said.state == "none":
        return _says(question, shown, "unverifiable", "no_answer")
    if not pair.answer:
        return _says(question, shown, "unverifiable", "unclear_answer")
    pair = with_choices(pair, question.prompt)
    return _Asked(question, pair._replace(asked=_asked_for(question, pair)), said.sure)


def _asked_for(question: Question, pair: Pair) -> str:
    """What the problem asks for, where the answer is rough, or has words (maybe a unit) and the reference none."""
    said, wanted = (_LETTERS.search(_COMMAND.sub("", text)) for text in (pair.answer, pair.gold))
    integrated = _CONSTANT.search(pair.answer) and _CONSTANT.search(pair.gold)
    needed = "\\approx" in pair.answer or (said and not wanted) or integrated
    return asked_for(question.prompt) if needed else ""


def is_prose(gold: str) -> bool:
    r"""Whether a reference is a sentence, which can be said in many ways.

    LaTeX commands and the contents of \text{} do not count as words.
    """
    return len(_WORD.findall(_MARKUP.sub(" ", gold))) >= PROSE_WORDS


def _quick(pair: Pair) -> Finding | None:
    if squeezed(pair.gold) == squeezed(pair.answer):
        return "equal"
    equal = quick_equal(pair.gold, pair.answer)
    return None if equal is None else ("equal" if equal else "different")


def _verdict(asked: _Asked, finding: Finding) -> Verdict:
    status, reason = _MEANING[finding]
    if status == "fail" and not asked.sure:
        status = "unverifiable"
        reason = "unclear_answer"
    if status == "unverifiable" and finding in _UNREAD and is_prose(asked.question.reference_answer or ""):
        reason = "prose_gold"
    return _says(asked.question, asked.pair, status, reason)


def _says(question: Question, pair: Pair, status: VerdictStatus, reason: str) -> Verdict:
    detail = json.dumps({"gold": pair.gold[:_SHOWN], "answer": pair.answer[:_SHOWN]}, ensure_ascii=False)
    score = 1.0 if status == "pass" else 0.0
    return Verdict(question.generation_id, question.problem_id, "math", status, score, reason, detail)
