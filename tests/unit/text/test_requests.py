"""What a problem asks for. Each text is a trap of its own: a word that is no request, or a request without the word."""

from __future__ import annotations

import re

import pytest

from tests.pace import within
from tracemill.text.requests import (
    TRIGGERS,
    asks_about_a_picture,
    asks_for_a_proof,
    asks_several,
    filled_in,
    is_a_choice,
)

PROOFS = [
    "Prove that $\\sqrt{2}$ is irrational.",
    "Let $a, b > 0$. Show that $a + b \\ge 2\\sqrt{ab}$.",
    "Let n be odd. Determine the sign, and prove your claim.",
    "Disprove: every prime is odd.",
    "In triangle ABC, AB = AC.\nProve: the angles at B and C are equal.",
    "If $n$ is even, justify why $n^2$ is even.",
    "设 $a>b>0$，求证：$a^2>b^2$。",
    "证明：$\\sqrt{3}$ 是无理数。",
    "已知三角形ABC，(1) 求角A；(2) 证明AB=AC。",
    "Can you prove that there are infinitely many primes?",
    "You are asked to prove that $n^2 + n$ is even.",
    "Use the results of part (a) to factor $f$, and show that $f$ is positive.",
]
NO_PROOFS = [
    "A waterproof watch costs 40 dollars. How much do three cost?",
    "The data show that 30% of 50 pupils walk. How many pupils walk?",
    "A bottle of 80-proof rum is mixed with water. What is its proof?",
    "Ann wants to prove that she is quick: she runs 100 m in 20 s. What is her speed?",
    "How many lines does a proof of 3 pages with 40 lines each have?",
    "Improve the estimate of $\\pi$: compute $355/113$ to six digits.",
    "His identity was proved by two letters. How many letters were left of 9?",
    "某人持身份证明材料5份，用去2份，还剩几份？",
    "The results were tabulated and show that 40% of 200 people own a car. How many own one?",
    "All records were checked, and show that 30 of 50 lamps fail. What share fails?",
    "The cinema sold 300 tickets for the first show, and show that night brought 90 more. How many were sold?",
]


@pytest.mark.parametrize("text", PROOFS)
def test_a_proof_that_is_asked_for(text: str) -> None:
    assert asks_for_a_proof(text)


@pytest.mark.parametrize("text", NO_PROOFS)
def test_a_proof_that_is_only_spoken_of(text: str) -> None:
    assert not asks_for_a_proof(text)


SEVERAL = [
    "(a) Find $f(2)$. (b) Find the zeros of $f$.",
    "A ball falls from 20 m.\n1. How long does it fall?\n2. What is its speed then?",
    "Let $f(x) = x^2$. (i) Compute $f'(1)$. (ii) Sketch the graph.",
    "How old is Tom? How old is his sister?",
    "What is the sum of the digits? And how many of them are odd?",
    "已知函数 $f(x)=x^2+1$。（1）求 $f(2)$；（2）求 $f$ 的最小值。",
    "Let $f(x) = x^2$. (a) Sketch the graph. (b) State its range.",
    "(1) For $n = 3$, solve $x^n = 8$; (2) hence solve $x^n = 27$.",
    "Do you know how old Tom is? How old is Tom? How old is his sister?",
]
ONE = [
    "Find all functions with (a) $f(0) = 1$ and (b) $f(x+y) = f(x)f(y)$.",
    "Let (1) $x + y = 3$ and (2) $x - y = 1$. Find $x$.",
    "What is $2 + 2$? (a) 3 (b) 4 (c) 5",
    '"What is your number?" asked Ann. Bob said 7. What is twice Bob\'s number?',
    "Find the values of $x$ and $y$ if $x + y = 5$ and $x - y = 1$.",
    "A shop sells pens at 3 dollars. How much do 7 pens cost? Give your answer in cents.",
    "Steps: (a) take a number, (b) double it, (c) add 3. What number gives 11?",
    "甲有3个苹果，乙有5个，一共有多少个？",
    "(1) Each player may draw one card; (2) no player may draw twice. What is the chance of four hearts?",
    "(a) In state A it says 0; (b) in state B it says 1. What is the fifth output?",
    "(1) An express train makes 90 km an hour. (2) Another express train makes 60. When do they meet?",
    "(a) Players solve a puzzle, (b) winners solve another. How many puzzles do 8 players solve?",
    "Can you help me? What is $2 + 2$?",
    "Have you ever wondered how fast light is? It makes 300,000 km a second. How far does it go in two?",
]


@pytest.mark.parametrize("text", SEVERAL)
def test_several_questions(text: str) -> None:
    assert asks_several(text)


