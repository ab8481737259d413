"""A pass rate is of the model: what a verifier rejected counts, what was cut did not pass, what nobody saw is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.build.graded import grade, response, run, verdict
from tests.build.tables import Rows, inputs_of, sealed_rows
from tracemill.engine.step import Inputs, ledger_rows
from tracemill.engine.store import Manifest

PROBLEM = {"id": "p", "category": "math"}


def after(before: Inputs, kind: str, reason: str, *ids: str, unit: Any = "generation", **settings: Any) -> Inputs:
    """The same shard behind a step of that kind which turned these ids away."""
    tables: Rows = {"ledger": ledger_rows(unit, ids, "rejected", reason).to_pylist()}
    sealed: Manifest = sealed_rows(before.store, 0, tables, f"{kind}_{reason}")
    sealed = sealed.model_copy(update={"unit": unit, "settings": {"kind": kind, **settings}})
    return Inputs(before.store, 0, {0: [*before.sealed[0], sealed]}, [], 1)


def shard(folder: Path, status: str = "pass", **fields: Any) -> Inputs:
    rows = {"problems": [PROBLEM], "generations": [response("g", **fields)], "verdicts": [verdict("g", "math", status)]}
    return inputs_of(folder, rows)


def counted(inputs: Inputs, **settings: Any) -> tuple[float | None, str | None] | None:
    """Score and reason of the response; None where it is no sample of its model."""
    scores, _, _ = run(inputs, **settings)
    return (scores[0]["score"], scores[0]["reason"]) if scores else None


@pytest.mark.parametrize(
    ("kind", "reason", "settings"),
    [
        pytest.param("verify", "wrong_answer", {}, id="by a verifier"),
        pytest.param("judge", "judged_wrong", {}, id="by a judge"),
        pytest.param("reward", "low_reward", {}, id="by its reward"),
        pytest.param("score", "low_score", {}, id="by its second score"),
        pytest.param("gate", "low_reward", {"metric": "reward"}, id="by a cut of rewards"),
        pytest.param("select", "surplus", {}, id="as one too many"),
    ],
)
def test_a_response_that_was_rejected_for_its_worth_counts(
    tmp_path: Path, kind: str, reason: str, settings: dict[str, Any]
) -> None:
    assert counted(after(shard(tmp_path, "fail"), kind, reason, "g", **settings)) == (0.0, None)


@pytest.mark.parametrize(
    ("turned_away", "status", "expected"),
    [
        pytest.param("undecided", "pass", (None, "bad_template"), id="tells-nothing"),
        pytest.param("judged", "pass", (1.0, None), id="by-its-verdict"),
        pytest.param("judged", "fail", (0.0, None), id="by-its-fail"),
        pytest.param("fail", "pass", (0.0, "bad_template"), id="did-not-pass"),
    ],
)
@pytest.mark.parametrize(("kind", "settings"), [("rules", {}), ("perplexity", {}), ("gate", {"metric": "perplexity"})])
def test_one_that_was_turned_away_for_another_reason_counts_as_the_recipe_says(
    tmp_path: Path, kind: str, settings: dict[str, Any], turned_away: str, status: str, expected: Any
) -> None:
    behind = after(shard(tmp_path, status), kind, "bad_template", "g", **settings)
    assert counted(behind, turned_away=turned_away) == expected


CUT = (0.0, "cut")
ENDS: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[float | None, str | None] | None]] = {
    "whole": ({"finish_reason": "stop"}, {}, (1.0, None)),
    "of a source that does not say": ({"finish_reason": None}, {}, (1.0, None)),
    "out of tokens, also with a right answer": ({"finish_reason": "length"}, {}, CUT),
    "ended in a loop": ({"finish_reason": "repetition"}, {}, CUT),
    "never stopped thinking": ({"finish_reason": "stop", "style": "unclosed"}, {}, CUT),
    "cut, which tells nothing": ({"finish_reason": "length"}, {"cut_answers": "undecided"}, (None, "cut")),
    "withheld by the server": ({"finish_reason": "content_filter"}, {"turned_away": "fail"}, (None, "filtered")),
    "cancelled": ({"finish_reason": "cancelled"}, {}, None),
    "broken off": ({"finish_reason": "abort"}, {}, None),
}


@pytest.mark.parametrize(("fields", "settings", "expected"), ENDS.values(), ids=ENDS)
def test_how_an_answer_ended_counts_before_its_verdict(
    tmp_path: Path, fields: dict[str, Any], settings: dict[str, Any], expected: Any
) -> None:
    assert counted(shard(tmp_path, **fields), **settings) == expected


def test_a_cut_answer_did_not_pass_also_where_the_rules_turned_it_away(tmp_path: Path) -> None:
    behind = after(shard(tmp_path, finish_reason="length"), "rules", "truncated", "g")
    assert counted(behind) == CUT


def test_what_one_verifier_turned_away_before_another_could_look_did_not_pass(tmp_path: Path) -> None:
    """Trap: a rate of those alone that the first verifier let through is 1, and its problem easy."""
    rows = {
        "problems": [{"id": "p", "category": "IF", "constraints": "{}", "reference_answer": "4"}],
        "generations": [response(f"g{k}", sample_index=k) for k in range(4)],
        "verdicts": [
            *(verdict(f"g{k}", "math", "pass" if k < 2 else "fail") for k in range(4)),
            *(verdict(f"g{k}", "instruction", "pass") for k in range(2)),
        ],
    }
    scores, (grade_of,), _ = run(inputs_of(tmp_path, rows))
    assert [(one["score"], one["passed"], one["reason"]) for one in scores] == [
        (1.0, True, None),
        (1.0, True, None),
        (0.0, False, "math says fail"),
        (0.0, False, "math says fail"),
    ]
    assert (grade_of["decided"], grade_of["passed"], grade_of["grade"]) == (4, 2, "usable")


def test_where_the_rule_tells_nothing_another_fail_tells_nothing_either(tmp_path: Path) -> None:
    """No program was run: those that broke an instruction would make the problem hopeless."""
    rows = {
        "problems": [{"id": "p", "category": "code", "test_case": "{}", "constraints": "{}"}],
        "generations": [response(f"g{k}", sample_index=k) for k in range(3)],
        "verdicts": [verdict(f"g{k}", "instruction", "pass" if k < 1 else "fail") for k in range(3)],
    }
    scores, (grade_of,), reasons = run(inputs_of(tmp_path, rows))
    assert [one["score"] for one in scores] == [None] * 3
    assert (grade_of["grade"], reasons) == ("ungraded", {"p": "ungraded"})


def test_science_that_a_verifier_passed_needs_no_second_opinion(tmp_path: Path) -> None:
    """Trap: a judge is asked what no verifier passed; of its word alone the problem is hopeless."""
    rows = {
        "problems": [{"id": "p", "category": "science", "reference_answer": "4"}],
        "generations": [response(f"g{k}", sample_index=k) for k in range(6)],
        "verdicts": [
            *(verdict(f"g{k}", "math", status) for k, status in enumerate(["pass", "pass", "fail", "fail", "fail"])),
            verdict("g2", "science:judge", "fail", 0.4),
            verdict("g3", "science:judge", "pass", 1.0),
            verdict("g4", "science:judge", "unverifiable", 0.0),
        ],
    }
    scores, (grade_of,), _ = run(inputs_of(tmp_path, rows))
    assert [(one["raw"], one["score"]) for one in scores] == [
        (5.0, 1.0),
        (5.0, 1.0),
        (2.0, 0.4),
        (5.0, 1.0),
        (None, None),
        (None, None),
    ]
    assert (grade_of["decided"], grade_of["passed"], grade_of["grade"]) == (4, 3, "usable")


def test_a_cancelled_sample_costs_tokens_and_counts_nowhere(tmp_path: Path) -> None:
    rows = [response(f"g{k}", sample_index=k, completion_tokens=10, finish_reason="stop") for k in range(3)]
    rows[2]["finish_reason"] = "cancelled"
    verdicts = [verdict("g0", "math", "pass"), verdict("g1", "math", "fail")]
    (row,) = run(inputs_of(tmp_path, {"problems": [PROBLEM], "generations": rows, "verdicts": verdicts}))[1]
    assert (row["asked"], row["decided"], row["passed"], row["tokens"]) == (2, 2, 1, 30)


def test_a_problem_that_was_turned_away_has_no_grade(tmp_path: Path) -> None:
    assert run(after(shard(tmp_path), "unique", "duplicate", "p", unit="problem")) == ([], [], {})


def test_a_shard_without_responses_grades_nobody(tmp_path: Path) -> None:
    assert run(inputs_of(tmp_path, {"problems": [PROBLEM]})) == ([], [], {"p": "ungraded"})


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        pytest.param({"test_case": "{}", "reference_answer": "4"}, ("code", "code"), id="tests"),
        pytest.param({"reference_answer": "4", "constraints": "{}"}, ("math", "math"), id="a-reference"),
        pytest.param({"constraints": "{}"}, ("instruction", "instruction following"), id="constraints"),
        pytest.param({"reference_answer": ""}, ("reward", "other"), id="nothing"),
        pytest.param({"reference_answer": "4", "category": "riddles"}, ("math", "riddles"), id="unknown-category"),
        pytest.param({"test_case": "{}", "category": "Maths"}, ("math", "math"), id="its-category-first"),
        pytest.param({"reference_answer": "4", "category": "Code"}, ("math", "code"), id="code-without-tests"),
        pytest.param({"test_case": "{}", "reference_answer": "4", "category": "code"}, ("code", "code"), id="code"),
        pytest.param({"category": "code"}, ("code", "code"), id="code-with-nothing"),
        pytest.param(
            {"reference_answer": "4", "category": "IF"}, ("math", "instruction following"), id="without-constraints"
        ),
        pytest.param(
            {"reference_answer": "4", "constraints": "{}", "category": "IF"},
            ("instruction", "instruction following"),
            id="constraints-of-its-category",
        ),
        pytest.param({"reference_answer": "4", "category": "science"}, ("science", "science"), id="judges-alone"),
    ],
)
def test_without_a_known_category_the_rule_is_that_of_what_the_problem_carries(
    tmp_path: Path, problem: dict[str, Any], expected: tuple[str, str]
) -> None:
    rows = {"problems": [{"id": "p", **problem}], "generations": [response("g")]}
    (score,), _, _ = run(inputs_of(tmp_path, rows))
    assert (score["rule"], score["category"]) == expected


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"hopeless": 0.5, "easy": 0.5}, r"hopeless \(0.5\) must be below easy \(0.5\)", id="no-band"),
        pytest.param({"thresholds": {"maths": 0.5, "math": 0.6}}, "one category twice", id="two-spellings"),
        pytest.param({"thresholds": {"riddles": 0.5}}, "'riddles', which is no category", id="unknown-category"),
        pytest.param({"thresholds": {"math": 1.0}}, "never passed", id="never"),
        pytest.param({"thresholds": {"math": 0.0}, "at_threshold": "pass"}, "always passed", id="always"),
        pytest.param({"thresholds": {"math": 1.5}}, "less than or equal to 1", id="beyond-its-range"),
        pytest.param({"thresholds": {"math": float("nan")}}, "less than or equal to 1", id="no-number"),
        pytest.param({"least_decided": 1}, "greater than or equal to 2", id="too-few"),
        pytest.param({"interval": 1.0}, "less than 1", id="all-of-it"),
        pytest.param({"rules": {"riddles": "guess"}}, "'math', 'code', 'science'", id="unknown-rule"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_in_a_sentence(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        grade(**settings)
