"""Disputed references: shown to differ, by two sources or by teachers that agree; never on a difference of spelling."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build.trial import Trial
from tracemill.verify.math.same_answer import same_spelling

STEPS = {"references": {"kind": "references"}, "conflicts": {"kind": "conflicts"}}
JUDGED = {"verify_math": {"kind": "verify", "verifiers": [{"kind": "math"}]}, "conflicts": {"kind": "conflicts"}}


def boxed(answer: str) -> str:
    """A response that says so."""
    return f"<think>Hm.</think>\n<answer>It is $\\boxed{{{answer}}}$.</answer>"


REFERENCES = [
    pytest.param("4", "5", True, id="numbers that differ"),
    pytest.param("\\frac{1}{2}", "0.5", False, id="two spellings of one number"),
    pytest.param("$x=3$", "3", False, id="with and without the unknown"),
    pytest.param("$\\{1,2\\}$", "$\\{1,3\\}$", True, id="sets that differ"),
    pytest.param("by the wind", "because of wind", False, id="prose shows nothing"),
    pytest.param("12", "twelve", False, id="a word shows nothing either"),
    pytest.param("7/2 \\text{ m}", "3.5", False, id="with and without the unit"),
    pytest.param("$x<3$", "(-\\infty,3)", False, id="inequality and interval"),
    pytest.param("31^\\circ", "31°", False, id="two degree signs"),
    pytest.param("x \\equiv 2 \\pmod 5", "x \\equiv 2 \\pmod 9", True, id="another modulus"),
    pytest.param("4", None, False, id="only one has a reference"),
]


@pytest.fixture(scope="module")
def two_sources(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """All cases of REFERENCES as problems of two sources."""
    cases = [(case.id, case.values) for case in REFERENCES]
    rows = {
        "a": [{"q": f"What: {name}?", "a": values[0]} for name, values in cases],
        "b": [{"q": f"What: {name}?", "a": values[1]} for name, values in cases],
    }
    return Trial(tmp_path_factory.mktemp("references"), rows, STEPS).run()


@pytest.mark.parametrize(("first", "second", "disputed"), REFERENCES)
def test_two_sources_of_one_problem(
    two_sources: Trial, request: pytest.FixtureRequest, first: str, second: str | None, disputed: bool
) -> None:
    name = request.node.callspec.id
    ending = ("quarantined", "reference_conflict") if disputed else ("kept", None)
    assert {found for text, found in two_sources.endings("conflicts").items() if name in text} == {ending}
    written = [sorted(row["answers"]) for row in two_sources.rows("references", "conflicts")]
    assert ([first, second or ""] in written) == disputed


def test_rows_that_ingest_merged_are_compared_too(tmp_path: Path) -> None:
    rows = [{"q": "What is it?", "a": "4"}, {"q": "What is it?", "a": "6"}, {"q": "What is it?", "a": "4"}]
    trial = Trial(tmp_path, {"a": rows}, STEPS).run()
    assert trial.endings("conflicts") == {"What is it?": ("quarantined", "reference_conflict")}
    assert trial.rows("references", "conflicts")[0]["answers"] == ["4", "6"]


DEDUP = {
    "sign": {"kind": "sign", "embedder": {"kind": "hashing"}},
    "cluster": {"kind": "cluster"},
    "unique": {"kind": "unique"},
}
ONE_TEXT = {
    "prints of one text": ("12. How wide is it?", "4", "How wide is it?", "5", True),
    "prints of one text, one answer": ("12. How wide is it?", "4", "How wide is it?", "4.0", False),
    "a choice's letter and what it says": ("2+2? (A) 3 (B) 4 (C) 5", "B", "2+2?\nA. 3\nB. 4\nC. 5", "4", False),
    "two choices": ("2+2? (A) 3 (B) 4 (C) 5", "B", "2+2?\nA. 3\nB. 4\nC. 5", "5", True),
    "a comma makes another text": ("Who eats, Tom or I?", "4", "Who eats Tom or I?", "5", False),
    "another variable": ("Let A be 3 and a be 4. Find A.", "3", "Let A be 3 and a be 4. Find a.", "4", False),
}


@pytest.mark.parametrize(("one", "first", "other", "second", "disputed"), ONE_TEXT.values(), ids=ONE_TEXT)
def test_rows_of_one_text_with_two_ids_are_one_problem(
    tmp_path: Path, one: str, first: str, other: str, second: str, disputed: bool
) -> None:
    rows = {"a": [{"q": one, "a": first}], "b": [{"q": other, "a": second}]}
    trial = Trial(tmp_path, rows, DEDUP | STEPS).run()
    endings = set(trial.endings("conflicts").values())
    assert endings == ({("quarantined", "reference_conflict")} if disputed else {("kept", None)})
    assert len(trial.rows("references", "conflicts")) == (2 if disputed else 0)


def test_the_answer_of_most_sources_is_believed_whatever_its_spelling(tmp_path: Path) -> None:
    rows = {
        name: [{"q": "How long?", "a": answer}] for name, answer in zip("abcd", ("0.5", "1/2", "3", "½"), strict=True)
    }
    [row] = Trial(tmp_path, rows, STEPS).run().rows("references", "conflicts")
    assert (row["believed"], row["why"]) == ("0.5", "3 of 4 sources give this answer")


def test_one_against_one_is_believed_by_nobody(tmp_path: Path) -> None:
    rows = {"a": [{"q": "How long?", "a": "4"}], "b": [{"q": "How long?", "a": "5"}]}
    [row] = Trial(tmp_path, rows, STEPS).run().rows("references", "conflicts")
    assert row["believed"] is None
    assert "2 sources" in row["why"]


VOTES: dict[str, tuple[list[tuple[str, str]], bool]] = {
    "two teachers agree": ([("x", "5"), ("y", "5")], True),
    "in two spellings": ([("x", "\\frac{9}{2}"), ("y", "\\dfrac{9}{2}")], True),
    "they differ": ([("x", "5"), ("y", "6")], False),
    "one teacher twice is one voice": ([("x", "5"), ("x", "5")], False),
    "a third finds the reference": ([("x", "5"), ("y", "5"), ("z", "4")], False),
    "a teacher that is mostly wrong is not believed": ([("x", "5"), ("bad", "5")], False),
}


@pytest.fixture(scope="module")
def voted(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """All cases of VOTES as problems whose reference is 4, among easy ones that x, y and z get right."""
    disputed = [
        {"q": f"Case: {name}", "a": "4", "t": teacher, "r": boxed(said)}
        for name, (votes, _) in VOTES.items()
        for teacher, said in votes
    ]
    easy = [{"q": f"Easy {n}?", "a": str(n), "t": t, "r": boxed(str(n))} for n in range(20) for t in ("x", "y", "z")]
    return Trial(tmp_path_factory.mktemp("votes"), {"s": disputed + easy}, JUDGED).run()


@pytest.mark.parametrize("name", VOTES)
def test_teachers_against_the_reference(voted: Trial, name: str) -> None:
    disputed = VOTES[name][1]
    ending = ("quarantined", "teachers_against_reference") if disputed else ("kept", None)
    assert voted.endings("conflicts")[f"Case: {name}"] == ending


def test_the_conflict_table_says_what_and_who(voted: Trial) -> None:
    written = voted.rows("conflicts", "conflicts")
    assert sorted((row["answers"], row["sources"]) for row in written) == [
        (["4", "5"], ["x", "y"]),
        (["4", "\\frac{9}{2}"], ["x", "y"]),
    ]
    easy = {found for text, found in voted.endings("conflicts").items() if text.startswith("Easy")}
    assert easy == {("kept", None)}


@pytest.mark.parametrize(
    ("answer", "folded"),
    [
        ("\\dfrac{1}{2}", "\\frac{1}{2}"),
        ("\\left( 1,\\, 2 \\right)", "(1,2)"),
        (" 12 ", "12"),
        ("", None),
        (None, None),
    ],
)
def test_spelling(answer: str | None, folded: str | None) -> None:
    assert same_spelling(answer) == folded
