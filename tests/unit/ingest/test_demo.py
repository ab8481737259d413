"""The demo's generator: the same bytes each time, right answers right, wrong programs wrong, faults where they are "
"said."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest

from tracemill.engine.resources import Resources
from tracemill.ingest.demo import DemoSource
from tracemill.ingest.demo.exercises import exercises, latex
from tracemill.ingest.demo.faults import CATCHES
from tracemill.ingest.demo.leaks import BENCHMARK, leaked
from tracemill.ingest.demo.maths import MATHS
from tracemill.ingest.demo.rows import BLOCK, PLANTED, ROWS, Part, demo_file, demo_rows
from tracemill.ingest.demo.tasks import FAMILIES, Task, task
from tracemill.recipe import load_recipe

PARTS: tuple[Part, ...] = get_args(Part)


def test_the_demo_has_two_thousand_rows_in_whole_blocks() -> None:
    assert sum(ROWS.values()) == 2000
    assert load_recipe("demo").rows_per_shard % BLOCK == 0


@pytest.mark.parametrize("part", PARTS)
def test_a_seed_gives_the_same_bytes_and_another_seed_others(part: Part) -> None:
    first = demo_file(part, 7)
    demo_rows.cache_clear()
    assert demo_file(part, 7) == first
    assert demo_file(part, 8) != first


@pytest.mark.parametrize("part", PARTS)
def test_each_planted_kind_is_counted(part: Part) -> None:
    source = DemoSource(kind="demo", name="d", part=part)
    assert Counter(fault.kind for fault in source.planted()) == Counter(PLANTED[part])
    assert len({fault.id for fault in source.planted()}) == sum(PLANTED[part].values())


def test_every_kind_of_fault_says_where_it_is_caught() -> None:
    assert {kind for counts in PLANTED.values() for kind in counts} == set(CATCHES)
    assert {catch.step for catch in CATCHES.values()} <= set(load_recipe("demo").pipeline())


def test_slices_are_the_file() -> None:
    source = DemoSource(kind="demo", name="d", part="code", limit=120)
    slices = source.plan(Resources(), 50)
    assert [(part.start, part.stop) for part in slices] == [(0, 50), (50, 100), (100, 120)]
    read = [raw.row for part in slices for raw in source.read(Resources(), part)]
    assert read == list(range(120))


def test_no_two_exercises_have_the_same_numbers() -> None:
    drawn = exercises(MATHS, Random(1), set())
    texts = [next(drawn).prompt for _ in range(500)]
    numbers = [tuple(sorted(word for word in text.split() if word.strip("$.,").isdigit())) for text in texts]
    assert len(set(texts)) == 500
    assert max(Counter(n for n in numbers if len(n) == 3).values()) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(12, "12"), (Fraction(6, 4), "\\frac{3}{2}"), (Fraction(8, 2), "4")],
)
def test_answers_are_latex(value: Fraction | int, text: str) -> None:
    assert latex(value) == text


def test_a_wrong_answer_is_wrong() -> None:
    drawn = exercises(MATHS, Random(2), set())
    assert all(item.answer != item.wrong for item in (next(drawn) for _ in range(300)))


def passes(given: Task, program: str) -> bool:
    """Run this project's own program against its own tests, here."""
    names: dict[str, Any] = {}
    exec(program, names)
    tests = given.test_case["test_code"].removeprefix(f"from solution import {given.entry}\n")
    exec(tests, names)
    try:
        for name in [name for name in names if name.startswith("test_")]:
            names[name]()
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_right_programs_pass_their_tests_and_wrong_ones_do_not(family: Any) -> None:
    rng, used = Random(3), set[tuple[int, ...]]()
    for _ in range(25):
        given = task(family, rng, used, by_input=False)
        assert passes(given, given.right)
        assert not passes(given, given.wrong)


def test_a_task_by_input_has_lines_in_and_out() -> None:
    given = task(FAMILIES[0], Random(4), set(), by_input=True)
    assert len(given.test_case["inputs"]) == len(given.test_case["outputs"]) > 0
    assert isinstance(json.loads(given.test_case["inputs"][0]), list)
    assert given.right.splitlines()[-1] == f"print(dumps({given.entry}(loads(input()))))"


def test_the_benchmark_file_is_the_benchmark() -> None:
    file = Path(__file__).parents[3] / "include/recipes/benchmarks/demo_benchmark.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert rows == [{"id": item.name, "problem": item.problem, "answer": item.answer} for item in BENCHMARK]


@pytest.mark.parametrize("item", BENCHMARK, ids=lambda item: item.name)
def test_a_leak_is_what_it_is_called(item: Any) -> None:
    def grams(text: str) -> set[tuple[str, ...]]:
        words = text.lower().split()
        return {tuple(words[i : i + 8]) for i in range(len(words) - 7)}

    share = len(grams(leaked(item)) & grams(item.problem)) / len(grams(item.problem))
    assert (share == 0) == (item.leak == "contaminated_alignment")
    assert (share == 1) == (item.leak != "contaminated_alignment")