@pytest.mark.parametrize("text", ONE)
def test_one_question_with_many_marks(text: str) -> None:
    assert not asks_several(text)


PICTURES = [
    "In the figure, AB = 5 and BC = 12. Find AC.",
    "The shaded region shown below has area $A$. Find $A$.",
    "Use the diagram at the right to find $x$.",
    "A square is divided as shown in the picture. What is the area of the grey part?",
    "How many triangles are there?\n![](triangles.png)",
    "如图，AB=5，求AC的长。",
    "The graph of $f$ is shown. Find $f(2)$.",
    "See Fig. 3. Find the angle at B.",
    "The squares in the figure below have sides $\\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix}$. Find the area.",
    "The pictures above were taken by three cameras. How many were taken by the first?",
    "The figure shown on the right has two parallel sides. Find its area.",
]
NO_PICTURES = [
    "A figure skater turns 3 times a second. How many turns are that in a minute?",
    "Find the area under the graph of $y = x^2$ from 0 to 3.",
    "A picture costs 30 dollars, its frame 12. What do both cost?",
    "In the diagram, ABCD is a square.\n[asy]\ndraw((0,0)--(1,0)--(1,1)--(0,1)--cycle);\n[/asy]\nFind its area.",
    "He has shown below average results in 3 of 12 tests. What share is that?",
    "Round 3.14159 to four significant figures.",
    "图书馆有300本书，借出120本，还剩多少本？",
    "A family hangs a picture above the fireplace. It is 3 by 4 feet. What is its area?",
    "Consider the figure formed by joining the midpoints of the sides of a unit square. What is its area?",
    "Find the volume of the figure shown by rotating $y = x^2$ about the x-axis from 0 to 3.",
    "The mat in the picture frame is 2 inches wide; the frame is 10 by 12. What is left for the picture?",
    "Images above 5 MB cost 3 dollars each. What do four of them cost?",
    "The images shown on a screen change 24 times a second. How many are that in a minute?",
    "To the figure of 300 she adds 25. What does she get?",
    "The rows of Pascal's Triangle are shown below. Find 5.\n\\[\\begin{array}{ccc} & 1 & \\\\ 1 & & 1\\end{array}\\]",
    "The prices are shown below.\n| pen | 3 |\n|---|---|\n| book | 12 |\nWhat do two pens and a book cost?",
]


@pytest.mark.parametrize("text", PICTURES)
def test_a_picture_that_is_not_there(text: str) -> None:
    assert asks_about_a_picture(text)


@pytest.mark.parametrize("text", NO_PICTURES)
def test_no_picture_is_needed(text: str) -> None:
    assert not asks_about_a_picture(text)


CHOICES = "(A) 3 (B) 4 (C) 5 (D) 6"


