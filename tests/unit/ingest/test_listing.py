"""Folders and wildcards: which files are read, under which names, and what is said of the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracemill.engine.resources import Resources
from tracemill.errors import SourceError
from tracemill.ingest.formats.listing import local_files
from tracemill.ingest.mapped import JsonlSource


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of data as people have it."""
    names = ["a.jsonl", "b/part-0.jsonl", "b/c/part-1.jsonl", "README.md", ".hidden.jsonl", "_SUCCESS", "b/x.csv"]
    for name in names:
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text(json.dumps({"q": name}) + "\n", encoding="utf-8")
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        pytest.param("${DATA}", ["a.jsonl", "b/c/part-1.jsonl", "b/part-0.jsonl"], id="folder"),
        pytest.param("${DATA}/", ["a.jsonl", "b/c/part-1.jsonl", "b/part-0.jsonl"], id="folder with a slash"),
        pytest.param("${DATA}/**/part-*.jsonl", ["b/c/part-1.jsonl", "b/part-0.jsonl"], id="any depth"),
        pytest.param("${DATA}/*/part-*.jsonl", ["b/part-0.jsonl"], id="one folder between"),
        pytest.param("${DATA}/b/../a.jsonl", ["b/../a.jsonl"], id="one file"),
        pytest.param("${DATA}/${KIND}.jsonl", ["${KIND}.jsonl"], id="a variable in a name"),
        pytest.param("${DATA}/[ab]${NOTHING}.jsonl", ["a.jsonl"], id="a variable among wildcards"),
    ],
)
def test_a_path_names_files_in_order(tree: Path, path: str, names: list[str]) -> None:
    resources = Resources(environment={"DATA": str(tree), "KIND": "a", "NOTHING": ""})
    found = local_files(path, resources)
    assert [file.shown for file in found] == [f"${{DATA}}/{name}" for name in names]
    assert all(file.have().is_file() for file in found)


def test_names_with_brackets_are_names_where_such_a_file_is(tree: Path) -> None:
    (tree / "rows[1].jsonl").write_text('{"q": 1}\n')
    assert [file.have().name for file in local_files(str(tree / "rows[1].jsonl"), Resources())] == ["rows[1].jsonl"]
    odd = tree.rename(tree.with_name("data [x]"))
    found = local_files("${DATA}/b/*.jsonl", Resources(environment={"DATA": str(odd)}))
    assert [file.shown for file in found] == ["${DATA}/b/part-0.jsonl"]


def test_a_folder_says_what_it_does_not_read(tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    local_files(str(tree), Resources())
    assert "1 files are not read (such as b/x.csv)" in caplog.text
    (tree / "b/part-0.jsonl").unlink()
    (tree / "b/c/part-1.jsonl").unlink()
    with pytest.raises(SourceError, match=r"it holds x.csv"):
        local_files(str(tree / "b"), Resources())


def test_a_csv_file_is_refused_by_its_format(tree: Path) -> None:
    made = JsonlSource.model_validate(
        {"kind": "jsonl", "name": "s", "path": str(tree / "b/x.csv"), "columns": {"prompt": "q"}}
    )
    with pytest.raises(SourceError, match="a table of text is not read; expected JSON Lines, JSON or Parquet"):
        made.plan(Resources(), 10)
