"""The query filters, against queries that look alike and must be kept."""

from __future__ import annotations

import polars as pl
import pytest

from tracemill.curate.wellformed import TABLE, URL, incomplete, needs_link, unusual_share

SCRIPTS = ("Han", "Latin", "Greek")


CUT = {
    "colon and nothing": "Solve the equation:",
    "the following, and nothing": "Here is a list of numbers.\nSort the following list:",
    "joining word": "Find the sum of",
    "article": "A train leaves the",
    "condition without an end": "Compute the area of the square if",
    "comma": "If a circle has radius 3,",
    "open formula": "Let $x = 3",
    "formula with a command that never ends": "Find $\\frac{1}{2",
    "second formula open": "Given $a = 2$, what is $b + c",
    "ellipsis after a joining word": "Consider the function f and ...",
    "said to be cut": "In a village there are two wells [...]",
    "said to be truncated": "A box holds nine red balls (truncated)",
    "Chinese comma": "已知函数，",
    "Chinese condition": "求最大值，如果",
    "open fence": "Fix this:\n```python\nprint(1)",
    "open brace of a set": "Let A be the set {",
    "open bracket": "Evaluate f(",
    "semicolon in prose": "A man buys ten apples and sells them again;",
}
WHOLE = {
    "formula": "What is $2+2$?",
    "ellipsis inside": "What comes next in 1, 2, 4, ..., 64?",
    "a series goes on": "What is the sum of 1 + 1/2 + 1/4 + ...",
    "a sequence goes on": "Find the next number: 2, 3, 5, 8, 13, ...",
    "a story to continue": "Continue this story: It was a dark night and the wind howled...",
    "a sentence to finish": "Complete the sentence: The quick brown fox jumps over the ...",
    "a thought that trails off": "I do not know what to do about my job anymore...",
    "Chinese, to continue": "请续写下面的故事：从前有一座山，",
    "one dollar sign is a price": "A pen costs $3. What do 4 pens cost?",
    "price with cents": "Milk is $.99 a litre and bread $2; what do both cost?",
    "currency of a country": "How many US$ is a S$ worth today?",
    "the sign itself": 'What does the "$" stand for in a regular expression?',
    "escaped dollar": "Pens cost \\$3 and $x$ euros",
    "PHP": "In PHP, what does $this mean inside a class?",
    "PHP code": "Why does this fail?\n$this->name = $name;\nreturn $this;",
    "shell": "How do I append a folder to $PATH in bash?",
    "shell in backquotes": "Explain `echo $HOME` to me.",
    "shell, braces": "What is the difference between ${HOME} and ~?",
    "jQuery": "Why does $(document) not fire in my page?",
    "ticker": "Should I buy $AAPL or wait?",
    "template": "Replace $name by the name of the person.",
    "closed fence": "Fix this:\n```python\nprint(1)\n```",
    "fence on one line": "What does ```x = 1``` do?",
    "fence opened for the answer": "Write a function that adds two numbers.\n```python\n",
    "starter code": "Return the sum.\nclass Solution:\n    def f(self, nums: List[int]) -> int:\n        ",
    "starter code, one function": "Write a function that doubles a number.\n\ndef double(n):",
    "starter code in Java": "Return the sum.\nclass Solution {\n    public int sum(int[] nums) {",
    "starter code in C++": "Add two numbers.\n#include <iostream>\nint main() {",
    "starter code in JavaScript": "Add.\nvar add = function(a, b) {",
    "starter code in Rust": "Add.\nimpl Solution {\n    pub fn add(a: i32, b: i32) -> i32 {",
    "starter code in Go": "Add.\nfunc add(a int, b int) int {",
    "SQL": "What does this do?\nSELECT name FROM users WHERE id = 3;",
    "label for the answer": "Is the sky blue?\nAnswer:",
    "bold label": "Is the sky blue?\n**Answer:**",
    "label of a translation": "Translate to French.\nEnglish: I am here.\nFrench:",
    "Chinese label": "天空是什么颜色？\n答案：",
    "a question that ends in its preposition": "which country does the president of France come from",
    "another": "What is glass made of",
    "operators": "Explain the difference between bitwise and",
    "a face": "I failed my exam :(",
    "Chinese": "求它的体积。",
    "a sum in Chinese": "求这两个数的和",
    "ends in a formula": "Find $a$",
    "display formula": "Compute $$\\int_0^1 x\\,dx$$",
}


@pytest.mark.parametrize("text", CUT.values(), ids=CUT)
def test_what_is_cut_off_is_incomplete(text: str) -> None:
    assert pl.select(incomplete(pl.lit(text))).item()


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_what_is_whole_is_not(text: str) -> None:
    assert not pl.select(incomplete(pl.lit(text))).item()


LONG = (
    "There are four towns on a river and each has a bridge; count the ways from the first to the last one so that no "
)
LONG += "bridge is crossed twice and the third town is never left by the way it was entered."


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        pytest.param("Summarise https://example.com/page please.", True, id="its subject"),
        pytest.param("https://example.com/page", True, id="nothing else"),
        pytest.param(f"{LONG} Use the data from https://example.com/rivers.csv for it.", True, id="data behind it"),
        pytest.param(f"{LONG} ![](https://example.com/map.png)", True, id="an image"),
        pytest.param(f"看这个网站：http://example.cn/页 {LONG}", True, id="Chinese"),
        pytest.param(
            f"{LONG} A [bridge](https://en.wikipedia.org/wiki/Bridge) has two ends.", False, id="a definition"
        ),
        pytest.param(f"{LONG} (see https://example.com/rules)", False, id="in brackets"),
        pytest.param(f"{LONG}\nGraph: https://example.com/graph", False, id="a footnote"),
        pytest.param(LONG, False, id="no link"),
    ],
)
def test_a_link_is_needed_where_the_query_is_about_it(text: str, needed: bool) -> None:
    assert pl.select(needs_link(pl.lit(text))).item() is needed


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