@pytest.mark.parametrize(
    ("text", "reference", "expected"),
    [
        pytest.param(f"What is $2 + 2$? {CHOICES}", "B", ("What is $2 + 2$?", "4"), id="a letter"),
        pytest.param(f"What is $2 + 2$? {CHOICES}", "(B)", ("What is $2 + 2$?", "4"), id="a letter in brackets"),
        pytest.param(f"What is $2 + 2$? {CHOICES}", "\\boxed{B}", ("What is $2 + 2$?", "4"), id="a letter in a box"),
        pytest.param(f"What is $2 + 2$? {CHOICES}", "4", ("What is $2 + 2$?", "4"), id="the choice itself"),
        pytest.param(f"What is $2 + 2$? {CHOICES}", "B. 4", ("What is $2 + 2$?", "4"), id="both"),
        pytest.param(f"What is $2 + 2$? {CHOICES}", "B. 5", None, id="a letter and another's text"),
        pytest.param(f"What is $2 + 2$? {CHOICES}", "E", None, id="a letter that there is not"),
        pytest.param(f"What is $2 + 2$? {CHOICES}", "7", None, id="none of the choices"),
        pytest.param(f"What is $2 + 2$? {CHOICES}", None, None, id="no reference"),
        pytest.param(f"Which number is the smallest prime? {CHOICES}", "A", None, id="a choice among choices"),
        pytest.param(f"Which of the following is prime? {CHOICES}", "A", None, id="the following"),
        pytest.param(f"What is closest to $\\sqrt{{17}}$? {CHOICES}", "B", None, id="the closest of them"),
        pytest.param(f"What could $x$ be if $x^2 < 20$? {CHOICES}", "B", None, id="one of several that could be"),
        pytest.param(
            "What is $2+2$? (A) 3 (B) 4 (C) none of these", "B", None, id="a choice that speaks of the others"
        ),
        pytest.param("What is $2+2$? (A) 4 (B) 4 (C) 5", "A", None, id="two alike"),
        pytest.param(
            "What is the sum of two odd numbers? (A) always odd (B) always even (C) sometimes prime",
            "B",
            None,
            id="a choice in words",
        ),
        pytest.param(
            "计算 $2+2$ 等于（ ）\nA. 3\nB. 4\nC. 5", "B", ("计算 $2+2$ 等于", "4"), id="a gap to be filled in"
        ),
        pytest.param(f"What is the estimate of $39 / 10$ ? {CHOICES}", "B", None, id="an estimate"),
        pytest.param(f"What is a factor of 12? {CHOICES}", "A", None, id="any of several"),
        pytest.param(f"Find an even number. {CHOICES}", "B", None, id="one of many"),
        pytest.param(f"What is one root of $x^2 - 7x + 12$? {CHOICES}", "A", None, id="one of two roots"),
        pytest.param(f"A divisor of 12 is {CHOICES}", "B", None, id="a gap that several fill"),
        pytest.param(f"The number 35 is divisible by {CHOICES}", "C", None, id="one divisor of several"),
        pytest.param(f"If $x^2 = 9$, what is $x$? {CHOICES}", "A", None, id="either sign of a square"),
        pytest.param(f"Find $x$ if $|x - 1| = 2$. {CHOICES}", "A", None, id="either side of an absolute value"),
        pytest.param(f"If $x > 5$ is an integer, find $x$. {CHOICES}", "D", None, id="all above a bound"),
        pytest.param(
            f"If $x^2 = 9$, what is $x^2 - 4$? {CHOICES}",
            "C",
            ("If $x^2 = 9$, what is $x^2 - 4$?", "5"),
            id="the square",
        ),
        pytest.param(
            f"How many integers $n > 0$ have $n^2 < 10$? {CHOICES}",
            "A",
            ("How many integers $n > 0$ have $n^2 < 10$?", "3"),
            id="how many there are below a bound",
        ),
        pytest.param(
            f"What is one third of 9? {CHOICES}", "A", ("What is one third of 9?", "3"), id="one, and not any"
        ),
        pytest.param(f"Find a if 2a = 8. {CHOICES}", "B", ("Find a if 2a = 8.", "4"), id="a letter, and not any"),
        pytest.param("What is $2 + 2$?", "4", None, id="no choices at all"),
        pytest.param(f"Equal to: {CHOICES}", "B", None, id="no question without its choices"),
    ],
)
def test_choices_are_filled_in_only_where_the_question_has_one_answer_without_them(
    text: str, reference: str | None, expected: tuple[str, str] | None
) -> None:
    assert filled_in(text, reference) == expected


@pytest.mark.parametrize(
    ("text", "reference", "is_one"),
    [
        pytest.param(f"Which is prime? {CHOICES}", "C", True, id="a letter"),
        pytest.param(f"Which is prime? {CHOICES}", "5", True, id="the words of one"),
        pytest.param("Find all n with (a) n > 2, (b) n < 9 and (c) n prime.", "15", False, id="conditions"),
        pytest.param(f"Which is prime? {CHOICES}", None, False, id="no reference"),
        pytest.param("Which is prime?", "C", False, id="a letter of no list"),
    ],
)
def test_choices_are_those_that_the_reference_is_one_of(text: str, reference: str | None, is_one: bool) -> None:
    assert is_a_choice(text, reference) == is_one


@pytest.mark.parametrize("text", [*PROOFS, *SEVERAL, *PICTURES, f"What is $2 + 2$? {CHOICES}", "a) 1 b) 2 c) 3"])
def test_whatever_a_rule_hits_is_looked_at(text: str) -> None:
    """Trap: a rule that is taught another word, while nobody looks at problems that have no other."""
    assert re.search(TRIGGERS, text)


@pytest.mark.parametrize("text", ["results ", "(1) what ", "a | b ", "graph of ", "what is a ", "and show "], ids=repr)
@pytest.mark.parametrize("end", ["?", " (A) 1 (B) 2 (C) 3", "|x|", "."], ids=repr)
def test_a_long_text_without_a_stop_is_read_once(text: str, end: str) -> None:
    """Trap: two minutes for a problem of 160,000 letters, each of which might have begun a question."""
    long = text * 20_000 + end

    def read() -> None:
        asks_for_a_proof(long)
        asks_several(long)
        asks_about_a_picture(long)
        filled_in(long, "A")

    within(2.0, read)
