"""Cutting files into slices of bytes: no line lost, no line twice, and old slices never change."""

from __future__ import annotations

import hashlib
import io
import random

import pytest

from tracemill.errors import SourceError
from tracemill.ingest.formats import jsonlines
from tracemill.ingest.formats.jsonlines import Cut, cut_lines, parsed, read_lines
from tracemill.ingest.source import Slice


def as_slice(cut: Cut) -> Slice:
    """The cut as a slice of a file named f."""
    return Slice(source="s", file="f", revision="r", **cut.__dict__)


@pytest.mark.parametrize(
    ("data", "rows", "limit", "expected"),
    [
        pytest.param(b"a\nb\nc\n", 2, None, [(0, 2), (2, 3)], id="the last slice is short"),
        pytest.param(b"a\nb\nc", 2, None, [(0, 2), (2, 3)], id="no newline at the end"),
        pytest.param(b"a\nb\n", 2, None, [(0, 2)], id="no empty slice after a full one"),
        pytest.param(b"a\n\n\nb\n", 2, None, [(0, 2), (2, 4)], id="blank lines are lines"),
        pytest.param(b"a\nb\nc\nd\n", 3, 2, [(0, 2)], id="limit inside a slice"),
        pytest.param(b"a\nb\nc\nd\n", 2, 2, [(0, 2)], id="limit at a slice's end"),
        pytest.param(b"a\nb\n", 5, 9, [(0, 2)], id="limit beyond the end"),
        pytest.param(b"", 5, None, [], id="empty"),
        pytest.param(b"\n", 5, None, [(0, 1)], id="one blank line"),
    ],
)
def test_where_files_are_cut(data: bytes, rows: int, limit: int | None, expected: list[tuple[int, int]]) -> None:
    cuts, whole = cut_lines(io.BytesIO(data), rows, limit=limit)
    assert [(cut.start, cut.stop) for cut in cuts] == expected
    assert whole == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("block", [1, 2, 7, 64])
def test_slices_are_the_file_whatever_the_block(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "BLOCK", block)
    rng = random.Random(block)
    for _ in range(200):
        lines = [b"x" * rng.randrange(5) + b"\n" for _ in range(rng.randrange(12))]
        data = b"".join(lines) + b"tail" * rng.randrange(2)
        cuts, _ = cut_lines(io.BytesIO(data), rng.randrange(1, 6))
        read = [line for cut in cuts for _, line, _ in read_lines(io.BytesIO(data), as_slice(cut), 100)]
        assert read == data.splitlines(keepends=True)
        assert [cut.start for cut in cuts[1:]] == [cut.stop for cut in cuts[:-1]]


def test_a_grown_file_keeps_its_slices() -> None:
    before, _ = cut_lines(io.BytesIO(b"a\nb\nc\n"), 2)
    after, _ = cut_lines(io.BytesIO(b"a\nb\nc\nd\ne\nf\n"), 2, stops=[cut.stop for cut in before])
    assert after[:2] == before
    assert [(cut.start, cut.stop) for cut in after[2:]] == [(3, 5), (5, 6)]


def test_a_slice_that_changed_is_refused_after_its_rows() -> None:
    cuts, _ = cut_lines(io.BytesIO(b"a\nb\n"), 2)
    with pytest.raises(SourceError, match=r"f: rows 0 to 2 are no longer what was planned; run `plan` again"):
        list(read_lines(io.BytesIO(b"a\nB\n"), as_slice(cuts[0]), 100))


def test_a_runaway_line_is_never_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "BLOCK", 1000)
    data = b'{"a": 1}\n' + b"y" * 100_000 + b'\n{"a": 2}\n'
    cuts, _ = cut_lines(io.BytesIO(data), 10)
    read = list(read_lines(io.BytesIO(data), as_slice(cuts[0]), 50))
    assert [(row, len(line), size) for row, line, size in read] == [(0, 9, 9), (1, 51, 100_001), (2, 9, 9)]
    assert parsed(*read[1], longest=50).error is not None


@pytest.mark.parametrize(
    ("line", "reason", "says"),
    [
        pytest.param(b'{"a": 1', "malformed_json", "", id="cut off"),
        pytest.param(b"[1, 2]", "not_an_object", "a JSON list", id="a list"),
        pytest.param(b"null", "not_an_object", "NoneType", id="null"),
        pytest.param(b" \t", "blank_line", "empty", id="blank"),
        pytest.param(b'{"a": "\xff\xfe"}', "bad_utf8", "byte 7", id="not UTF-8"),
        pytest.param("{'a': 1}".encode("utf-16"), "bad_utf8", "byte 0", id="UTF-16"),
        pytest.param(b'{"a": "\\ud800"}', "malformed_json", "surrogate", id="half a surrogate pair"),
        pytest.param(b'{"a": nan}', "malformed_json", "", id="only Python's own spelling of NaN is read"),
        pytest.param(b'{"a": NaN, "b": }', "malformed_json", "", id="NaN in what is no JSON anyhow"),
    ],
)
def test_a_line_that_is_no_row_says_why(line: bytes, reason: str, says: str) -> None:
    raw = parsed(3, line, len(line), 1000)
    assert raw.error is not None
    assert (raw.row, raw.error.reason, raw.value) == (3, reason, None)
    assert says in str(raw.error)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param(b'{"a": 1}\r\n', {"a": 1}, id="Windows line end"),
        pytest.param(b'{"n": 123456789012345678901234567890}', {"n": 123456789012345678901234567890}, id="big integer"),
        pytest.param(b'{"n": [{"m": -98765432109876543210}]}', {"n": [{"m": -98765432109876543210}]}, id="nested"),
        pytest.param(b'{"n": 1e300}', {"n": 1e300}, id="big float"),
    ],
)
def test_values_are_exact(line: bytes, value: object) -> None:
    assert parsed(1, line, len(line), 1000).value == value


def test_a_byte_order_mark_is_allowed_where_a_file_began_before_it_was_put_behind_another() -> None:
    line = b'\xef\xbb\xbf{"a": 1}'
    assert [parsed(row, line, len(line), 1000).value for row in (0, 1)] == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize(
    ("line", "twice"),
    [
        pytest.param(b'{"a": "4", "a": "5"}', True, id="another value"),
        pytest.param(b'{"a": "4", "a": "4"}', False, id="the same value"),
        pytest.param(b'{"a": [{"b": 1, "b" : null}]}', True, id="nested, with a blank"),
        pytest.param(b'{"a": 1, "\\u0061": 2}', True, id="spelt in two ways"),
        pytest.param(rb'{"a": "say \"b\": 1", "c": "\"b\":"}', False, id="keys in a text are none"),
    ],
)
def test_a_key_with_two_values_is_not_silently_one_of_them(line: bytes, twice: bool) -> None:
    raw = parsed(0, line, len(line), 1000)
    assert (raw.error is not None and raw.error.reason == "duplicate_key") == twice
    assert (raw.value is None) == twice
