"""Formulas of two prints come out in one notation, and signs that differ stay apart."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemill.text.problem_text import normalised_problem
from tracemill.text.tokens import tokenise

SAME = {
    "Greek letters": (r"Solve $2\alpha + \varphi = \pi$.", "Solve 2α + φ = π."),
    "degrees": (r"An angle of $35^{\circ}$", "An angle of 35°"),
    "a function": (r"If $\cos\beta = \frac{1}{3}$", "If cos β = \\frac13"),
    "fractions": (r"$\dfrac{7}{9}+\frac{2}5$", r"$\frac79 + \tfrac25$"),
    "fractions in fractions": (r"$\frac{\frac12}{3}$", r"$\dfrac{\frac{1}{2}}3$"),
    "number sets": (r"for all $y\in\mathbb{Z}$", "for all y ∈ ℤ"),
    "sets": (r"$B = \{2, 4, 6\}$", "B = {2, 4, 6}"),
    "arrows": (r"$\overrightarrow{u}$ and $\overrightarrow{w}$", r"$\vec{u}$ and $\vec{w}$"),
    "triangles": (r"In $\triangle PQR$ let $\angle P = 40^\circ$", "In △PQR let ∠P = 40°"),
    "systems": (
        r"$\left\{\begin{array}{l} u+v=7 \\ u-v=3 \end{array}\right.$",
        r"$\begin{cases} u + v = 7 \\ u - v = 3 \end{cases}$",
    ),
    "binomials": (r"${9 \choose 4}$", r"$\binom{9}{4}$"),
    "dots": (r"$2+4+\cdots+80$", "2+4+…+80"),
    "entities": ("Is u &lt; v?", "Is u < v?"),
    "raised in HTML": ("3<sup>4</sup> and w<sub>2</sub>", "3^4 and w_2"),
    "a thousand": (r"It has $25{,}000$ rows", "It has 25,000 rows"),
    "a tie": (r"$7~\text{km}$", "7 km"),
    "fractions of letters": (r"$\frac uv$", r"$\frac{u}{v}$"),
    "logarithms": (r"$\log_{3} 81$", "log_3 81"),
    "sets by a condition": (r"$\{w \mid w < 4\}$", "{w | w < 4}"),
    "a grid": (r"A $6\times 9$ board", "A 6x9 board"),
    "unions": (r"$P \cup Q$", "P ∪ Q"),
}
APART = {
    "a fraction and a number": (r"$\frac34$", r"$34$"),
    "letters": ("α + β", "α + γ"),
    "functions": ("sin u", "cos u"),
    "union and intersection": ("P ∪ Q", "P ∩ Q"),
    "a fractional part": (r"$\{w\}$ of 3.7", "w of 3.7"),
    "degrees and none": ("tan 45°", "tan 45"),
    "a hexadecimal number": ("0x10", "0 * 10"),
    "subset and proper subset": ("P ⊂ Q", "P ⊆ Q"),
}


def tokens(text: str) -> list[int]:
    """The tokens of the one spelling."""
    return list(tokenise(pa.array([normalised_problem(text)], pa.large_string())).hashes.tolist())


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_two_prints_are_one(one: str, other: str) -> None:
    assert tokens(one) == tokens(other)


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_two_signs_are_two(one: str, other: str) -> None:
    assert tokens(one) != tokens(other)


@pytest.mark.parametrize("text", ["A tank of water", "They sing a song", "It cost a nickel", "Ein Ausflug nach Ähren"])
def test_words_stay_words(text: str) -> None:
    assert "\\" not in normalised_problem(text)


PIECES = r"""\frac 3 { } α ° ^\circ \{ , \} sin x ( ∈ … \dots &lt; <sup>2</sup> \left \begin{array}{l} \choose \mathbb
R \sqrt"""
SNIPPETS = st.sampled_from([*PIECES.split(), " "])


@given(st.lists(SNIPPETS, max_size=12).map("".join))
def test_a_second_time_changes_nothing(text: str) -> None:
    once = normalised_problem(text)
    assert normalised_problem(once) == once
