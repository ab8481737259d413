"""The answer of a worked solution, of a problem of several parts none, and what only says that there is none."""

from __future__ import annotations

import pytest

from tracemill.ingest.worked import answer_of, boxed_answer, text_answer

SOLUTIONS: dict[str, tuple[str, str | None]] = {
    "the last box": (r"First \boxed{4}, but then finally \boxed{6}.", "6"),
    "one list": (r"The roots are $\boxed{-1}$ and $\boxed{8}$.", "-1, 8"),
    "lettered parts": (r"(a) It is \boxed{4}. (b) This gives \boxed{9}.", None),
    "numbered parts": (r"(1) It is \boxed{4}. (2) This gives \boxed{9}.", None),
    "Roman parts": (r"Part (i): We add and find \boxed{4}. Part (ii): We subtract it and find \boxed{9}.", None),
    "parts, one behind the other": (r"Part (i): \boxed{4} Part (ii): \boxed{9}", "4; 9"),
    "Chinese parts": (r"(一)得 \boxed{4}。（二）得 \boxed{9}。", None),
    "parts of one answer": (r"By (a) and (b) it is \boxed{9}. So again \boxed{9}", "9"),
    "choices": (r"(A) is \boxed{4}, (B) is \boxed{9}", "9"),
    "a function's values": (r"f(a) = \boxed{4}. Hence f(b) = \boxed{9}", "9"),
    "the end of a proof": (r"Hence it holds. $\boxed{\blacksquare}$", None),
    "a proof's word": (r"\boxed{\text{Q.E.D.}}", None),
}


@pytest.mark.parametrize(("solution", "found"), SOLUTIONS.values(), ids=SOLUTIONS)
def test_what_boxes_say(solution: str, found: str | None) -> None:
    assert boxed_answer(solution) == found


@pytest.mark.parametrize(
    "written", ["proof", " Proof. ", r"\text{Proved}", "notfound", "not found", "QED", "证明见解析", ""]
)
def test_what_says_that_there_is_no_answer_is_none(written: str) -> None:
    assert answer_of(written) is None


@pytest.mark.parametrize("written", ["No", "None", r"\text{no}", "7", "waterproof", r"\square ABCD"])
def test_what_looks_like_it_is_an_answer(written: str) -> None:
    assert answer_of(written) == written


def test_a_long_text_is_a_proof_in_mathematics_alone() -> None:
    long = "We show it by induction on n. " * 9
    assert (text_answer(long, True), text_answer(long, False)) == (None, long)
    assert text_answer("QED", is_math=False) == "QED"  # of a crossword
