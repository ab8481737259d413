"""The one spelling of a problem: what sources add goes, what could change the answer stays."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemill.text.choices import open_form, parted
from tracemill.text.figures import figure_code
from tracemill.text.problem_text import normalised_problem, normalised_problems

PROBLEM = r"Compute the sum of $3x$ and $\dfrac{1}{2}$ for 5 boys."
SPELLED = r"Compute the sum of 3x and \frac{1}{2} for 5 boys."
WRAPPED = {
    "enumerator": "12. {}",
    "enumerator without a blank": "12.{}",
    "in brackets": "(3) {}",
    "two levels": "1.1. {}",
    "roman": "IV. {}",
    "letter": "a) {}",
    "circled": "① {}",
    "label": "Problem 5: {}",
    "label in markdown": "**Problem 5.** {}",
    "heading": "### Question 7\n{}",
    "label and its contest": "Example 31 (2005 AIME) {}",
    "label alone": "Question: {}",
    "label in bold without a number": "**Problem.** {}",
    "label in bold before its colon": "**Question**: {}",
    "label in italics": "*Problem 4:* {}",
    "label in HTML": "<b>Exercise.</b> {}",
    "label on a line of its own": "### Problem Statement\n{}",
    "label as a LaTeX heading": "\\section*{{Problem 2}} {}",
    "number sign": "#5 {}",
    "contest in square brackets": "[2019 AMC 10A] {}",
    "contest in Chinese brackets": "【2019·全国卷】{}",
    "contest and number": "2003 AIME II Problem 7: {}",
    "contest as the source": "Source: HMMT February 2004, Guts Round. {}",
    "contest behind": "{} (Putnam 1985 A1)",
    "proposer behind": "{}\n[i]Proposed by Ann Other[/i]",
    "forum print": "[b]{}[/b]",
    "points before": "12. (10 points) {}",
    "points behind": "{} [10 marks]",
    "Chinese example": "例1：{}",
    "Chinese number": "第3题 {}",
    "Chinese points": "（本题5分）{}",
    "Chinese brackets": "【例2】{}",
    "PRIME": "{}\n\nPresent the answer in LaTex format: \\boxed{{Your answer}}",
    "DeepSeek": "{} Please reason step by step, and put your final answer within \\boxed{{}}.",
    "DeepSeek in Chinese": "{}\n请通过逐步推理来解答问题，并把最终答案放置于\\boxed{{}}中。",
    "zero-shot": "{}\nLet's think step by step.",
    "OpenThoughts": "Return your final response within \\boxed{{}}. {}",
    "polite": "Please answer: {}",
    "form": "{}\n\nExpress your answer in simplest form.",
    "DAPO": (
        "Solve the following math problem step by step. The last line of your response should be of the form Answer: "
        "$Answer (without quotes) where $Answer is the answer to the problem.\n\n{}\n\n"
        'Remember to put your answer on its own line after "Answer:".'
    ),
    "prompt": "Question: {}\nAnswer:",
    "code": (
        "{}\n\nWrite Python code to solve the problem. Present the code in \n```python\nYour code\n```\nat the end."
    ),
    "role": "You are a math expert. {}",
    "announced": "Below is a math problem. {}",
    "Alpaca": "### Instruction:\n{}\n\n### Response:",
    "Chinese request": "请解答下面的问题：{}",
    "tags": "{}\n\nYour final answer should be enclosed in <answer> </answer> tags.",
    "drawing": "{} [asy]\ndraw((0,0)--(1,4));\n[/asy]",
    "picture": "![](https://example.org/cropped/2024.jpg?h=1)\n{}",
    "LaTeX picture": "{}\n\\includegraphics[width=3cm]{{fig.png}}",
    "TikZ": "\\begin{{center}}\\begin{{tikzpicture}}\\draw (0,0);\\end{{tikzpicture}}\\end{{center}} {}",
}


@pytest.mark.parametrize("wrapping", WRAPPED.values(), ids=WRAPPED)
def test_what_a_source_puts_around_a_problem_goes(wrapping: str) -> None:
    assert normalised_problem(wrapping.format(PROBLEM)) == SPELLED


KEPT = {
    "point of large coordinates": "(2000, 5) lies on y = kx. Find k.",
    "interval of years": "[1990, 2000] is an interval. How long is it?",
    "sum in brackets": "(2019 + 1)(3) = ?",
    "a contest that is spoken of": "In 2019 the AMC was hard. Why?",
    "a question about a contest": "The Putnam competition has 12 problems. How many points are there?",
    "a hint behind": "Name the author of this book. (Hint: he was born in 1990)",
    "a word that could be a label": "Problem\nsolving is hard. Why?",
    "index in brackets": "Print a[i] and b[i].",
    "emphasis that is no label": "**Note.** The number 3 is odd. Is 5?",
    "decimal": "3.5 metres of cloth cost 7 dollars.",
    "quantity": "12 apples cost 3 dollars.",
    "formula in brackets": "(3) + 4 = ?",
    "product": "(3)(4) = ?",
    "row of numbers": "12. 15. 18. ?",
    "number alone": "12",
    "modulus": "Find 2^40. Give your answer modulo 1000.",
    "precision": "Find 1/7. Give your answer to 2 decimal places.",
    "in terms of": "Solve for y. Express your answer in terms of x.",
    "another language": "Write Java code to solve the problem. Read 3 numbers.",
    "initial": "A. Lincoln was born in which year?",
    "points alone": "(5 points)",
    "instruction alone": "Let's think step by step.",
    "Problem 5 as a subject": "Problem 5 says that 3 is odd. Is it?",
    "year": "1998年有多少天？",
    "Chinese quantity": "3个苹果和2个梨一共多少个？",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_is_part_of_the_problem_stays(text: str) -> None:
    assert normalised_problem(text) == text.replace("？", "?")


EQUAL = {
    "formula brackets": ("the $n$th root of \\(x\\)", "the nth root of x"),
    "display": ("Solve \\[x + 1 = 2\\] now", "Solve $$x + 1 = 2$$ now"),
    "sizes": ("\\left( x \\right)", "( x )"),
    "dots and dashes": ("3 \\cdot 4 − 1", "3 · 4 - 1"),
    "full width": ("求ｘ＋１＝２，并写出ｘ。", "求x+1=2,并写出x。"),
    "text in formulas": ("5\\text{ cm}", "5 cm"),
}


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_prints_of_one_formula_have_one_spelling(one: str, other: str) -> None:
    assert normalised_problem(one).split() == normalised_problem(other).split()


PIECES = re.split(
    r"\|",
    "12. |(3) |Problem 5: |(5 points)|$|\\(|\\)|\\|$$|\\[|[asy]|[/asy]|\\frac|\\dfrac|\\text{|}|{| |\n|x|Find 5.|Let's "
    "think step by step.|\\boxed{}|①|②|½|，|求|例1|**|#|answer|Answer:|\\left(|\\cdot|~|```|your code"
    "|A|a) |!|[|]|(|)|第3题|（本题5分）|\\,|IV. |\u200b|1,000|.|:",
)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.text(max_size=40)))
def test_once_is_enough_nothing_vanishes_and_columns_give_the_same(text: str) -> None:
    spelled = normalised_problem(text)
    assert normalised_problem(spelled) == spelled
    assert spelled or not text.strip()
    assert normalised_problems(pa.array([None, text])).to_pylist() == ["", spelled]


CHOICES = {
    "brackets": ("What is 2 + 3? (A) 4 (B) 5 (C) 6", {"A": "4", "B": "5", "C": "6"}),
    "points": ("What is 2 + 3?\nA. 4\nB. 5\nC. 6", {"A": "4", "B": "5", "C": "6"}),
    "Chinese": ("2 + 3等于( )\nA、4 B、5 C、6", {"A": "4", "B": "5", "C": "6"}),
    "a point in the text": ("A. Lincoln met B. Franklin", {}),
}


@pytest.mark.parametrize(("text", "choices"), CHOICES.values(), ids=CHOICES)
def test_choices_are_told_from_the_question(text: str, choices: dict[str, str]) -> None:
    assert parted(text)[1] == choices


def test_a_question_about_its_choices_has_no_open_form() -> None:
    assert open_form("What is 2 + 3? (A) 4 (B) 5 (C) 6") == "What is 2 + 3?"
    asking = "Which of the following is prime? (A) 4 (B) 5 (C) 6"
    assert open_form(asking) == asking


def test_drawings_are_told_apart_and_addresses_are_not() -> None:
    assert figure_code("See [asy] draw(1);\n[/asy]") == figure_code("[asy]draw(1);[/asy]") != ""
    assert figure_code("[asy]draw(2);[/asy]") != figure_code("[asy]draw(1);[/asy]")
    assert figure_code("![a](https://example.org/1.png)") == ""


CHOICES = {
    "lines": "\n(A) 10\n(B) 11\n(C) 14",
    "one line": " (A) 10 (B) 11 (C) 14",
    "points": "\nA. 10\nB. 11\nC. 14",
    "brackets": " A) 10, B) 11, C) 14",
    "small letters": "\na) 10\nb) 11\nc) 14",
    "bullets": "\n- A: 10\n- B: 11\n- C: 14",
    "announced": "\nAnswer Choices: (A) 10 (B) 11 (C) 14",
    "options": " Options: A. 10; B. 11; C. 14",
    "LaTeX": "\n$\\textbf{(A)}\\ 10\\qquad\\textbf{(B)}\\ 11\\qquad\\textbf{(C)}\\ 14$",
}


@pytest.mark.parametrize("printed", CHOICES.values(), ids=CHOICES)
def test_choices_have_one_spelling(printed: str) -> None:
    asked = "What is 3 + 4 times 2?"
    assert normalised_problem(asked + printed) == f"{asked}\n(A) 10\n(B) 11\n(C) 14"


def test_other_choices_stay_other_choices() -> None:
    one, other = (normalised_problem(f"Which is even?{end}") for end in (" A. 3 B. -4 C. 5", " A. 3 B. 4 C. 5"))
    assert one != other
