"""Problems that no short answer can be compared to go with a reason; choices become questions where they can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.build.tables import inputs_of
from tracemill.curate.askable import Askable
from tracemill.engine.ids import problem_id
from tracemill.engine.resources import Resources
from tracemill.engine.runner import reconcile
from tracemill.engine.step import Output

PROOF = "Prove that 7 is prime."
SUM = "What is 2 + 2?"
CHOICE = f"{SUM} (A) 3 (B) 4 (C) 5"
WHICH = "Which of these is prime? (A) 4 (B) 5 (C) 6"


def problem(text: str, **fields: Any) -> dict[str, Any]:
    return {"id": problem_id(text), "prompt": text, "category": "math", "source": "s", **fields}


def run(folder: Path, problems: list[dict[str, Any]], **settings: Any) -> tuple[Output, dict[str, Any]]:
    """The output, and (bucket, reason, detail) by text."""
    origins = [
        {"origin": f"s/{n}", "problem_id": row["id"], "source": "s", "reference_answer": row.get("reference_answer")}
        for n, row in enumerate(problems)
    ]
    inputs = inputs_of(folder, {"problems": problems, "provenance": origins})
    step = Askable.model_validate({"kind": "askable", **settings})
    output = step.run(Resources(), inputs)
    reconcile("tested", step, inputs, output)
    texts = {row["id"]: row["prompt"] for row in problems}
    ledger = output.ledger.to_pylist()
    return output, {texts[row["id"]]: (row["bucket"], row["reason"], row["detail"]) for row in ledger}


def test_each_problem_has_one_fate_and_choices_become_questions(tmp_path: Path) -> None:
    texts = [PROOF, CHOICE, WHICH, "In the figure, find x.", "How old is Ann? How old is Bob?", SUM + " "]
    problems = [problem(text, reference_answer="B") for text in texts[:5]]
    output, found = run(tmp_path, [*problems, problem("What is 3 + 3?")])
    assert [fate[:2] for fate in found.values()] == [
        ("rejected", "proof"),
        ("rejected", "rewritten"),
        ("rejected", "choices"),
        ("rejected", "picture"),
        ("rejected", "several"),
        ("kept", None),
    ]
    (new,) = output.tables["problems"].to_pylist()
    assert (new["id"], new["prompt"], new["reference_answer"]) == (problem_id(SUM), SUM, "4")
    assert found[CHOICE][2] == new["id"]
    (origin,) = output.tables["provenance"].to_pylist()
    assert (origin["origin"], origin["problem_id"], origin["reference_answer"]) == ("s/1", new["id"], "4")


@pytest.mark.parametrize(
    ("settings", "text", "fate"),
    [
        ({"proof": False}, PROOF, "kept"),
        ({"picture": False}, "In the figure, find x.", "kept"),
        ({"several": False}, "How old is Ann? How old is Bob?", "kept"),
        ({"choices": "keep"}, CHOICE, "kept"),
        ({"choices": "drop"}, CHOICE, "rejected"),
    ],
    ids=["proof", "picture", "several", "choices kept", "choices dropped"],
)
def test_each_rule_can_be_turned_off(tmp_path: Path, settings: dict[str, Any], text: str, fate: str) -> None:
    output, found = run(tmp_path, [problem(text, reference_answer="B")], **settings)
    assert found[text][0] == fate
    assert output.tables["problems"].num_rows == 0


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"category": "code"}, None),
        ({"category": None}, None),
        ({"category": "Mathematics"}, "rewritten"),
        ({"test_case": "{}"}, "choices"),
        ({"constraints": "{}"}, "choices"),
        ({"messages": [{"role": "user", "content": CHOICE}]}, "choices"),
        ({"reference_answer": None}, None),
        ({"reference_answer": "12"}, None),
    ],
    ids=[
        "another category",
        "none",
        "any spelling",
        "tests",
        "constraints",
        "turns",
        "no reference",
        "of none of them",
    ],
)
def test_what_is_looked_at_and_what_is_rewritten(tmp_path: Path, field: dict[str, Any], reason: str | None) -> None:
    _, found = run(tmp_path, [problem(CHOICE, **{"reference_answer": "B", **field})])
    assert found[CHOICE][1] == reason


@pytest.mark.parametrize("turned", [False, True], ids=["before it", "after it"])
def test_a_question_that_is_there_already_is_not_made_twice(tmp_path: Path, turned: bool) -> None:
    """Trap: two rows with one id in a shard."""
    problems = [problem(SUM, reference_answer="4"), problem(CHOICE, reference_answer="B")]
    output, found = run(tmp_path, problems[::-1] if turned else problems)
    assert found[CHOICE] == ("rejected", "rewritten", problem_id(SUM))
    assert output.tables["problems"].num_rows == 0


def test_two_that_become_one_question_are_one_problem(tmp_path: Path) -> None:
    other = f"{SUM}\nA. 4\nB. 5\nC. 6"
    output, found = run(tmp_path, [problem(CHOICE, reference_answer="B"), problem(other, reference_answer="A")])
    assert {fate[1] for fate in found.values()} == {"rewritten"}
    assert output.tables["problems"].num_rows == 1


@pytest.mark.parametrize("settings", [{"choices": "fill"}, {"images": True}, {"proof": "yes please"}], ids=repr)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Askable.model_validate({"kind": "askable", **settings})
