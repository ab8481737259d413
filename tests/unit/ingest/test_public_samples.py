"""The sources of `real_sample`: rows written here in the files' own shape, and the files themselves where they are."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tracemill.engine.resources import Resources
from tracemill.ingest.datasets.aime import AimeSource
from tracemill.ingest.datasets.gsm8k import Gsm8kSource, gold_answer
from tracemill.ingest.datasets.humaneval import HumanevalSource
from tracemill.ingest.datasets.kodcode import KodcodeSource
from tracemill.ingest.datasets.math_cot import MathCotSource
from tracemill.ingest.source import RowError
from tracemill.recipe import load_recipe

DATA = os.environ.get("TRACEMILL_DATA")
real_data = pytest.mark.skipif(not DATA, reason="TRACEMILL_DATA names no folder with the public sample files")


def solution(text: str, correct: bool | None) -> dict[str, Any]:
    """One model's entry in the GSM8K solutions file."""
    return {"solution": text, "is_correct": correct}


GSM8K = {
    "question": "Two and two?",
    "ground_truth": "Add them.\nA: 4",
    "6b_finetuning": solution("#### 5", False),
    "6b_verification": solution("#### 4", True),
    "175b_finetuning": solution("#### 4", True),
    "175b_verification": solution("#### 3", None),
}
MATH_COT = {"idx": 3, "question": "Q", "answer": "4", "level": "Level 2", "code": ["a", "b"], "score": [True, False]}
KODCODE = {
    "question_id": "K_1",
    "question": "Write f",
    "test_code": "from solution import f\n",
    "test_info": [{"function_name": "f"}],
    "gpt_difficulty": "easy",
    "r1_generations": ["<think>x</think>y", "z", None],
    "r1_test_result": ["Pass", None, "Fail"],
}
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": "def f():\n",
    "entry_point": "f",
    "test": "def check(c): ...",
    "samples": ["  pass"],
}
AIME = {"problem": "Find $x$.", "answer": "60", "year": 1983, "aime_number": 2, "problem_number": 1, "difficulty": 4.0}


def test_gsm8k_has_four_judged_solutions() -> None:
    row = Gsm8kSource(kind="gsm8k", name="g", path="x").understand(GSM8K)
    assert (row.prompt, row.reference_answer) == ("Two and two?", "4")
    assert [(r.teacher, r.verdict) for r in row.responses] == [
        ("6b_finetuning", False),
        ("6b_verification", True),
        ("175b_finetuning", True),
        ("175b_verification", None),
    ]


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        pytest.param("So 12.\n#### 1,200", "1200", id="the data set's mark; thousands"),
        pytest.param("So 12.\nA: -3", "-3", id="the solutions file's mark"),
        pytest.param("#### 7", "7", id="nothing but the gold line"),
    ],
)
def test_the_gold_follows_the_last_mark(text: str, gold: str) -> None:
    assert gold_answer(text) == gold


@pytest.mark.parametrize("text", ["So it is 12.", "the grade was A: good work, 12"])
def test_a_solution_without_a_gold_line_is_refused_not_guessed(text: str) -> None:
    with pytest.raises(RowError) as caught:
        gold_answer(text)
    assert caught.value.reason == "no_gold"


def test_math_cot_pairs_responses_with_scores() -> None:
    source = MathCotSource(kind="math_cot", name="m", path="x")
    row = source.understand(MATH_COT)
    assert (row.native_id, row.difficulty, [r.verdict for r in row.responses]) == ("3", "Level 2", [True, False])
    with pytest.raises(RowError, match="code 2, score 1"):
        source.understand(MATH_COT | {"score": [True]})


def test_kodcode_keeps_tests_entry_point_and_the_authors_verdicts() -> None:
    row = KodcodeSource(kind="kodcode", name="k", path="x").understand(KODCODE)
    assert row.test_case == {"test_code": "from solution import f\n", "test_entry_point": "f"}
    assert [(r.sample_index, r.verdict) for r in row.responses] == [(0, True), (1, None)]


def test_humaneval_completions_carry_the_prompt_in_the_test_case() -> None:
    row = HumanevalSource(kind="humaneval", name="h", path="x").understand(HUMANEVAL)
    assert row.test_case == {"prompt": "def f():\n", "test": "def check(c): ...", "entry_point": "f"}
    assert [r.text for r in row.responses] == ["  pass"]


def test_aime_ids_name_year_contest_and_number() -> None:
    row = AimeSource(kind="aime", name="a", path="x").understand(AIME)
    assert (row.native_id, row.reference_answer, row.responses) == ("1983-II-1", "60", ())


@pytest.mark.real_data
@real_data
@pytest.mark.parametrize(
    ("name", "rows", "responses", "judged"),
    [
        pytest.param("gsm8k", 857, 3428, 3428, id="gsm8k"),
        pytest.param("math_cot", 64, 512, 512, id="math_cot"),
        pytest.param("kodcode", 160, 480, 469, id="kodcode"),
        pytest.param("humaneval", 109, 872, 0, id="humaneval"),
        pytest.param("aime", 975, 0, 0, id="aime"),
    ],
)
def test_the_public_files_are_read_whole(name: str, rows: int, responses: int, judged: int) -> None:
    (source,) = (s for s in load_recipe("real_sample").sources if s.name == name)
    understood = [
        source.understand(raw.value) for part in source.plan(Resources(), 200) for raw in source.read(Resources(), part)
    ]
    found = [response for row in understood for response in row.responses]
    assert (len(understood), len(found)) == (rows, responses)
    assert sum(response.verdict is not None for response in found) == judged
    assert len({row.native_id for row in understood} - {""}) in (0, rows)
