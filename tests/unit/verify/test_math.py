"""What the maths verifier says of a response: pass, fail with a reason, or honestly nothing."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from tracemill.engine.resources import Resources
from tracemill.verify.math.verifier import MathVerifier, is_prose
from tracemill.verify.verifier import Question, Verdict

HERE = Resources(workers=1)


def question(reference: str | None, answer: str, name: str = "g1", tests: str | None = None) -> Question:
    return Question(name, "p1", "How much?", reference, tests, None, answer)


def judged(*questions: Question, verifier: MathVerifier | None = None) -> list[Verdict]:
    return list((verifier or MathVerifier()).judge(questions, HERE))


QUICK = [
    ("right", "420", r"so \boxed{420}", "pass", "equal"),
    ("wrong", "420", r"so \boxed{421}", "fail", "wrong_answer"),
    ("only_the_last_box_counts", "1", r"\boxed{1}. On reflection" + "." * 80 + r"\boxed{2}", "fail", "wrong_answer"),
    ("no_answer", "5", "It is 5, I think", "unverifiable", "unclear_answer"),
    ("cut_off_in_the_box", "5", r"It is \boxed{5", "fail", "no_answer"),
    ("empty_response", "5", "", "fail", "no_answer"),
    ("cut_off_in_a_sum", "5", "Day 3: 2 feet * 2 = <<2*2=4>>4 feet\nDay 4: 4 feet * 2 =", "fail", "no_answer"),
    ("cut_off_in_a_bracket", "5", "First we count.\nThen we add the rest:\n3 + (", "fail", "no_answer"),
    ("cut_off_in_latex", "5", "First we count.\nThe height is then\n$3 \\times", "fail", "no_answer"),
    (
        "bold_at_the_end_is_no_cut",
        "5",
        "First we count.\nThen we add.\nNow add **the rest**",
        "unverifiable",
        "no_answer",
    ),
    ("gsm8k", "1,200", "so 1200\nA: 1200", "pass", "equal"),
    ("gold_is_a_solution", "First 2.\n#### 5", r"\boxed{5}", "pass", "equal"),
    ("gold_cut_away", "\\boxed{}", r"\boxed{5}", "unverifiable", "unparsable_gold"),
    ("gold_is_prose", "The ball rises to 5 m and then falls", r"\boxed{5}", "unverifiable", "prose_gold"),
    (
        "same_prose",
        "The ball rises and then falls",
        "The answer is the ball rises and  then falls.",
        "pass",
        "equal",
    ),
    ("answer_of_a_book", "5", r"\boxed{" + "1+" * 4000 + "1}", "unverifiable", "too_long"),
    ("all_choices_boxed", "A", r"\boxed{A} \boxed{B} \boxed{C} \boxed{D}", "fail", "wrong_answer"),
]


@pytest.mark.parametrize(
    ("reference", "answer", "status", "reason"), [row[1:] for row in QUICK], ids=[row[0] for row in QUICK]
)
def test_verdicts(reference: str, answer: str, status: str, reason: str) -> None:
    [verdict] = judged(question(reference, answer))
    assert (verdict.status, verdict.reason, verdict.score) == (status, reason, float(status == "pass"))


def test_what_needs_a_worker_gets_a_verdict_too_and_each_question_one() -> None:
    asked = [
        question(r"\frac{\sqrt{3}}{3}", r"\boxed{\frac{1}{\sqrt{3}}}", "same_value"),
        question(r"\frac{\sqrt{3}}{3}", r"\boxed{\frac{1}{\sqrt{3}}}", "same_pair_again"),
        question("(1,2)", r"\boxed{1<x<2}", "interval_by_inequality"),
        question("1<x<2", r"\boxed{(1,2)}", "inequality_by_interval"),
        question("???", r"\boxed{5}", "gold_does_not_parse"),
        question("5", r"\boxed{(10^8)!}", "huge"),
        question(r"\int_0^1 x\,dx", r"\boxed{1/2}", "beyond_the_reader"),
        question("7", r"\boxed{7}", "quick"),
    ]
    found = {v.generation_id: (v.status, v.reason) for v in judged(*asked)}
    assert found == {
        "same_value": ("pass", "equal"),
        "same_pair_again": ("pass", "equal"),
        "interval_by_inequality": ("pass", "equal"),
        "inequality_by_interval": ("pass", "equal"),
        "gold_does_not_parse": ("unverifiable", "unparsable_gold"),
        "huge": ("fail", "wrong_answer"),
        "beyond_the_reader": ("unverifiable", "unparsable_gold"),
        "quick": ("pass", "equal"),
    }


def test_the_detail_shows_both_sides_and_stays_short() -> None:
    [verdict] = judged(question("5", r"\boxed{" + "1" * 3000 + "}"))
    detail = json.loads(verdict.detail)
    assert detail["gold"] == "5"
    assert len(detail["answer"]) == 300


@pytest.mark.parametrize(
    ("reference", "tests", "applies"),
    [("5", None, True), (None, None, False), ("  ", None, False), ("def f(): ...", '{"test_code": "x"}', False)],
    ids=["reference", "none", "blank", "tests_go_first"],
)
def test_it_applies_where_a_reference_is_all_there_is(reference: str | None, tests: str | None, applies: bool) -> None:
    assert MathVerifier().applies(question(reference, r"\boxed{5}", tests=tests)) is applies


@pytest.mark.parametrize(
    ("gold", "prose"),
    [
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix} + \begin{pmatrix} 1 \\ 2 \end{pmatrix}", False),
        (r"5 \text{ cubic centimetres per second}", False),
        (r"\sin x + \cos x + \tan x + \log x", False),
        ("increasing and convex for all x", True),
        ("Yes, both are", False),
        ("无解", False),
    ],
    ids=["matrices", "units", "functions", "sentence", "few_words", "chinese"],
)
def test_prose_is_told_from_mathematics(gold: str, prose: bool) -> None:
    assert is_prose(gold) is prose


def test_settings_are_checked() -> None:
    with pytest.raises(ValidationError, match="cpu_seconds"):
        MathVerifier(cpu_seconds=0)


def test_each_question_gets_its_verdict_where_many_share_a_pair() -> None:
    asked = [question("x+1", r"\boxed{1+x}", f"g{n}") for n in range(50)]
    found = judged(*asked)
    assert sorted(v.generation_id for v in found) == sorted(q.generation_id for q in asked)
    assert {v.reason for v in found} == {"equal"}
