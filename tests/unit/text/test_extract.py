"""Which answer a solution states: the last box, with its traps, and the stated-answer lines that stand in for one."""

from __future__ import annotations

import pytest

from tests.pace import within
from tracemill.text.extract import boxed, final_answer, reference, unmarked

BOXES = [
    ("one", r"so \boxed{42}.", "42"),
    (
        "the_last_of_two",
        r"first \boxed{1}, but when we look at the whole problem once more we see at last that it is \boxed{2}",
        "2",
    ),
    ("nested_braces", r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    ("escaped_braces", r"\boxed{\left\{ x : x > 0 \right.}", r"\left\{ x : x > 0 \right."),
    ("fbox", r"\fbox{7}", "7"),
    ("space_before_brace", r"\boxed {7}", "7"),
    ("box_in_box", r"\boxed{\boxed{3}}", r"\boxed{3}"),
    ("dollars_inside", r"\boxed{$5$}", "5"),
    ("mentioned_without_braces", r"put it into \boxed, so \boxed{5}. I used \boxed for it", "5"),
    ("cut_off_in_the_last_box", r"\boxed{4}. Wait, no: \boxed{1", None),
    ("empty", r"\boxed{}", None),
    ("blank", r"\boxed{  }", None),
    ("final_period", r"\boxed{5.}", "5"),
]

JOINED = [
    ("close_together", r"\boxed{1} and \boxed{2}", "1, 2"),
    ("in_formulas", r"$\boxed{1}$ and $\boxed{2}$", "1, 2"),
    ("comma_within_reach", r"\boxed{x=1}, or in the other of the two cases \boxed{x=2}", "x=1, x=2"),
    ("no_separator_within_reach", r"\boxed{x=1} is wrong as we see now \boxed{x=2}", "x=2"),
    ("too_far", r"\boxed{1}, " + "and " * 20 + r"\boxed{2}", "2"),
    ("repeated_is_one", r"\boxed{8} \boxed{8} \boxed{8}", "8"),
    ("labelled_parts", "(a) So \\boxed{5}.\n\n(b) And here we get, after some more work, \\boxed{7}.", "5; 7"),
    (
        "parts_with_a_sum_behind",
        "(1) \\boxed{5}\n(2) \\boxed{7}\n\nBoth together are then " + "so " * 20 + "\\boxed{12}",
        "12",
    ),
    ("same_again_later", r"\boxed{8}, that is, the answer is \boxed{8}", "8"),
]

STATED = [
    ("gsm8k_reference", "She has 9 * 2 = 18.\n#### 18", "18"),
    ("gsm8k_solution", "so 2 + 2 = 4\nA: 4", "4"),
    ("A_must_be_the_last_line", "Options:\nA: 3\nB: 4\nThe answer is B", "B"),
    ("metamath", "Then 6 * 7 = 42. The answer is: 42", "42"),
    ("sentence_goes_on", "The final answer is 12. I checked it twice.", "12"),
    ("decimal_is_no_sentence_end", "The answer is 3.5", "3.5"),
    ("formula_in_a_sentence", "Thus the answer is clearly $x = 5$ as claimed.", "x = 5"),
    ("bold", "**Answer:** 12", "12"),
    ("chinese", "所以答案是12。", "12"),
    ("chinese_colon", "答案:12", "12"),
    ("a_box_goes_first", r"The answer is 3. \boxed{4}", "4"),
    ("a_cut_off_box_is_no_answer", r"The answer is 3. \boxed{4", None),
    ("a_number_is_no_answer", "We get 5 apples and 7 pears", None),
    ("empty", "", None),
]


@pytest.mark.parametrize(("text", "answer"), [row[1:] for row in BOXES], ids=[row[0] for row in BOXES])
def test_the_last_box_counts(text: str, answer: str | None) -> None:
    assert boxed(text) == answer


@pytest.mark.parametrize(("text", "answer"), [row[1:] for row in JOINED], ids=[row[0] for row in JOINED])
def test_boxes_that_belong_together_are_one_answer(text: str, answer: str) -> None:
    assert boxed(text) == answer


@pytest.mark.parametrize(("text", "answer"), [row[1:] for row in STATED], ids=[row[0] for row in STATED])
def test_a_stated_answer_stands_in_for_a_box(text: str, answer: str | None) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("42", "42"),
        ("$\\frac{1}{2}$", "\\frac{1}{2}"),
        ("Natalia sold 72.\n#### 72", "72"),
        ("We add and find \\boxed{7}.", "7"),
        ("The answer is a circle", "The answer is a circle"),
        ("  ", ""),
        ("\\boxed{", ""),
    ],
    ids=["bare", "in_dollars", "gsm8k", "worked_solution", "prose_stays_whole", "blank", "cut_off"],
)
def test_a_reference_is_taken_whole_unless_it_is_a_solution(text: str, answer: str) -> None:
    assert reference(text) == answer


@pytest.mark.parametrize(
    ("text", "bare"),
    [("$a$ and $b$", "$a$ and $b$"), ("\\(x\\)", "x"), ("**7**", "7"), ("1, 2, ...", "1, 2, ..."), ("$$", "$$")],
)
def test_only_marks_around_the_whole_are_taken_off(text: str, bare: str) -> None:
    assert unmarked(text) == bare


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{" * 20_000,
        "\\boxed{1} " * 20_000,
        "$" * 100_000,
        "answer" + " " * 100_000,
        "\n" * 100_000,
        "#" * 100_000,
        "A:" + "\n" * 100_000 + "x",
        "the answer is " * 10_000,
        "Q: 1\n" * 50_000,
        "A: 1\nQ: 1\n" * 20_000,
        "Answer:\n" * 20_000,
        "is " * 50_000,
        "(" * 100_000 + "\\boxed{1}" + ")" * 100_000,
        "$\\text{" * 20_000,
        "\\boxed{1}, " * 20_000,
        "**" * 50_000 + "Answer: 5",
    ],
    ids=[
        "unclosed",
        "repeated",
        "dollars",
        "spaces",
        "newlines",
        "hashes",
        "blank_lines",
        "stated_often",
        "questions",
        "dialogue",
        "headings",
        "copulas",
        "brackets",
        "text_commands",
        "list_of_boxes",
        "stars",
    ],
)
def test_no_text_takes_long(text: str) -> None:
    within(2.0, lambda: final_answer(text))
