"""What an answer lists, and what only looks like a list."""

from __future__ import annotations

import pytest

from tracemill.text.members import members


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("2, 3", ["2", "3"]),
        ("$x=2$ or $x=3$", ["x=2", "x=3"]),
        ("2 \\text{ and } 3", ["2", "3"]),
        ("\\{2, 3\\}", ["2", "3"]),
        ("2；3", ["2", "3"]),
        ("2或3", ["2", "3"]),
        ("\\pm 2", ["+ 2", "- 2"]),
        ("1 ± \\sqrt{2}", ["1 + \\sqrt{2}", "1 - \\sqrt{2}"]),
        ("(1, 2), (3, 4)", ["(1, 2)", "(3, 4)"]),
        ("1, 100", ["1", "100"]),
        pytest.param("1,100", [], id="digits that a comma groups"),
        pytest.param("(1, 2)", [], id="a point"),
        pytest.param("[1, 2)", [], id="an interval"),
        pytest.param("f(x, y)", [], id="a function of two"),
        pytest.param("Portland", [], id="a word with a joining word in it"),
        pytest.param("7", [], id="a value"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_the_values_that_an_answer_lists(answer: str, expected: list[str]) -> None:
    assert members(answer) == expected
