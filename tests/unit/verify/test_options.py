"""Letters of a multiple choice are read with the choices of the problem."""

from __future__ import annotations

import pytest

from tracemill.engine.resources import Resources
from tracemill.verify.math.verifier import MathVerifier
from tracemill.verify.verifier import Question

PROBLEM = "How many edges has it?\n(A) 9  (B) 12  (C) 18  (D) none of these"
CASES = [
    ("the value of the letter", "B", "12", "pass"),
    ("the value of another letter", "B", "18", "fail"),
    ("the letter of the value", "12", "B", "pass"),
    ("the letter of another value", "12", "C", "fail"),
    ("letter and its text", "B", r"\textbf{(B)}\ 12", "pass"),
    ("letter with the text of another", "B", "(B) 18", "unverifiable"),
    ("another letter with the right text", "B", "(C) 12", "fail"),
    ("a small letter", "B", "b", "pass"),
    ("another small letter", "B", "c", "fail"),
    ("words of the choice", "D", r"\text{none of these}", "pass"),
]


@pytest.mark.parametrize(("gold", "answer", "status"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_letter_stands_for_its_choice(gold: str, answer: str, status: str) -> None:
    asked = Question("g", "p", PROBLEM, gold, None, None, rf"So $\boxed{{{answer}}}$.")
    [verdict] = MathVerifier().judge([asked], Resources(workers=1))
    assert verdict.status == status


def test_without_choices_a_letter_is_a_letter() -> None:
    asked = Question("g", "p", "Which point is it?", "B", None, None, r"So $\boxed{12}$.")
    [verdict] = MathVerifier().judge([asked], Resources(workers=1))
    assert verdict.status == "fail"
