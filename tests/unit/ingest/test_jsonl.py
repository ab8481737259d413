"""The generic JSON Lines source: mapping, the loud check of columns, and what is a row's fault and what the file's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tracemill.engine.resources import Resources
from tracemill.errors import SourceError
from tracemill.ingest.mapped import JsonlSource
from tracemill.ingest.source import RowError, SourceRow
from tracemill.sandbox.layouts import suite_from


def source(path: Path | str, columns: dict[str, Any] | None = None, **settings: Any) -> JsonlSource:
    """A source over that file; by default it maps q → prompt."""
    given = {"kind": "jsonl", "name": "s", "path": str(path), "columns": columns or {"prompt": "q"}, **settings}
    return JsonlSource.model_validate(given)


def written(path: Path, rows: Sequence[Any]) -> Path:
    """The rows as JSON Lines; bytes are written as they are; a `.zst` path is compressed in two frames."""
    lines = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
    data = b"".join(line + b"\n" for line in lines)
    if path.suffix == ".zst":
        half = len(data) // 2
        data = b"".join(zstandard.ZstdCompressor().compress(part) for part in (data[:half], data[half:]))
    path.write_bytes(data)
    return path


ROWS = [{"q": f"What is {n} and {n}?"} for n in range(7)]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.zst"])
def test_plain_and_compressed_files_give_the_same_rows(tmp_path: Path, name: str) -> None:
    origin = source(written(tmp_path / name, ROWS))
    slices = origin.plan(Resources(), 3)
    assert [(part.start, part.stop) for part in slices] == [(0, 3), (3, 6), (6, 7)]
    # The last slice first: a slice is read without those before it.
    read = [[raw.value for raw in origin.read(Resources(), part)] for part in reversed(slices)]
    assert read == [ROWS[6:], ROWS[3:6], ROWS[:3]]


def test_wildcards_read_several_files_in_order_of_name(tmp_path: Path) -> None:
    written(tmp_path / "b.jsonl", ROWS[:2])
    written(tmp_path / "a.jsonl", ROWS[2:5])
    slices = source(tmp_path / "*.jsonl", limit=4).plan(Resources(), 3)
    assert [(Path(part.file).name, part.start, part.stop) for part in slices] == [("a.jsonl", 0, 3), ("b.jsonl", 0, 1)]


def test_a_plan_names_the_file_as_the_recipe_does(tmp_path: Path) -> None:
    written(tmp_path / "rows.jsonl", ROWS)
    resources = Resources(environment={"DATA": str(tmp_path)})
    assert source("${DATA}/rows.jsonl").plan(resources, 10)[0].file == "${DATA}/rows.jsonl"
    assert source("${DATA}/*.jsonl").plan(resources, 10)[0].file == "${DATA}/rows.jsonl"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        pytest.param([], "is empty; a source must have at least one row", id="empty"),
        pytest.param([{"question": "?"}], "row 1: column 'q' is missing; the row has: question.", id="renamed column"),
        pytest.param([b"oops", {"x": 1}], "row 2: column 'q' is missing", id="the first good row counts"),
        pytest.param([b"a,b", b"1,2"], "none of the first 2 rows of", id="not JSON Lines"),
    ],
)
def test_a_file_that_is_not_as_documented_stops_the_plan(tmp_path: Path, rows: list[Any], says: str) -> None:
    with pytest.raises(SourceError, match="source 's'") as caught:
        source(written(tmp_path / "rows.jsonl", rows)).plan(Resources(), 3)
    assert says in str(caught.value)
    assert str(tmp_path / "rows.jsonl") in str(caught.value)


def test_a_missing_file_or_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "no.jsonl", tmp_path / "*.jsonl", tmp_path):
        with pytest.raises(SourceError, match="check the path"):
            source(path).plan(Resources(), 3)


def test_half_a_zstd_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl.zst", ROWS * 500)
    path.write_bytes(path.read_bytes()[:-20] + b"\0" * 20)
    with pytest.raises(SourceError, match="is not whole zstd data"):
        source(path).plan(Resources(), 3)


def understood(value: dict[str, Any], columns: dict[str, Any]) -> SourceRow:
    """One row through a mapping."""
    return source("x", columns, teacher="t").understand(value)


def test_nested_columns_parallel_lists_and_numbers() -> None:
    row = understood(
        {
            "info": {"id": 7, "tests": '{"inputs": ["1"], "outputs": ["2"]}'},
            "q": "Q",
            "gold": 4.5,
            "gen": ["a", None, "c"],
            "chain": ["x", "y", "z"],
            "ok": [True, None, "Fail"],
        },
        {
            "id": "info.id",
            "prompt": "q",
            "reference_answer": "gold",
            "test_case": "info.tests",
            "response": "gen",
            "thinking": "chain",
            "verdict": "ok",
        },
    )
    assert (row.native_id, row.prompt, row.reference_answer) == ("7", "Q", "4.5")
    assert row.test_case == {"inputs": ["1"], "outputs": ["2"]}
    given = [(r.sample_index, r.thinking, r.text, r.verdict, r.teacher) for r in row.responses]
    assert given == [(0, "x", "a", True, "t"), (2, "z", "c", False, "t")]


def test_responses_may_lie_in_several_columns_and_tests_be_assert_lines() -> None:
    columns: dict[str, Any] = {"prompt": "q", "response": ["r1", "r2"], "test_case": "t"}
    row = understood({"q": "Q", "r1": "a", "r2": "b", "t": ["assert f(1) == 2"]}, columns)
    assert [(r.sample_index, r.text) for r in row.responses] == [(0, "a"), (1, "b")]
    assert row.test_case is not None
    assert suite_from(row.test_case).kind == "asserts"


def test_turns_become_messages_and_a_closing_answer_a_response() -> None:
    turns = [("human", "Hi"), ("gpt", "Hello"), ("human", "Add 1 and 2"), ("gpt", "3")]
    row = understood({"c": [{"from": r, "value": t} for r, t in turns]}, {"messages": "c"})
    assert row.prompt == "Hi\n\nAdd 1 and 2"
    assert [m["role"] for m in row.messages or ()] == ["user", "assistant", "user"]
    assert [r.text for r in row.responses] == ["3"]


def test_each_of_several_closing_answers_is_a_response() -> None:
    turns = [{"role": role, "content": text} for role, text in [("user", "Q"), ("assistant", "A"), ("assistant", "B")]]
    row = understood({"m": turns}, {"messages": "m"})
    assert (row.prompt, row.messages) == ("Q", None)
    assert [(r.sample_index, r.text) for r in row.responses] == [(0, "A"), (1, "B")]


def test_a_closing_answer_counts_where_the_column_of_responses_is_null() -> None:
    turns = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    columns = {"messages": "m", "response": "r"}
    found = [understood({"m": turns, "r": response}, columns).responses for response in (None, "B")]
    assert [[r.text for r in responses] for responses in found] == [["A"], ["B"]]


def test_a_bare_nan_is_a_missing_value_and_infinity_none_that_can_be_understood(tmp_path: Path) -> None:
    lines = [
        b'{"q": "A", "a": NaN, "r": [NaN, "x"]}',
        b'{"q": "B", "a": -Infinity, "r": []}',
        b'{"q": "C", "a": 3, "r": null}',
    ]
    origin = source(written(tmp_path / "rows.jsonl", lines), {"prompt": "q", "reference_answer": "a", "response": "r"})
    (part,) = origin.plan(Resources(), 5)
    first, second, third = origin.read(Resources(), part)
    row = origin.understand(first.value)
    assert (row.reference_answer, [r.text for r in row.responses]) == (None, ["x"])
    with pytest.raises(RowError, match="'a'"):
        origin.understand(second.value)
    assert origin.understand(third.value).reference_answer == "3"


TURNS = [{"role": "user", "content": "Name\na fruit"}, {"role": "assistant", "content": "Fig"}]
SPELLED: dict[str, Any] = {
    "JSON text": json.dumps(TURNS),
    "parts": [{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in TURNS],
    "two parts": [
        {"role": "user", "content": [{"type": "text", "text": "Name"}, {"type": "text", "text": "a fruit"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Fig", "image_url": None}]},
    ],
}


@pytest.mark.parametrize("turns", SPELLED.values(), ids=SPELLED)
def test_turns_are_read_as_json_text_and_with_their_content_in_parts(turns: Any) -> None:
    row = understood({"m": turns}, {"messages": "m"})
    assert (row.prompt, row.responses[0].text) == ("Name\na fruit", "Fig")


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_a_chain_beside_the_content_of_a_closing_turn_is_the_response_s(key: str) -> None:
    turns = [{"role": "user", "content": "Name a fruit"}, {"role": "assistant", "content": "Fig", key: "Sweet."}]
    row = understood({"m": turns}, {"messages": "m"})
    assert [(r.text, r.thinking) for r in row.responses] == [("Fig", "Sweet.")]
    whole = [turns[0], {**turns[1], "content": "<think>Sweet.</think>Fig"}]
    assert understood({"m": whole}, {"messages": "m"}).responses[0].thinking is None


@pytest.mark.parametrize("calls", [{"tool_calls": [{"id": "1"}]}, {"function_call": {"name": "f"}}])
def test_an_answer_that_calls_a_tool_is_none(calls: dict[str, Any]) -> None:
    turns = [{"role": "user", "content": "What is on?"}, {"role": "assistant", "content": "I look.", **calls}]
    with pytest.raises(RowError, match="tool"):
        understood({"m": turns}, {"messages": "m"})
    turns[1] |= dict.fromkeys(calls)  # null: nothing was called
    assert understood({"m": turns}, {"messages": "m"}).responses[0].text == "I look."


PATHS: dict[str, tuple[Any, str, str | None]] = {
    "a turn's own field": ([{"info": {"gold": "7"}}, {}], "x.0.info.gold", "7"),
    "a null on the way": ([{"info": None}], "x.0.info.gold", None),
    "a list that is too short": ([], "x.0.info.gold", None),
    "text of JSON": ('{"gold": 7}', "x.gold", "7"),
    "text of JSON in a list": (['{"gold": [{"v": 7}]}'], "x.0.gold.0.v", "7"),
}


@pytest.mark.parametrize(("value", "path", "found"), PATHS.values(), ids=PATHS)
def test_a_path_goes_through_lists_and_text_of_json(value: Any, path: str, found: str | None) -> None:
    assert understood({"q": "Q", "x": value}, {"prompt": "q", "reference_answer": path}).reference_answer == found


def test_one_question_needs_no_messages() -> None:
    row = understood(
        {"m": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}, {"messages": "m"}
    )
    assert (row.prompt, row.messages, row.responses[0].text) == ("Q", None, "A")


@pytest.mark.parametrize(
    ("value", "columns", "reason", "says"),
    [
        pytest.param({}, {"prompt": "q"}, "missing_column", "column 'q' is missing", id="missing"),
        pytest.param({"q": None}, {"prompt": "q"}, "null_value", "'q' is null", id="null"),
        pytest.param({"q": ["a"]}, {"prompt": "q"}, "bad_value", "should be a text, is list", id="list for text"),
        pytest.param(
            {"q": "Q", "t": "{oops"}, {"prompt": "q", "test_case": "t"}, "bad_value", "should be JSON", id="tests"
        ),
        pytest.param(
            {"q": "Q", "r": ["a", "b"], "v": [True]},
            {"prompt": "q", "response": "r", "verdict": "v"},
            "bad_value",
            "1 values for 2 responses",
            id="lists of different length",
        ),
        pytest.param(
            {"q": "Q", "r": "a", "v": "maybe"},
            {"prompt": "q", "response": "r", "verdict": "v"},
            "bad_value",
            "should be true, false or null",
            id="an unknown verdict is not guessed",
        ),
        pytest.param({"m": [{"text": "Q"}]}, {"messages": "m"}, "bad_value", "no role and content", id="turns"),
        pytest.param(
            {"m": [{"from": "human", "value": "Add 1"}, {"from": "observation", "value": "2"}]},
            {"messages": "m"},
            "bad_value",
            "turns of observation",
            id="a tool's turn",
        ),
        pytest.param({"m": "[{"}, {"messages": "m"}, "bad_value", "should be JSON", id="turns cut off"),
        pytest.param(
            {"m": [{"role": "user", "content": [{"type": "text", "text": "Q"}, {"type": "image"}]}]},
            {"messages": "m"},
            "bad_value",
            "no role and content that are text",
            id="an image among the parts",
        ),
    ],
)
def test_a_row_that_is_not_as_mapped_says_why(
    value: dict[str, Any], columns: dict[str, str], reason: str, says: str
) -> None:
    with pytest.raises(RowError) as caught:
        understood(value, columns)
    assert caught.value.reason == reason
    assert says in str(caught.value)


def test_an_unknown_key_in_the_mapping_is_refused() -> None:
    with pytest.raises(ValueError, match="promt"):
        source("x", {"promt": "q"})
