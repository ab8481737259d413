"""The query filters, against queries that look alike and must be kept."""

from __future__ import annotations

import polars as pl
import pytest

from tracemill.text.wellformed import TABLE, URL, incomplete, unusual_share

SCRIPTS = ("Han", "Latin", "Greek")


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        pytest.param("Solve the equation:", True, id="colon and nothing"),
        pytest.param("Find the sum of", True, id="joining word"),
        pytest.param("Let $x = 3", True, id="open formula"),
        pytest.param("Consider the function f and ...", True, id="ellipsis at the end"),
        pytest.param("已知函数，", True, id="Chinese comma"),
        pytest.param("Fix this:\n```python\nprint(1)", True, id="open fence"),
        pytest.param("What is $2+2$?", False, id="whole"),
        pytest.param("What comes next in 1, 2, 4, ..., 64?", False, id="ellipsis inside"),
        pytest.param("A pen costs $3. What do 4 pens cost?", False, id="one dollar sign is a price"),
        pytest.param("Pens cost \\$3 and $x$ euros", False, id="escaped dollar"),
        pytest.param("Fix this:\n```python\nprint(1)\n```", False, id="closed fence"),
        pytest.param("求它的体积。", False, id="Chinese"),
        pytest.param("Find $a$", False, id="ends in a formula"),
    ],
)
def test_incomplete(text: str, cut: bool) -> None:
    assert pl.select(incomplete(pl.lit(text))).item() is cut


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        pytest.param("袋子里有红球三个、白球四个，摸到白球的概率是多少？", 0, 0, id="Chinese is spared"),
        pytest.param("Let ∑ xᵢ ≤ √2 · π, ∀ε>0 → “done” – 30° €5", 0, 0.1, id="mathematics and typography"),
        pytest.param("Où est l’été?", 0, 0, id="accents"),
        pytest.param("Сколько яблок осталось?", 0.9, 1, id="Cyrillic is not among the scripts"),
        pytest.param("☃☃☃ 🎉🎉 solve", 0.4, 0.6, id="pictures"),
        pytest.param("\u200b\ufffd\ufffd\ue000 x", 0.5, 1, id="broken text"),
        pytest.param(" \n", 0, 0, id="blank"),
    ],
)
def test_share_of_unusual_characters(text: str, low: float, high: float) -> None:
    assert low <= pl.select(unusual_share(pl.lit(text), SCRIPTS)).item() <= high


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See https://example.com/a?b=1 for the data.", True),
        ("看这个：http://例子.cn/页", True),
        ("Visit www.example.org now", True),
        ("What does HTTPS stand for?", False),
        ("The time is 12://30", False),
        ("What does http:// mean?", False),
    ],
)
def test_links(text: str, found: bool) -> None:
    assert pl.select(pl.lit(text).str.contains(URL)).item() is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("| a | b |\n|---|:--:|\n| 1 | 2 |", True, id="Markdown"),
        pytest.param("a | b\n--- | ---\n1 | 2", True, id="Markdown without edges"),
        pytest.param("\\begin{tabular}{cc} 1 & 2 \\end{tabular}", True, id="LaTeX"),
        pytest.param("<table border=1><tr>", True, id="HTML"),
        pytest.param("a\tb\tc\n1\t2\t3\n4\t5\t6\n", True, id="tabs"),
        pytest.param("Find $|x| + |y|$ with P(A|B).", False, id="bars of mathematics"),
        pytest.param("\\begin{array}{c} x+y=1 \\\\ x-y=2 \\end{array}", False, id="a system of equations"),
        pytest.param("Part one\n---\nPart two", False, id="a rule between parts"),
        pytest.param("def f():\n\treturn 1\n\ndef g():\n\treturn 2", False, id="code indented by tabs"),
        pytest.param("Compute a -- b -- c", False, id="dashes"),
    ],
)
def test_tables(text: str, found: bool) -> None:
    assert pl.select(pl.lit(text).str.contains(TABLE)).item() is found
