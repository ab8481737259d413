"""One value has one text, whichever reader it came from, and no missing value ever becomes one."""

from __future__ import annotations

import datetime
import math
import uuid
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemill.ingest.columns import boolean, difficulty, number, optional_text, own_id
from tracemill.ingest.exact_json import decoded
from tracemill.ingest.scalars import scalar_text
from tracemill.ingest.source import RowError, SourceRow

HUGE = "9" * 5000  # digits: more than Python's own limit for turning text into a number


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(None, None, id="null"),
        pytest.param("", None, id="empty"),
        pytest.param(" \t\n", None, id="blank"),
        pytest.param(" 4 ", " 4 ", id="a text stays as it is"),
        pytest.param(True, "true", id="true"),
        pytest.param(0, "0", id="zero"),
        pytest.param(-99999999999999999999999, "-99999999999999999999999", id="beyond 64 bits"),
        pytest.param(int("7" * 4000) * 10**3000, "7" * 4000 + "0" * 3000, id="beyond Python's limit for printing"),
        pytest.param(2.0, "2.0", id="whole float"),
        pytest.param(0.1, "0.1", id="shortest float"),
        pytest.param(float("nan"), None, id="NaN"),
        pytest.param(Decimal("1.10"), "1.10", id="decimal keeps its zero"),
        pytest.param(Decimal("1E+3"), "1000", id="decimal of another scale"),
        pytest.param(Decimal("NaN"), None, id="decimal NaN"),
        pytest.param(Decimal("sNaN"), None, id="signalling NaN"),
        pytest.param(datetime.date(2024, 5, 1), "2024-05-01", id="date"),
        pytest.param(datetime.datetime(2024, 5, 1), "2024-05-01", id="a day as a time stamp"),
        pytest.param(datetime.datetime(2024, 5, 1, 9, 30), "2024-05-01 09:30:00", id="time stamp"),
        pytest.param(datetime.time(9, 30), "09:30:00", id="time"),
        pytest.param(b"\xc3\xa9t\xc3\xa9", "été", id="bytes"),
        pytest.param(b"", None, id="no bytes"),
        pytest.param(np.float32(0.1), "0.1", id="a narrow float"),
        pytest.param(np.int64(7), "7", id="numpy integer"),
        pytest.param(np.bool_(False), "false", id="numpy false"),
        pytest.param(np.float64("nan"), None, id="numpy NaN"),
        pytest.param(np.datetime64("NaT"), None, id="NaT"),
        pytest.param(uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001", id="uuid"),
    ],
)
def test_a_value_is_written_as_it_was(value: Any, written: str | None) -> None:
    assert scalar_text(value, "answer") == written


def test_a_data_frames_missing_time_is_none() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    assert scalar_text(pandas.NaT, "answer") is None
    assert scalar_text(pandas.Timestamp("2024-05-01"), "answer") == "2024-05-01"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(["a"], id="list"),
        pytest.param({"a": 1}, id="object"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param(Decimal("-Infinity"), id="decimal infinity"),
        pytest.param(datetime.timedelta(days=1), id="duration"),
        pytest.param(np.timedelta64(1, "D"), id="numpy duration"),
        pytest.param(Fraction(1, 3), id="fraction"),
        pytest.param(1 + 2j, id="complex"),
        pytest.param(b"\xff", id="bytes that are no UTF-8"),
        pytest.param([10**6000], id="a list of a huge number"),
    ],
)
def test_what_has_no_one_text_is_the_fault_of_its_row(value: Any) -> None:
    with pytest.raises(RowError):
        scalar_text(value, "answer")


@pytest.mark.parametrize("literal", [HUGE, f"-{HUGE}", "31900441201190696999", "18446744073709551616", "-0", "7"])
def test_an_integer_in_json_keeps_every_digit(literal: str) -> None:
    row = decoded(b'{"answer": %s, "deep": [{"n": %s}]}' % (literal.encode(), literal.encode()))
    assert optional_text(row, "answer") == literal.replace("-0", "0")
    assert scalar_text(row["deep"][0]["n"], "n") == literal.replace("-0", "0")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
arrow_values = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
    st.binary(max_size=20),
    st.uuids(),
    st.integers(min_value=-(10**40), max_value=10**40),
    st.floats(width=32).map(np.float32),
    st.fractions(),
    st.complex_numbers(),
)


