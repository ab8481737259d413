"""A problem in several columns is one text, options are marked whichever shape they have, and a gap is no option."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tracemill.ingest.mapped import Columns, mapped_row
from tracemill.ingest.options import options_of
from tracemill.ingest.source import RowError

SHAPES: dict[str, tuple[Any, list[str], list[str]]] = {
    "a list": (["red", "blue"], ["A. red", "B. blue"], ["A", "B"]),
    "numbers": ([3, 4.5], ["A. 3", "B. 4.5"], ["A", "B"]),
    "marked already": (["A) 21", "B) 22"], ["A) 21", "B) 22"], ["A", "B"]),
    "an option that begins like a mark": (["A. Smith", "Jones"], ["A. A. Smith", "B. Jones"], ["A", "B"]),
    "by mark, with the nulls that Arrow fills in": ({"A": "x", "B": "y", "C": None}, ["A. x", "B. y"], ["A", "B"]),
    "text and label": ({"text": ["x", "y"], "label": ["1", "2"]}, ["1. x", "2. y"], ["1", "2"]),
    "objects": ([{"key": "a", "value": "x"}, {"key": "b", "value": "y"}], ["a. x", "b. y"], ["a", "b"]),
    "JSON text": ('["x", "y"]', ["A. x", "B. y"], ["A", "B"]),
    "one text": ("a ) 38 , b ) 27", ["a ) 38 , b ) 27"], []),
    "a text that only begins like JSON": ("[x] or [y]", ["[x] or [y]"], []),
    "none": (None, [], []),
    "an empty list": ([], [], []),
    "nulls behind the last": (["x", "y", None], ["A. x", "B. y"], ["A", "B"]),
}


@pytest.mark.parametrize(("given", "lines", "marks"), SHAPES.values(), ids=SHAPES)
def test_options_are_lines_with_marks(given: Any, lines: list[str], marks: list[str]) -> None:
    found = options_of({"o": given}, "o")
    assert (list(found.lines), list(found.marks)) == (lines, marks)


@pytest.mark.parametrize(
    "given",
    [["x", None, "z"], ["x", ""], [["x"], ["y"]], 7, {"text": ["x"], "label": ["A", "B"]}, [{"x": 1}], ["x"] * 27],
    ids=["a gap", "blank", "lists", "a number", "other lengths", "no mark", "too many for letters"],
)
def test_what_is_no_list_of_options_is_the_rows_fault(given: Any) -> None:
    with pytest.raises(RowError):
        options_of({"o": given}, "o")


def asked(value: dict[str, Any], **columns: Any) -> tuple[str, str | None]:
    row = mapped_row(value, Columns.model_validate({"prompt": "q", **columns}), "t")
    return row.prompt, row.reference_answer


def test_a_problem_in_several_columns_is_one_text() -> None:
    row = {"q": "How many?", "p": "Jo has 3.", "i": "", "o": ["2", "3"], "n": 1, "A": "x", "B": "y"}
    assert asked(row, before="p", after=["i", "gone"], options="o", answer_index="n") == (
        "Jo has 3.\n\nHow many?\n\nA. 2\nB. 3",
        "B",
    )
    assert asked(row, options=["A", "B"], reference_answer="B") == ("How many?\n\nA. x\nB. y", "y")
    assert asked({"q": " x\n"}) == (" x\n", None)


@pytest.mark.parametrize(
    ("value", "columns", "reason"),
    [
        ({"q": " ", "p": "Jo has 3."}, {"before": "p"}, "blank_prompt"),
        ({"q": "?", "p": ["Jo"]}, {"before": "p"}, "bad_value"),
        ({"q": "?", "o": ["x"], "n": 1}, {"options": "o", "answer_index": "n"}, "bad_value"),
        ({"q": "?", "o": ["x"], "n": -1}, {"options": "o", "answer_index": "n"}, "bad_value"),
        ({"q": "?", "o": "x or y", "n": 0}, {"options": "o", "answer_index": "n"}, "bad_value"),
    ],
    ids=["a passage without a question", "a part in a list", "behind the last", "before the first", "no marks"],
)
def test_half_a_problem_and_an_answer_that_is_no_option_are_quarantined(
    value: dict[str, Any], columns: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RowError) as caught:
        asked(value, **columns)
    assert caught.value.reason == reason


def test_parts_need_a_prompt_and_cost_no_mapping_its_identity() -> None:
    for wrong in ({"messages": "m", "after": "x"}, {"prompt": "q", "answer_index": "n"}, {"options": "o"}):
        with pytest.raises(ValidationError):
            Columns.model_validate(wrong)
    assert not {"before", "after", "options", "answer_index"} & Columns(prompt="q").model_dump(mode="json").keys()
