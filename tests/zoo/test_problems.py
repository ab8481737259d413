"""Generated problems are pure, graded, and their reference solutions are right."""

from __future__ import annotations

import ast
import re
from itertools import islice
from random import Random

import pytest

from zoo.grading import is_right, well_formed
from zoo.problem import KINDS, LEVELS, Kind, Problem
from zoo.problems import HELD_OUT, TRAINING, is_held_out, problem, problems
from zoo.scratchpad import Pad
from zoo.traces import response

MATHS: tuple[Kind, ...] = ("arithmetic", "equation", "story")
_EQUATION = re.compile(r"^(-?\d+)([-+*/])\(?(-?\d+)\)?=(-?\d+)$")
_APPLY = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__, "/": int.__floordiv__}


def _holds(equation: str) -> bool:
    found = _EQUATION.match(equation)
    assert found, equation
    a, sign, b, result = found.groups()
    return _APPLY[sign](int(a), int(b)) == int(result)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", MATHS)
def test_every_written_equation_holds(kind: Kind, level: int) -> None:
    """A teacher must not be taught a wrong sum: each equation of working and recap is checked, negatives included."""
    rng = Random(f"{kind}{level}")
    for _ in range(150):
        item = problem(rng, kind, level)
        for line in item.thought:
            for equation in re.findall(r"(?<![\d*+/)-])-?\d+[-+*/]\(?-?\d+\)?=-?\d+", line):
                assert _holds(equation), line
        assert all(_holds(line) for line in item.recap)


@pytest.mark.parametrize(
    ("a", "sign", "b"),
    [(347, "+", 285), (99, "+", 1), (100, "+", 200), (-7, "+", 12), (632, "-", 285), (12, "-", 60), (300, "-", 45),
     (5, "-", -8), (47, "*", 36), (20, "*", 30), (7, "*", 0), (9, "*", -13), (203, "*", 4)],
    ids=lambda value: str(value),
)  # fmt: skip
def test_the_scratchpad_ends_in_the_result(a: int, sign: str, b: int) -> None:
    """Whatever the split, the last number of the working is the result."""
    pad = Pad()
    result = {"+": pad.add, "-": pad.subtract, "*": pad.multiply}[sign](a, b)
    assert result == _APPLY[sign](a, b)
    assert pad.working[0].endswith(f"={result}")


def test_a_division_that_is_not_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="7 is not divisible by 2"):
        Pad().divide(7, 2)


@pytest.mark.parametrize("level", LEVELS)
def test_arithmetic_answers_equal_their_expression(level: int) -> None:
    rng = Random(level)
    for _ in range(200):
        item = problem(rng, "arithmetic", level, "en")
        plain = item.prompt.replace("\\times", "*").replace("×", "*")
        found = re.search(r"[\d(][\d()+* -]*[\d)]", plain)
        assert found, plain
        assert str(_value(ast.parse(found[0], mode="eval").body)) == item.reference_answer


@pytest.mark.parametrize("level", LEVELS)
def test_equations_are_solved_by_their_answer(level: int) -> None:
    rng = Random(level)
    for _ in range(200):
        item = problem(rng, "equation", level, "en")
        found = re.search(r"[\dx(+ )-]+ = [\dx+ -]*\d", item.prompt)
        assert found, item.prompt
        left, right = (re.sub(r"(\d)([x(])", r"\1*\2", side) for side in found[0].split("="))
        x = str(item.reference_answer)
        assert _side(left, x) == _side(right, x), item.prompt


def _side(text: str, x: str) -> int:
    tree = ast.parse(text.replace("x", f"({x})").strip(), mode="eval").body
    return _value(tree)


def _value(node: ast.expr) -> int:
    if isinstance(node, ast.UnaryOp):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        return (
            left + right
            if isinstance(node.op, ast.Add)
            else left - right
            if isinstance(node.op, ast.Sub)
            else left * right
        )
    assert isinstance(node, ast.Constant)
    assert isinstance(node.value, int)
    return node.value


def test_one_seed_is_one_stream() -> None:
    first, again, other = (list(islice(problems(seed), 50)) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_no_seed_leaks_a_held_out_prompt() -> None:
    """The split is a property of the prompt: two streams of different seeds cannot meet across it."""
    trained = {item.prompt for item in islice(problems(1, TRAINING), 2000)}
    held = {item.prompt for item in islice(problems(2, HELD_OUT), 300)}
    assert not trained & held
    assert all(is_held_out(prompt) for prompt in held)


@pytest.mark.parametrize("kind", KINDS)
def test_the_reference_response_is_right_and_well_formed(kind: Kind) -> None:
    rng = Random(kind)
    items = [problem(rng, kind) for _ in range(200)]
    texts = [response(item, rng) for item in items]
    assert all(is_right(item, text) for item, text in zip(items, texts, strict=True))
    blank = [text for text in texts if not well_formed(text)]
    assert len(blank) < 10, "only the rare empty thought may be malformed"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        pytest.param("<think>a</think>\n<answer>\\boxed{7}</answer>", True, id="boxed"),
        pytest.param("<think>a</think><answer>\\boxed{3} or \\boxed{7}</answer>", True, id="the last box counts"),
        pytest.param(
            "<think>\\boxed{7}</think>\n<answer>\\boxed{8}</answer>", False, id="a box in the thought is no answer"
        ),
        pytest.param("<think>a</think>\n<answer>\\boxed{7}", False, id="truncated before the answer ends"),
        pytest.param("", False, id="empty"),
    ],
)
def test_grading_reads_the_answer_part_only(text: str, right: bool) -> None:
    item = Problem("arithmetic", 1, "en", "Compute 3 + 4.", ("3+4=7",), ("3+4=7",), "7")
    assert is_right(item, text) is right


@pytest.mark.parametrize(
    ("program", "right"),
    [
        pytest.param("def f(x):\n    return x + 1", True, id="same"),
        pytest.param("def f(x):\n        return (x+1)", True, id="layout differs"),
        pytest.param("def f(x):\n    return x + 2", False, id="other constant"),
        pytest.param("def f(x:\n    return", False, id="does not parse"),
    ],
)
def test_programs_are_compared_without_running_them(program: str, right: bool) -> None:
    item = Problem("code", 1, "en", "", (), (), entry_point="f", code="def f(x):\n    return x + 1")
    assert is_right(item, f"<think>a</think>\n<answer>\n```python\n{program}\n```\n</answer>") is right
