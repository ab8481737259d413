"""A benchmark is whole before anything is asked: each item once, with its gold, as its authors put it."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.build.native import FIXTURES, source
from tracemill.engine.resources import Resources
from tracemill.errors import SourceError
from tracemill.ingest.source import RowError
from tracemill.sandbox.layouts import suite_from
from tracemill.sandbox.suites import CallSuite, StdioSuite
from tracemill.verify.math.verifier import MathVerifier
from tracemill.verify.verifier import Question

HERE = Resources(workers=1)
KINDS = ("aime_2026", "math_500", "gpqa_diamond", "livecodebench", "ifeval")
MAPPED = {"prompt": "q", "reference_answer": "a", "id": "name"}


def fixture(kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()]


def written(folder: Path, rows: list[dict[str, Any]]) -> str:
    path = folder / "items.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def understood(kind: str, **settings: Any) -> list[Any]:
    return [source(kind, **settings).understand(row) for row in fixture(kind)]


def reason_of(made: Any, value: dict[str, Any]) -> str | None:
    """Why an item is not understood; None where it is."""
    try:
        made.understand(value)
    except RowError as error:
        return error.reason
    return None


@pytest.mark.parametrize("kind", KINDS)
def test_every_item_has_a_prompt_its_gold_and_the_day_on_which_it_came_out(kind: str) -> None:
    for row in understood(kind):
        assert row.prompt.strip() == row.prompt or kind == "livecodebench"
        assert row.reference_answer or row.test_case or row.constraints
        assert row.published
        assert row.responses == ()


def test_aime_answers_are_whole_numbers_and_instructions_of_mirrors_are_taken_off() -> None:
    first, second = understood("aime_2026")
    assert (first.reference_answer, second.reference_answer) == ("7", "42")
    assert second.prompt == "A drawer holds six rows of seven keys. How many keys does it hold?"
    assert (first.native_id, first.category, first.published) == ("1", "math", "2026-02-11")
    angle = source("aime_2025").understand({"problem": "x", "answer": "336^\\circ"})
    assert angle.reference_answer == "336"
    assert source("aime_2025").understand({"problem": "x", "answer": 33.0}).reference_answer == "33"
    for wrong in ("1000", "-3", "4.5", "33.01", "$7$"):
        with pytest.raises(RowError, match="whole number from 0 to 999"):
            source("aime_2026").understand({"problem": "x", "answer": wrong})


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"Problem": "x?", "Answer": 5, "ID": "2024-I-1"}, id="Maxwell-Jia"),
        pytest.param({"prompt": "x?", "answer": 5}, id="QwQ"),
        pytest.param({"problem": "x?", "answer": "5", "solution": "s", "url": "u", "year": "2024"}, id="HuggingFaceH4"),
    ],
)
def test_mirrors_of_one_exam_are_one_benchmark(row: dict[str, Any]) -> None:
    found = source("aime_2024", path="x").understand(row)
    assert (found.prompt, found.reference_answer) == ("x?", "5")


def test_choices_stand_in_an_order_that_depends_on_the_item_alone() -> None:
    rows = fixture("gpqa_diamond")
    again = [
        {**row, "Correct Answer": row["Incorrect Answer 1"], "Incorrect Answer 1": row["Correct Answer"]}
        for row in rows
    ]
    for one, other in zip(rows, again, strict=True):
        first, second = (source("gpqa_diamond").understand(row) for row in (one, other))
        assert first.prompt == second.prompt
        assert f"{first.reference_answer}) {one['Correct Answer']}" in first.prompt
        assert f"{second.reference_answer}) {other['Correct Answer']}" in second.prompt
    made = [{**rows[0], "Record ID": f"r{n}"} for n in range(400)]
    letters = Counter(source("gpqa_diamond").understand(row).reference_answer for row in made)
    assert set(letters) == set("ABCD")
    assert min(letters.values()) > 60


@pytest.mark.parametrize(
    ("said", "status"),
    [
        pytest.param("It floats.\n\nAnswer: {right}", "pass", id="as the prompt asks"),
        pytest.param("**Answer: {right}**", "pass", id="in bold"),
        pytest.param("\\boxed{{{right}}}", "pass", id="in a box"),
        pytest.param("Answer: {right}) Cork", "pass", id="with its text"),
        pytest.param("Answer: {wrong}", "fail", id="another letter"),
        pytest.param("I do not know.", "unverifiable", id="no letter"),
    ],
)
def test_letters_are_compared_by_the_maths_verifier(said: str, status: str) -> None:
    row = source("gpqa_diamond").understand(fixture("gpqa_diamond")[0])
    letters = {"right": row.reference_answer, "wrong": next(one for one in "ABCD" if one != row.reference_answer)}
    question = Question("g", "p", row.prompt, row.reference_answer, None, None, said.format(**letters))
    (verdict,) = MathVerifier().judge([question], HERE)
    assert verdict.status == status


def test_a_blank_choice_is_none() -> None:
    for name in ("Correct Answer", "Incorrect Answer 3"):
        with pytest.raises(RowError, match="a choice is blank"):
            source("gpqa_diamond").understand({**fixture("gpqa_diamond")[0], name: " "})


def test_a_contest_is_on_a_day_of_the_calendar() -> None:
    """Trap: days are compared as texts, and 2024-13-45 is after every day of 2024."""
    row = fixture("livecodebench")[0]
    assert source("livecodebench").understand({**row, "contest_date": "2024-12-01T00:00:00"}).published == "2024-12-01"
    for wrong in ("2024-13-45T00:00:00", "2024-02-30", "01/02/2025", "20241201xx", "2024"):
        with pytest.raises(RowError, match="should begin with a day"):
            source("livecodebench").understand({**row, "contest_date": wrong})


def test_two_choices_of_one_text_have_no_right_letter() -> None:
    row = {**fixture("gpqa_diamond")[0], "Incorrect Answer 2": " Cork "}
    with pytest.raises(RowError, match="two of its choices are one text"):
        source("gpqa_diamond").understand(row)


CARD = "---\nconfigs:\n- config_name: gpqa_diamond\n  data_files: gpqa_diamond.csv\n---\n"


@pytest.mark.parametrize("place", ["path", "repo"])
def test_the_hubs_table_of_text_is_read_as_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("TRACEMILL_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    rows = [{**row, "Question": row["Question"] + 'Think, "twice".'} for row in fixture("gpqa_diamond")]
    with (folder / "gpqa_diamond.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    at = {"path": f"{folder}/gpqa_diamond.csv"} if place == "path" else {"path": "", "repo": str(folder)}
    made = source("gpqa_diamond", limit=2, **at)
    (part,) = made.plan(Resources(workers=1), 10)
    assert [raw.value for raw in made.read(Resources(workers=1), part)] == rows


def test_programs_are_asked_for_as_the_authors_do_and_packed_tests_count() -> None:
    program, function = understood("livecodebench")
    assert "# YOUR CODE HERE" in program.prompt
    assert "following(self, n: int)" in function.prompt
    assert "# YOUR CODE HERE" not in function.prompt
    assert (program.published, function.published) == ("2024-11-02", "2025-03-05")
    tests = [suite_from(row.test_case) for row in (program, function)]
    assert isinstance(tests[0], StdioSuite)
    assert (tests[0].inputs, tests[0].outputs) == (("2\n", "5\n"), ("4\n", "10\n"))
    assert isinstance(tests[1], CallSuite)
    assert tests[1].fn_name == "following"


@pytest.mark.parametrize(
    ("window", "asked"),
    [
        pytest.param({}, ["inv1", "inv2"], id="all"),
        pytest.param({"since": "2024-11-02", "until": "2025-02-28"}, ["inv1"], id="both ends are among them"),
        pytest.param({"since": "2025-01-01"}, ["inv2"], id="from a day on"),
    ],
)
def test_a_window_of_days_says_which_problems_are_asked(window: dict[str, str], asked: list[str]) -> None:
    made = source("livecodebench", **window)
    (part,) = made.plan(HERE, 10)
    found = {raw.value["question_id"]: reason_of(made, raw.value) for raw in made.read(HERE, part)}
    assert [name for name, reason in found.items() if reason is None] == asked
    assert {reason for reason in found.values() if reason} <= {"outside_window"}


def test_a_release_of_livecodebench_is_its_files(tmp_path: Path) -> None:
    first, second = (FIXTURES / "livecodebench.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "test.jsonl").write_text(first + "\n")
    (tmp_path / "test6.jsonl").write_text(second + "\n")
    repo = {"path": "", "repo": str(tmp_path)}
    assert len(source("livecodebench", release="v6", **repo).plan(HERE, 10)) == 2
    (part,) = source("livecodebench", release="v5", **repo).plan(HERE, 10)
    assert part.file.endswith("/test.jsonl")


def test_a_benchmark_is_called_by_its_name_and_window() -> None:
    assert source("math_500").release_name == "MATH-500"
    window = {"since": "2024-10-01", "until": "2025-02-28"}
    assert source("livecodebench", **window).release_name == "LiveCodeBench 2024-10-01 to 2025-02-28"
    assert source("livecodebench", release="v4").release_name == "LiveCodeBench v4"
    assert source("livecodebench", released_as="mine").release_name == "mine"


def test_instructions_come_with_the_arguments_that_they_have() -> None:
    _, second = understood("ifeval")
    assert second.constraints["kwargs"] == [{"num_words": 3, "relation": "at least"}]


SUM = {"q": "What is 3 + 4?", "a": "7", "name": "sum"}
PRODUCT = {"q": "What is 3 * 4?", "a": "12", "name": "product"}
FAULTY = {
    "no gold": ([SUM, {**PRODUCT, "a": None}], r"1 of 2 items cannot be asked: .* row 2: has no gold"),
    "a gold that says there is none": ([SUM, {**PRODUCT, "a": "nan"}], "row 2: has no gold"),
    "an item twice": ([SUM, PRODUCT, SUM], "row 3: is the item of .* row 1 once more"),
    "an item twice, with other line ends": ([SUM, {**SUM, "q": SUM["q"] + "\r\n"}], "row 2: is the item of"),
    "an item twice, with other spaces": ([SUM, {**SUM, "q": "What is  3 +\n4? "}], "row 2: is the item of"),
    "a blank gold": ([SUM, {**PRODUCT, "a": " \t"}], "row 2: has no gold"),
    "a blank item": ([SUM, {**PRODUCT, "q": "-"}], "row 2: no user turn asks anything"),
    "other columns": ([{"query": "x", "a": "1"}], "column 'q' is missing; the row has: query, a"),
    "a column that some rows lack": ([SUM, {"a": "1"}], "row 2: column 'q' is missing"),
}


@pytest.mark.parametrize(("rows", "says"), FAULTY.values(), ids=FAULTY)
def test_what_cannot_be_scored_is_said_before_anything_is_asked(
    tmp_path: Path, rows: list[dict[str, Any]], says: str
) -> None:
    made = source("benchmark", path=written(tmp_path, rows), columns=MAPPED)
    with pytest.raises(SourceError, match=says):
        made.plan(HERE, 10)


TESTED = {"prompt": "q", "test_case": "t", "constraints": "c"}
USELESS = {
    "no inputs": ({"t": {"inputs": [], "outputs": []}}, "tests cannot be used"),
    "as many inputs as outputs, almost": ({"t": {"inputs": ["1"], "outputs": []}}, "tests cannot be used"),
    "columns that nobody knows": ({"t": {"checks": "x == 1"}}, "no known test fields"),
    "an instruction without its number": (
        {"c": {"instruction_id_list": ["length_constraints:number_words"], "kwargs": [{"relation": "at least"}]}},
        "has no gold: the instruction length_constraints:number_words is not told num_words",
    ),
    "an instruction that nobody knows": (
        {"c": {"instruction_id_list": ["length:words"], "kwargs": [{}]}},
        "has no gold: there is no instruction 'length:words'",
    ),
    "no instruction": ({"c": {"instruction_id_list": [], "kwargs": []}}, "has no gold"),
}


@pytest.mark.parametrize(("item", "says"), USELESS.values(), ids=USELESS)
def test_gold_that_decides_nothing_is_no_gold(tmp_path: Path, item: dict[str, Any], says: str) -> None:
    """Trap: each sample of it would be undecided, and the benchmark one item smaller in silence."""
    good = {"q": "Print one.", "t": {"inputs": [""], "outputs": ["1"]}, "c": None}
    path = written(tmp_path, [good, {"q": "Print two.", "t": None, "c": None, **item}])
    with pytest.raises(SourceError, match=rf"1 of 2 items cannot be asked: .* row 2: .*{says}"):
        source("benchmark", path=path, columns=TESTED).plan(HERE, 10)


def test_many_faults_are_one_error(tmp_path: Path) -> None:
    path = written(tmp_path, [{**SUM, "q": f"What is {n} + 1?", "a": None} for n in range(40)])
    with pytest.raises(SourceError, match=r"40 of 40 items cannot be asked: .*and 35 more") as caught:
        source("benchmark", path=path, columns=MAPPED).plan(HERE, 10)
    assert str(caught.value).count("has no gold") == 5


def test_a_line_that_is_no_row_is_an_item_that_cannot_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps(SUM) + "\n{\n" + json.dumps(PRODUCT) + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"1 of 3 items cannot be asked: .* row 2"):
        source("benchmark", path=str(path), columns=MAPPED).plan(HERE, 10)


def test_a_benchmark_that_was_cut_short_says_so_unless_a_part_is_wanted(tmp_path: Path) -> None:
    path = written(tmp_path, fixture("aime_2026"))
    with pytest.raises(SourceError, match=r"has 2 items, and AIME 2026 has 30: .*`limit: 2`"):
        source("aime_2026", path=path).plan(HERE, 10)
    assert len(source("aime_2026", path=path, limit=2).plan(HERE, 1)) == 2


def test_a_window_without_any_problem_is_an_error() -> None:
    with pytest.raises(SourceError, match="none of its 2 items is asked for: a contest of 2024-11-02 is outside"):
        source("livecodebench", since="2026-01-01").plan(HERE, 10)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        pytest.param("livecodebench", {"since": "2025-01-01", "until": "2024-01-01"}, id="a window that ends first"),
        pytest.param("livecodebench", {"since": "2025-02-30"}, id="no such day"),
        pytest.param("livecodebench", {"since": "2024-10"}, id="a month"),
        pytest.param("benchmark", {"path": "", "columns": MAPPED}, id="no place"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(kind: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source(kind, **settings)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("kind", "file", "items"),
    [
        ("aime_2024", "aime24", 30),
        ("aime_2025", "aime25", 30),
        ("math_500", "math500", 500),
        ("ifeval", "ifeval_prompts", 541),
    ],
)
def test_the_public_files_are_whole_benchmarks(kind: str, file: str, items: int) -> None:
    folder = os.environ.get("TRACEMILL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("TRACEMILL_DATA names no folder with the public samples")
    parts = source(kind, path=f"{folder}/{file}.jsonl").plan(HERE, 1_000)
    assert sum(part.stop - part.start for part in parts) == items
