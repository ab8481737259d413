"""Values that are not one a line: found exactly whatever the block, and the file's end is proved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracemill.errors import SourceError
from tracemill.ingest.formats import jsonvalues
from tracemill.ingest.formats.jsonvalues import JsonValues
from tracemill.ingest.formats.layouts import ARRAY, OBJECTS, layout_of
from tracemill.ingest.source import Slice

TEXTS = st.text(alphabet=st.sampled_from(list('ab"\\[]{},: \n\té中')), max_size=12)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with such values."""
    return st.dictionaries(TEXTS, inner, max_size=3)


VALUES = st.recursive(st.none() | st.integers() | TEXTS, lambda inner: st.lists(inner, max_size=3) | objects(inner))


def rows_of(layout: JsonValues, path: Path, rows: int) -> list[Any]:
    """All values, cut and read slice by slice, the last slice first."""
    cuts = layout.cut_file(path, "f", "", rows, (), None)
    parts = [Slice(source="s", file="f", revision="r", **cut.__dict__) for cut in cuts]
    read = [[(raw.value, raw.error) for raw in layout.read_slice(path, part, 10_000, str)] for part in reversed(parts)]
    return [value for part in reversed(read) for value in part]


@pytest.mark.parametrize("layout", [ARRAY, OBJECTS], ids=["array", "objects"])
@given(
    rows=st.lists(objects(VALUES), min_size=1, max_size=6),
    size=st.integers(1, 4),
    block=st.sampled_from([1, 2, 3, 7, 1 << 20]),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
    bom=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_value_is_found(
    tmp_path: Path,
    layout: JsonValues,
    rows: list[Any],
    size: int,
    block: int,
    indent: int | None,
    ascii_only: bool,
    bom: bool,
) -> None:
    whole = [json.dumps(row, indent=indent, ensure_ascii=ascii_only) for row in rows]
    text = f" [{' , '.join(whole)}\n]\n" if layout is ARRAY else "\n".join(whole)
    path = tmp_path / "rows.json"
    path.write_text(("\ufeff" if bom else "") + text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonvalues, "BLOCK", max(block, 3))
        assert rows_of(layout, path, size) == [(row, None) for row in rows]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param('[{"q": 1}]\n[{"q": 2}]', "something follows the array", id="a second array"),
        pytest.param('[{"q": 1}] {"q": 2}', "something follows the array", id="an object after the array"),
        pytest.param('[{"q": 1}] 7', "something follows the array", id="a number after the array"),
        pytest.param('[{"q": 1}]]', "something follows the array", id="one bracket too many"),
        pytest.param('[{"q": 1}, {"q": 2}', "it is cut off", id="no end"),
        pytest.param('[{"q": 1}, {"q": "2', "it is cut off", id="cut in a text"),
        pytest.param('[{"q": 1}}', "fits no other one", id="the wrong bracket"),
        pytest.param('[{"q": 1},, {"q": 2}]', "there is no value before this comma", id="two commas"),
        pytest.param('[{"q": 1} {"q": 2}]', "Extra data", id="no comma"),
        pytest.param('[{"q": 1, }, {"q": 2}]', "broken at byte", id="an element that is no JSON"),
    ],
)
def test_an_array_that_is_not_one_whole_array_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"byte \d+") as caught:
        layout_of(path, "rows.json").cut_file(path, "rows.json", "", 3, (), None)
    assert says in str(caught.value)


def test_a_last_comma_and_odd_values_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[{"q": "\\ud835"}, 5, {"q": NaN}, {"q": 1},\n]', encoding="utf-8")
    found = rows_of(ARRAY, path, 2)
    good = [value for value, error in found if error is None]
    assert str(good) == "[{'q': nan}, {'q': 1}]"
    assert [error.reason for _, error in found if error] == ["malformed_json", "not_an_object"]


def test_a_runaway_element_is_never_held_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"q": "x" * 50_000}, {"q": "y"}]), encoding="utf-8")
    monkeypatch.setattr(jsonvalues, "LONGEST", 1000)
    monkeypatch.setattr(jsonvalues, "BLOCK", 1000)
    (cut,) = ARRAY.cut_file(path, "f", "", 10, (), None)
    part = Slice(source="s", file="f", revision="r", **cut.__dict__)
    first, second = ARRAY.read_slice(path, part, 500, str)
    assert first.error is not None
    assert (first.error.reason, second.value) == ("row_too_long", {"q": "y"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"q": 1}\n{"q": 2}', "lines", id="lines"),
        pytest.param('{\n "q": 1\n}', "objects", id="one printed object"),
        pytest.param('{"q": "cut o\n{"q": 2}\n', "lines", id="a broken first line"),
        pytest.param('{"q": 1,\n{"q": 2}\n', "lines", id="a first line cut between keys"),
        pytest.param('[{"q": 1}]', "array", id="an array on a line"),
        pytest.param('[\n{"q": 1},\n{"q": 2}\n]', "array", id="an element a line"),
        pytest.param('[\n{"q": 1}\n]', "array", id="one element on a line"),
        pytest.param('[1, 2]\n{"q": 2}\n', "lines", id="a first row that is a list"),
        pytest.param('[oops\n{"q": 2}\n{"q": 3}\n', "lines", id="a broken first row that begins like an array"),
        pytest.param('["a"]\n["b"]\n', "array", id="two arrays"),
    ],
)
def test_the_first_lines_tell_the_layout(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "rows"
    path.write_text(text, encoding="utf-8")
    found = layout_of(path, "rows")
    assert {id(ARRAY): "array", id(OBJECTS): "objects"}.get(id(found), "lines") == expected


def test_blocks_of_nothing_but_blanks_cost_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    with path.open("wb") as out:
        out.write(b"[" + b" " * 5_000_000 + b'{"q": 1}' + b"\n" * 5_000_000 + b"]")
    (cut,) = ARRAY.cut_file(path, "f", "", 10, (), None)
    assert (cut.offset, cut.length) == (5_000_001, 8)
