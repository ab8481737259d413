"""Which fenced block is the program: chosen by what the tests call, not by its place."""

from __future__ import annotations

import pytest

from tests.pace import within
from tracemill.text.fences import Block, blocks, program


def fenced(*codes: str, tag: str = "python") -> str:
    return "Here it is.\n" + "\nand\n".join(f"```{tag}\n{code}\n```" for code in codes) + "\nDone."


ADD, USE, OTHER = "def add(a, b):\n    return a + b", "print(add(1, 2))", "def plus(a, b):\n    return a + b"
TWO = "def helper():\n    return 1\ndef plus(a, b):\n    return a + b"
RECURSIVE = "def f(n):\n    return 1 if n < 2 else n * f(n - 1)"
METHOD = "class Solution:\n    def add(self, a, b):\n        return a + b"
BROKEN = "def add(a, b):\n    return a +"


@pytest.mark.parametrize(
    ("codes", "chosen"),
    [
        ([ADD, USE], ADD),
        ([USE, ADD], ADD),
        ([ADD, "def add(a, b):\n    return 0"], ADD),
        ([TWO, ADD], ADD),
        ([OTHER, METHOD], METHOD),
        ([BROKEN, USE], BROKEN),
        ([TWO, USE], TWO),
    ],
    ids=["usage_after", "usage_before", "first_definition", "definition_last", "method", "unparsable", "none_fits"],
)
def test_the_block_that_defines_the_tested_name_is_the_program(codes: list[str], chosen: str) -> None:
    assert program(fenced(*codes), ["add"]) == chosen


def test_a_lone_function_of_another_name_gets_the_tested_one_too() -> None:
    source = program(fenced(USE, RECURSIVE), ["factorial"])
    assert source is not None
    names: dict[str, object] = {}
    exec(compile(source, "solution", "exec"), names)  # the text above, not a model's
    assert names["factorial"](5) == 120  # type: ignore[operator]


def test_with_two_tested_names_nothing_is_renamed() -> None:
    assert program(fenced(OTHER), ["add", "sub"]) == OTHER


def test_the_block_with_most_of_the_tested_names_wins() -> None:
    both = ADD + "\ndef sub(a, b):\n    return a - b"
    assert program(fenced(ADD, both), ["add", "sub"]) == both


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("#include <iostream>\nint main() { std::cout << 4; }", "cpp"),
        ('#include <stdio.h>\nint main(void) { puts("4"); }', "c"),
        ("public class Main {\n  public static void main(String[] args) { }\n}", "java"),
        ("package main\n\nfunc main() { }", "go"),
        ('fn main() {\n    println!("4");\n}', "rust"),
        ("const lines = require('fs').readFileSync(0)", "javascript"),
        ("# include <vector>\nprint(4)", ""),
        ("print('#include <vector>')", ""),
        ("4 5", ""),
    ],
    ids=["cpp", "c", "java", "go", "rust", "javascript", "comment_of_python", "text_of_python", "output"],
)
def test_an_untagged_program_in_another_language_is_told_by_what_only_that_has(code: str, tag: str) -> None:
    assert blocks(f"```\n{code}\n```\n") == [Block(tag, code)]


def test_programs_of_standard_input_are_the_last_block() -> None:
    assert program(fenced("print(1)", "print(2)"), []) == "print(2)"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("no code here, sorry", None),
        ("", None),
        (ADD, ADD),
        (fenced("ls -l", tag="bash"), None),
        (fenced(ADD, tag=""), ADD),
        (fenced(ADD, tag="Python3"), ADD),
        (fenced("int main() {}", tag="cpp"), None),
        (f"1. do\n   ~~~python\n   x = 1\n   ~~~\n```python\n{ADD}\n```", ADD),
        (f"```python\n{ADD}", ADD),
        (fenced("output: 3", tag="") + fenced(ADD), ADD),
    ],
    ids=[
        "prose",
        "empty",
        "bare",
        "bash",
        "untagged",
        "python3",
        "cpp",
        "tildes",
        "unclosed",
        "tagged_before_untagged",
    ],
)
def test_what_counts_as_a_program(text: str, source: str | None) -> None:
    assert program(text, ["add"]) == source


def test_cpp_blocks_answer_in_cpp() -> None:
    assert program(fenced("int main() {}", tag="c++"), [], {"c++"}) == "int main() {}"


@pytest.mark.parametrize(
    ("information", "tag"),
    [
        ("python", "python"),
        ("Python", "python"),
        ("python:solution.py", "python"),
        ("python title=x.py", "python"),
        ("python,linenos", "python"),
        ("{.python .numberLines}", "python"),
        ("{python}", "python"),
        ("language-python", "python"),
        ("c++17", "c++17"),
        ("c#", "c#"),
        ("objective-c", "objective-c"),
        ("", ""),
    ],
)
def test_the_tag_is_the_language_alone(information: str, tag: str) -> None:
    assert blocks(f"```{information}\nx\n```") == [Block(tag, "x")]


def test_a_fence_is_closed_only_by_one_as_long() -> None:
    assert blocks("````md\n```python\nx\n```\n````\n") == [Block("md", "```python\nx\n```")]


def test_a_block_in_a_list_item_loses_the_indentation_of_its_fence() -> None:
    text = "1. So:\n   ```python\n   def add(a, b):\n       return a + b\n   ```\n2. Done"
    assert program(text, ["add"]) == ADD


def test_inline_backticks_are_no_fence() -> None:
    assert blocks("use ```x = 1``` here\n``` `not` one\n") == []


@pytest.mark.parametrize(
    "text", ["```\n" * 50_000, "`" * 100_000, "```python\n" + "(" * 5_000], ids=["fences", "ticks", "parentheses"]
)
def test_no_text_takes_long_or_breaks_the_parser(text: str) -> None:
    within(2.0, lambda: program(text, ["add"]))
