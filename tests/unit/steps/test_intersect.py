"""What is compared of several teachers is their responses to the same problems: those that all of them solved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.build.tables import inputs_of
from tracemill.engine.resources import Resources
from tracemill.select.intersect import Intersect

Said = tuple[str, str, str]  # problem, teacher, what its verdict is ("" without one)


def kept(folder: Path, said: Sequence[Said], teachers: Sequence[str] = ("a", "b"), **settings: Any) -> dict[str, str]:
    """By response, `g0` on: "" where it is kept, else who lacks one."""
    rows = [{"id": f"g{k}", "problem_id": problem, "teacher": who} for k, (problem, who, _) in enumerate(said)]
    verdicts = [
        {"generation_id": f"g{k}", "problem_id": problem, "verifier": "math", "status": status}
        for k, (problem, _, status) in enumerate(said)
        if status
    ]
    problems = [{"id": problem} for problem in dict.fromkeys(problem for problem, *_ in said)]
    inputs = inputs_of(folder, {"problems": problems, "generations": rows, "verdicts": verdicts})
    step = Intersect(kind="intersect", teachers=tuple(teachers), **settings)
    ledger = step.run(Resources(), inputs).ledger.to_pylist()
    assert {row["reason"] for row in ledger if row["bucket"] == "rejected"} <= {"not_by_all"}
    return {row["id"]: row["detail"] or "" for row in ledger}


@pytest.mark.parametrize(
    ("said", "asked", "expected"),
    [
        pytest.param([("p", "a", "pass"), ("p", "b", "pass")], {}, ["", ""], id="both solved it"),
        pytest.param([("p", "a", "pass"), ("p", "b", "fail")], {}, ["b", "b"], id="one failed"),
        pytest.param([("p", "a", "pass")], {}, ["b"], id="one never answered"),
        pytest.param([("p", "a", "pass"), ("p", "b", "")], {}, ["b", "b"], id="one was not judged"),
        pytest.param([("p", "a", "pass"), ("p", "b", "unverifiable")], {}, ["b", "b"], id="could not tell is no pass"),
        pytest.param([("p", "a", "fail"), ("p", "b", "fail")], {"verified": False}, ["", ""], id="answered is enough"),
        pytest.param([("p", "a", "fail"), ("p", "b", "fail")], {}, ["a, b"] * 2, id="nobody solved it"),
        pytest.param(
            [("p", "a", "fail"), ("p", "a", "pass"), ("p", "b", "pass")], {}, ["", "", ""], id="failures are select's"
        ),
        pytest.param(
            [("p", "a", "pass"), ("q", "b", "pass"), ("q", "a", "pass")],
            {},
            ["b", "", ""],
            id="each problem by itself",
        ),
        pytest.param([("p", "c", "pass")], {}, [""], id="a teacher that is not named is left alone"),
        pytest.param([("p", "b", "pass")], {"teachers": ("c", "a", "b")}, ["c, a"], id="as ordered in the setting"),
    ],
)
def test_intersection(tmp_path: Path, said: list[Said], asked: Mapping[str, Any], expected: list[str]) -> None:
    assert list(kept(tmp_path, said, **asked).values()) == expected


@pytest.mark.parametrize("teachers", [("a",), ("a", "a"), ()], ids=["one", "one twice", "none"])
def test_teachers_that_cannot_be_compared_are_refused(teachers: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Intersect(kind="intersect", teachers=teachers)


RESPONSES = st.lists(
    st.tuples(st.sampled_from("pqr"), st.sampled_from("abc"), st.sampled_from(["pass", "fail", "unverifiable", ""])),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(said=RESPONSES)
def test_it_is_the_intersection_of_what_each_solved(tmp_path_factory: pytest.TempPathFactory, said: list[Said]) -> None:
    solved = [{problem for problem, who, status in said if who == one and status == "pass"} for one in "ab"]
    found = kept(tmp_path_factory.mktemp("s"), said)
    for k, (problem, who, _) in enumerate(said):
        assert (found[f"g{k}"] == "") == (who == "c" or problem in solved[0] & solved[1])