@given(json_values | arrow_values)
def test_every_value_has_a_text_or_none_or_is_its_rows_fault(value: Any) -> None:
    """No other error ever, and no word for a missing value."""
    with suppress(RowError):
        written = scalar_text(value, "x")
        assert written is None or (written and not written.isspace())
        assert isinstance(value, str | bytes) or written not in ("null", "nan", "NaN", "NaT", "None")


@given(st.none() | st.booleans() | st.integers() | st.text() | st.dates() | st.datetimes() | st.times())
def test_plain_values_are_never_a_fault(value: Any) -> None:
    assert scalar_text(value, "x") is not None or value is None or value.isspace() or value == ""


finite = {"allow_nan": False, "allow_infinity": False}


@given(st.integers(), st.decimals(**finite), st.floats(**finite))
def test_numbers_read_back_as_the_same_number(whole: int, exact: Decimal, binary: float) -> None:
    assert Decimal(scalar_text(whole, "x") or "") == whole
    assert Decimal(scalar_text(exact, "x") or "") == exact
    assert float(scalar_text(binary, "x") or "") == binary


@pytest.mark.parametrize(
    "column",
    [
        pa.array([7, None], pa.int8()),
        pa.array([7, None], pa.uint64()),
        pa.array([7.5, None], pa.float64()),
        pa.array([Decimal("7.50"), None], pa.decimal128(10, 2)),
        pa.array([Decimal("7.50"), None], pa.decimal256(60, 2)),
        pa.array(["7", None], pa.large_string()),
        pa.array(["7", None], pa.string_view()),
        pa.array([b"7", None], pa.binary()),
        pa.array([b"7", None], pa.binary(1)),
        pa.array(["7", None]).dictionary_encode(),
        pa.array([True, None], pa.bool_()),
        pa.array([7, None], pa.date32()),
        pa.array([86_400_000, None], pa.date64()),
        pa.array([7, None], pa.timestamp("us")),
        pa.array([7, None], pa.timestamp("ms", "UTC")),
        pa.array([7, None], pa.time64("us")),
        pa.nulls(2),
    ],
    ids=lambda column: str(column.type),
)
def test_every_arrow_type_gives_a_text_and_its_null_gives_none(column: pa.Array) -> None:
    first, second = (scalar_text(value, "x") for value in column.to_pylist())
    assert second is None
    assert first is not None or pa.types.is_null(column.type)


@pytest.mark.parametrize("word", ["null", "NaN", "nan", " NULL ", "NaT", "<NA>", "", " "])
def test_a_word_for_missing_is_no_reference(word: str) -> None:
    assert SourceRow(prompt="q", reference_answer=word).reference_answer is None


@pytest.mark.parametrize("word", ["None", "N/A", "0", "no", "nano", "-"])
def test_a_short_answer_is_a_reference(word: str) -> None:
    assert SourceRow(prompt="q", reference_answer=word).reference_answer == word


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (1, True),
        (0.0, False),
        (1.0, True),
        ("Pass", True),
        (float("nan"), None),
        (None, None),
        ("", None),
        (" none ", None),
    ],
    ids=repr,
)
def test_verdicts_come_as_words_and_numbers(value: Any, verdict: bool | None) -> None:
    assert boolean(value, "v") is verdict


@pytest.mark.parametrize(
    ("given_as", "fields"),
    [
        pytest.param(5.5, {"difficulty_score": 5.5}, id="number"),
        pytest.param("7", {"difficulty_score": 7.0}, id="text of a number"),
        pytest.param(-1.0, {}, id="nobody knows"),
        pytest.param("Level 3", {"difficulty": "Level 3"}, id="word"),
        pytest.param(math.nan, {"difficulty": None}, id="NaN"),
        pytest.param("inf", {"difficulty": "inf"}, id="no number to count with"),
    ],
)
def test_a_number_is_a_score_and_a_word_a_label(given_as: Any, fields: dict[str, Any]) -> None:
    assert difficulty({"d": given_as}, "d") == fields


@given(json_values | arrow_values)
def test_an_id_and_a_measure_never_fail(value: Any) -> None:
    assert isinstance(own_id({"id": value}, "id"), str)
    found = number({"id": value}, "id")
    assert found is None or math.isfinite(found)


@given(json_values)
def test_what_orjson_writes_reads_back(value: Any) -> None:
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS) if _plain(value) else b"0"
    decoded(text)


def _plain(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return False
    return True
