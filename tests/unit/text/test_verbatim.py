"""What tokens fold and a problem turns on: primes of formulas, and code as it is written."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tracemill.text.verbatim import MAY_BE, code, crosses, primes

PRIMES = {
    "a derivative": ("Find $f'(2)$ and f(3).", "f'"),
    "two primes": ("$f''(x)$, $y_1' = 3$", "f'' y_1'"),
    "images of points": ("A'B' is the image of AB", "A' B'"),
    "of a product": ("$(fg)'(x)$", ")'"),
    "a possessive": ("Tom's and the pupils' pens", ""),
    "a contraction": ("It isn't; I'm sure.", ""),
    "a letter in quotes": ("Print 'a' or 'b' now.", ""),
}


@pytest.mark.parametrize(("text", "found"), PRIMES.values(), ids=PRIMES)
def test_primes_are_told_from_quotes(text: str, found: str) -> None:
    assert primes(text) == found


FENCED = "What does it print?\n```python\n{}\n```"
CODE = {
    "fenced": (FENCED.format("for k in x:\n    print(k)"), "0:for k in x:\n1:print(k)"),
    "without fences": (
        "What does it print?\nfor k in x:\n    y += k\nprint(y)\nSay it.",
        "0:for k in x:\n1:y+=k\n0:print(y)",
    ),
    "two blanks for four": (FENCED.format("if a:\n  b()\nelse:\n  c()"), "0:if a:\n1:b()\n0:else:\n1:c()"),
    "blanks in a text": (FENCED.format("f( ' ' , 'a b' )"), "0:f(' ','a b')"),
    "cut off": ("```\nx[1:]", "0:x[1:]"),
    "a drawing": ("```asy\ndraw(A--B);\n```", ""),
    "prose": ("For each k, say why:\nthe sum is 4.", ""),
}


@pytest.mark.parametrize(("prompt", "found"), CODE.values(), ids=CODE)
def test_code_keeps_its_marks_and_its_depth(prompt: str, found: str) -> None:
    assert code(prompt) == found


CROSSES = {
    "named tuples": (r"Find $a \times b$ for $a = (1, 2, 0)$ and b = (0, 1, 3).", "a×b"),
    "under arrows": (r"$\vec{u} \times \vec{v}$", "u×v"),
    "in bold": ("Both vectors are given: $\\mathbf{a}\\times\\mathbf{b}$", "a×b"),
    "a sign": ("求向量 u × v 的模。", "u×v"),
    "a dot": (r"Find $a \cdot b$ for $a = (1, 2, 0)$ and b = (0, 1, 3).", ""),
    "numbers of vectors": (r"The vectors span 3 \times 4 cells.", ""),
    "letters that are numbers": (r"Find $a \times b$ for a = 3, b = 4.", ""),
}


@pytest.mark.parametrize(("prompt", "found"), CROSSES.values(), ids=CROSSES)
def test_a_cross_of_vectors_is_no_dot(prompt: str, found: str) -> None:
    assert crosses(prompt) == found


@pytest.mark.parametrize("prompt", [p for p, found in (*PRIMES.values(), *CROSSES.values(), *CODE.values()) if found])
def test_no_row_with_something_verbatim_is_passed_over(prompt: str) -> None:
    assert pc.match_substring_regex(pa.array([prompt]), MAY_BE)[0].as_py()
