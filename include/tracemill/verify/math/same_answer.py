"""Says of pairs of reference answers whether they are the same answer, by the comparison that the maths verifier makes.

Whoever merges, or sets against each other, rows with references asks here, so that no two places of the project hold
different opinions on one pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tracemill.engine.resources import Resources
from tracemill.text.answer_text import normalised_answer
from tracemill.verify.math.verifier import MAX_ANSWER, MathVerifier
from tracemill.verify.verifier import Question

Sameness = Literal["equal", "different", "unknown"]
_MEANING: dict[str, Sameness] = {"pass": "equal", "fail": "different"}


def same_answers(pairs: Sequence[tuple[str, str]], workers: int) -> list[Sameness]:
    """One word for each pair, in their order: `unknown` where nothing was shown either way.

    A pair may hold blank texts (unknown) and worked solutions, whose stated answer counts. Pairs that repeat are
    compared once. Raises VerifierError when the comparison cannot be run at all.
    """
    asked = list(dict.fromkeys(pair for pair in pairs if pair[0].strip() and pair[1].strip()))
    questions = (_question(str(place), *pair) for place, pair in enumerate(asked))
    found: dict[tuple[str, str], Sameness] = {}
    for verdict in MathVerifier().judge(questions, Resources(workers=workers)):
        found[asked[int(verdict.generation_id)]] = _MEANING.get(verdict.status, "unknown")
    return [_same_text(pair) or found.get(pair, "unknown") for pair in pairs]


def same_spelling(answer: str | None) -> str | None:
    """The answer in the spelling in which the verifier compares it, so that equal answers are mostly equal texts."""
    if answer is None or len(answer) > MAX_ANSWER:
        return None
    return "".join(normalised_answer(answer).split()) or None


def _same_text(pair: tuple[str, str]) -> Sameness | None:
    first, second = (" ".join(text.split()) for text in pair)
    return "equal" if first and first == second else None


def _question(name: str, first: str, second: str) -> Question:
    boxed = second if "\\boxed" in second else f"$\\boxed{{{second}}}$"
    return Question(name, name, "", first, None, None, boxed)
