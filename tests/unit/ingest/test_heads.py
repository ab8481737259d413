"""A key that rows of JSON leave out is a null; a column that no row has, or that was renamed, is said before work."""

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

COLUMNS = {"prompt": "q", "reference_answer": "a", "difficulty": "meta.level", "test_case": "t", "response": "r"}


def source(path: Path, columns: dict[str, str] | None = None) -> JsonlSource:
    """A source with a mapping."""
    given = {
        "kind": "jsonl",
        "name": "s",
        "path": str(path),
        "columns": columns or {"prompt": "q", "reference_answer": "a"},
    }
    return JsonlSource.model_validate(given)


def answers(made: JsonlSource) -> list[str | None]:
    """The references of all rows."""
    parts = made.plan(Resources(), 50)
    return [
        made.understand(raw.value).reference_answer for p in parts for raw in made.read(Resources(), p) if raw.value
    ]


def written(path: Path, rows: list[Any]) -> None:
    """JSON Lines; a text is written as it is."""
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))


def test_an_absent_key_is_a_null(tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", [{"q": "1"}] * 40 + [{"q": "2", "a": "4"}])
    assert answers(source(tmp_path / "a.jsonl")) == [None] * 40 + ["4"]


def test_every_optional_column_may_be_absent_from_a_row(tmp_path: Path) -> None:
    full = {"q": "1", "a": "2", "meta": {"level": "hard"}, "t": ["assert f(1) == 1"], "r": "two"}
    written(tmp_path / "a.jsonl", [full, {"q": "2"}, {"q": "3", "meta": {}}, {"q": "4", "meta": None}])
    made = source(tmp_path / "a.jsonl", COLUMNS)
    rows = [made.understand(raw.value) for part in made.plan(Resources(), 9) for raw in made.read(Resources(), part)]
    assert [(row.difficulty, row.test_case is None, len(row.responses)) for row in rows] == [
        ("hard", False, 1),
        *[(None, True, 0)] * 3,
    ]


def test_a_file_in_which_no_row_has_it_is_read_like_the_others(tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", [{"q": "1", "a": "2"}])
    written(tmp_path / "b.jsonl", [{"q": "3"}])
    assert answers(source(tmp_path / "*.jsonl")) == ["2", None]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        pytest.param([{"q": "3", "answer": "4"}], "column 'a' is missing; the row has: q, answer", id="renamed"),
        pytest.param([{"data": [{"q": "3"}]}], "'data' holds a list of objects: if these are", id="rows in a wrapper"),
        pytest.param([{"a": "4"}], "row 1: column 'q' is missing", id="the problem itself"),
        pytest.param(["oops"] * 30, "none of the first 30 rows of", id="no row at all"),
    ],
)
def test_a_file_that_looks_otherwise_is_refused_by_name(tmp_path: Path, rows: list[Any], says: str) -> None:
    written(tmp_path / "a.jsonl", [{"q": "1", "a": "2"}])
    written(tmp_path / "b.jsonl", rows)
    with pytest.raises(SourceError, match=r"b\.jsonl") as caught:
        source(tmp_path / "*.jsonl").plan(Resources(), 9)
    assert says in str(caught.value)


def test_a_column_that_no_file_has_is_misspelt(tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", [{"q": "1"}])
    written(tmp_path / "b.jsonl", [{"q": "3"}])
    with pytest.raises(SourceError, match=r"a.jsonl.*column 'a' is missing"):
        source(tmp_path / "*.jsonl").plan(Resources(), 9)


def test_parquet_lists_its_columns_so_a_missing_one_is_no_null(tmp_path: Path) -> None:
    pq.write_table(pa.table({"q": ["1"], "a": ["2"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"q": ["3"]}), tmp_path / "b.parquet")
    with pytest.raises(SourceError, match=r"b.parquet.*column 'a' is missing"):
        source(tmp_path / "*.parquet").plan(Resources(), 9)


def test_bad_rows_at_the_head_of_a_file_are_read_past(tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", ["oops"] * 200 + [{"q": "1", "a": "2"}] * 3)
    assert answers(source(tmp_path / "a.jsonl")) == ["2"] * 3


def test_an_empty_file_among_others_is_nothing_and_alone_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(SourceError, match="is empty"):
        source(tmp_path / "*.jsonl").plan(Resources(), 9)
    written(tmp_path / "b.jsonl", [{"q": "1", "a": "2"}])
    assert answers(source(tmp_path / "*.jsonl")) == ["2"]
    assert "a.jsonl is empty" in caplog.text


TABLES: dict[str, dict[str, Any]] = {
    "lists": {"q": ["1?", "2?", "3?"], "a": ["1", None, "3"]},
    "objects by row": {"q": {"0": "1?", "1": "2?"}, "a": {"0": "1", "1": "2"}},
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_by_columns_is_no_row(tmp_path: Path, table: dict[str, Any]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(table))
    with pytest.raises(SourceError, match="holds columns, not rows"):
        answers(source(tmp_path / "a.json"))


def test_one_row_of_lists_of_objects_is_a_row(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Yes."}]
    written(tmp_path / "a.jsonl", [{"q": turns, "a": ["1", "2"]}])
    assert len(source(tmp_path / "a.jsonl", {"messages": "q"}).plan(Resources(), 5)) == 1
