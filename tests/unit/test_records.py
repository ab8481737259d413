"""Whatever a reader can see in a problem is part of its id, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tracemill.engine.ids import canonical, problem_id

texts = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=40)
visible = st.characters(codec="utf-8", exclude_categories=("Z", "C"))


@given(texts, visible, visible, st.integers(min_value=0))
def test_another_visible_character_is_another_problem(text: str, one: str, other: str, place: int) -> None:
    assume(one != other)
    at = place % (len(text) + 1)
    first, second, without = (text[:at] + part + text[at:] for part in (one, other, ""))
    assert len({problem_id(first), problem_id(second), problem_id(without)}) == 3


@given(texts, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["", "\n", "\r\n \t\r\n"]))
def test_line_ends_and_blank_lines_around_a_text_are_no_difference(text: str, end: str, around: str) -> None:
    written = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", end)
    assert problem_id(around + written + around) == problem_id(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Print 'B'", "Print 'b'"),
        ("if x:\n    a\n    b", "if x:\n    a\nb"),
        ("  indented", "indented"),
        ("a  b", "a b"),
        ("a\tb", "a b"),
        ("a\n\nb", "a\nb"),
        ("x²", "x2"),
        ("１", "1"),
    ],
    ids=repr,
)
def test_letter_case_white_space_inside_and_spelling_are_kept(one: str, other: str) -> None:
    assert problem_id(one) != problem_id(other)


def test_turns_are_part_of_a_problem_and_one_user_turn_is_its_text() -> None:
    user = {"role": "user", "content": "Good morning."}
    alone, french = problem_id("Good morning."), problem_id("x", [{"role": "system", "content": "In French."}, user])
    german = problem_id("x", [{"role": "system", "content": "In German."}, user])
    answered = problem_id("x", [user, {"role": "assistant", "content": "In French."}, user])
    asked = problem_id("x", [user, {"role": "user", "content": "In French."}, user])
    assert problem_id("whatever", [user]) == alone
    assert len({alone, french, german, answered, asked}) == 5


@given(texts)
def test_the_canonical_form_is_its_own(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


def test_half_a_character_does_not_stop_anything() -> None:
    assert problem_id("a\ud835") != problem_id("a")
