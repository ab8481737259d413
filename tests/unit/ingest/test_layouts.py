"""JSON arrays and Parquet files are cut and read like lines, and damage is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tracemill.engine.resources import Resources
from tracemill.errors import SourceError
from tracemill.ingest.mapped import JsonlSource
from tracemill.ingest.source import RawRow, RowError, Slice

ROWS = [{"q": f"Frage {n}: wie groß ist “{n}”?", "n": n} for n in range(7)]


def source(path: Path, **settings: Any) -> JsonlSource:
    """A mapped source over one file."""
    given = {"kind": "jsonl", "name": "s", "path": str(path), "columns": {"prompt": "q"}, **settings}
    return JsonlSource.model_validate(given)


def array(folder: Path, text: str) -> Path:
    """A .json file."""
    (folder / "rows.json").write_text(text, encoding="utf-8")
    return folder / "rows.json"


def parquet(folder: Path, rows: list[dict[str, Any]], group: int = 2) -> Path:
    """A .parquet file with small row groups."""
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet", row_group_size=group)
    return folder / "rows.parquet"


def numbers(made: JsonlSource, parts: list[Slice]) -> list[list[int]]:
    """Column n of each slice."""
    return [[raw.value["n"] for raw in made.read(Resources(), part)] for part in parts]


def files(folder: Path) -> list[Path]:
    """The same rows in every format that is not lines."""
    odd = "\n [\n" + " ,\n\n".join(json.dumps(row, ensure_ascii=False, indent=1) for row in ROWS) + "\n]\n"
    return [array(folder, odd), parquet(folder, ROWS)]


@pytest.mark.parametrize("index", [0, 1], ids=["array", "parquet"])
@pytest.mark.parametrize(
    ("rows", "limit", "expected"),
    [
        pytest.param(3, None, [[0, 1, 2], [3, 4, 5], [6]], id="three a slice"),
        pytest.param(7, None, [[0, 1, 2, 3, 4, 5, 6]], id="all in one"),
        pytest.param(2, 5, [[0, 1], [2, 3], [4]], id="limit"),
        pytest.param(1, 2, [[0], [1]], id="one a slice"),
    ],
)
def test_slices_are_the_file(
    tmp_path: Path, index: int, rows: int, limit: int | None, expected: list[list[int]]
) -> None:
    made = source(files(tmp_path)[index], limit=limit)
    parts = made.plan(Resources(), rows)
    assert numbers(made, list(reversed(parts))) == list(reversed(expected))
    assert [raw.value for raw in made.read(Resources(), parts[0])] == ROWS[: len(expected[0])]


def test_a_grown_array_keeps_its_slices(tmp_path: Path) -> None:
    made = source(array(tmp_path, json.dumps(ROWS[:4])))
    before = made.plan(Resources(), 3)
    array(tmp_path, json.dumps(ROWS))
    after = made.plan(Resources(), 3, before)
    assert after[:2] == before
    assert [(part.start, part.stop) for part in after[2:]] == [(4, 7)]


def test_a_json_file_of_lines_is_read_as_lines(tmp_path: Path) -> None:
    made = source(array(tmp_path, "\n".join(json.dumps(row) for row in ROWS)))
    assert numbers(made, made.plan(Resources(), 4)) == [[0, 1, 2, 3], [4, 5, 6]]


def test_a_bad_element_of_an_array_is_one_bad_row(tmp_path: Path) -> None:
    made = source(array(tmp_path, '[{"q": "a", "n": 1}, 5, {"q": "b", "n": 2}]'))
    errors = [raw.error.reason if raw.error else None for raw in made.read(Resources(), made.plan(Resources(), 9)[0])]
    assert errors == [None, "not_an_object", None]


@pytest.mark.parametrize(
    "text", [pytest.param('[{"q": "a"}, {"q": ', id="cut off"), pytest.param('[{"q": "a"} "x" }]', id="malformed")]
)
def test_a_broken_array_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError, match=r"rows.json: the JSON (array )?is broken at byte \d+"):
        source(array(tmp_path, text)).plan(Resources(), 3)


def test_truncated_parquet_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path, ROWS)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match="is not whole Parquet data"):
        source(path).plan(Resources(), 3)


@pytest.mark.parametrize("index", [0, 1], ids=["array", "parquet"])
def test_a_file_that_changed_after_planning_is_refused(tmp_path: Path, index: int) -> None:
    path = files(tmp_path)[index]
    made = source(path)
    parts = made.plan(Resources(), 3)
    array(tmp_path, json.dumps([{"q": "x", "n": 0}] * 7))
    parquet(tmp_path, [{"q": "x", "n": 0}] * 7)
    with pytest.raises(SourceError, match="run `plan` again"):
        numbers(made, parts)


@pytest.mark.parametrize("text", ["[]", "[ \n]"])
def test_an_empty_array_is_an_empty_source(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError, match="is empty"):
        source(array(tmp_path, text)).plan(Resources(), 3)


def test_parquet_without_rows_is_an_empty_source(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"q": pa.array([], pa.string())}), path)
    with pytest.raises(SourceError, match="is empty"):
        source(path).plan(Resources(), 3)


def test_a_runaway_parquet_row_is_quarantined_with_its_beginning(tmp_path: Path) -> None:
    made = source(parquet(tmp_path, [{"q": "x" * 5000, "n": 1}, {"q": "y", "n": 2}]), longest_row=1000)
    first, second = made.read(Resources(), made.plan(Resources(), 5)[0])
    assert first.error is not None
    assert (first.error.reason, second.error) == ("row_too_long", None)
    assert first.text.startswith('{"q": "xxx')


def test_a_value_without_a_python_form_harms_only_who_asks_for_it(tmp_path: Path) -> None:
    late = pa.array([2**52, 0, None], pa.timestamp("s"))  # far after the year 9999
    odd = pa.Array.from_buffers(pa.string(), 3, pa.array([b"ok", b"\xff\xfe", b"ok"], pa.binary()).buffers())
    pq.write_table(pa.table({"q": ["a", "b", "c"], "when": late, "odd": odd}), tmp_path / "rows.parquet")
    read = {}
    for column in ("q", "when", "odd"):
        columns = {"prompt": "q", "reference_answer": column}
        made = source(tmp_path / "rows.parquet", columns=columns)
        read[column] = [_understood(made, raw) for raw in made.read(Resources(), made.plan(Resources(), 9)[0])]
    assert read["q"] == ["a", "b", "c"]
    assert read["when"][0] == "bad_value"
    assert read["odd"] == ["ok", "bad_value", "ok"]


def _understood(made: JsonlSource, raw: RawRow) -> str | None:
    try:
        return made.understand(raw.value).reference_answer
    except RowError as error:
        return error.reason


def test_two_parquet_files_in_one_are_not_read_as_the_last(tmp_path: Path) -> None:
    first = parquet(tmp_path, ROWS).read_bytes()
    path = parquet(tmp_path, ROWS[:2])
    path.write_bytes(first + path.read_bytes())
    with pytest.raises(SourceError, match=r"rows\.parquet"):
        source(path).plan(Resources(), 3)
    path.write_bytes(first + first)
    with pytest.raises(SourceError, match="holds several Parquet files"):
        source(path).plan(Resources(), 3)


@pytest.mark.parametrize(
    ("column", "references"),
    [
        pytest.param(pa.array([2.0, None, 6.5]), ["2.0", None, "6.5"], id="float64"),
        pytest.param(pa.array([2.0, float("nan"), 6.0]), ["2.0", None, "6.0"], id="a NaN as data frames write it"),
        pytest.param(pa.array([0.1, None, 7.25], pa.float32()), ["0.1", None, "7.25"], id="float32"),
        pytest.param(pa.array([7, None, 2**63 - 1]), ["7", None, "9223372036854775807"], id="int64"),
        pytest.param(pa.array(["4", "nan", "null"]), ["4", None, None], id="words for missing"),
        pytest.param(pa.array(["4", " ", ""]).dictionary_encode(), ["4", None, None], id="categories"),
        pytest.param(pa.array([b"4", b"\xff", None]), ["4", "bad_utf8", None], id="bytes"),
        pytest.param(pa.array([["4"], None, []]), ["bad_value", None, "bad_value"], id="lists"),
        pytest.param(pa.array([19000, None, 0], pa.date32()), ["2022-01-08", None, "1970-01-01"], id="dates"),
        pytest.param(
            pa.array([0, None, 10**9], pa.timestamp("s")), ["1970-01-01", None, "2001-09-09 01:46:40"], id="times"
        ),
        pytest.param(pa.array([0, None, 2**50], pa.timestamp("s")), ["1970-01-01", None, "bad_value"], id="after 9999"),
        pytest.param(pa.array([1, None, 2], pa.duration("s")), ["bad_value", None, "bad_value"], id="durations"),
        pytest.param(pa.nulls(3), [None, None, None], id="nulls"),
    ],
)
def test_a_reference_in_parquet_is_the_value_as_written_or_its_rows_fault(
    tmp_path: Path, column: pa.Array, references: list[str | None]
) -> None:
    """Reasons of quarantined rows stand where their references would."""
    pq.write_table(pa.table({"n": [0, 1, 2], "answer": column}), tmp_path / "rows.parquet")
    made = source(tmp_path / "rows.parquet", columns={"prompt": "n", "reference_answer": "answer"})
    found = [
        _reference_or_reason(made, raw) for part in made.plan(Resources(), 9) for raw in made.read(Resources(), part)
    ]
    assert found == references


def _reference_or_reason(made: JsonlSource, raw: RawRow) -> str | None:
    try:
        return made.understand(raw.value).reference_answer
    except RowError as error:
        return error.reason
