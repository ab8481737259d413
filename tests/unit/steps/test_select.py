"""Which responses are chosen: the traps are ties, missing rewards, several verifiers, and rows in another order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from tests.build.tables import inputs_of
from tracemill.engine.resources import Resources
from tracemill.engine.tables import columns_of
from tracemill.errors import RecipeError
from tracemill.select.select import Select

LEDGER = columns_of("ledger")


def response(identity: str, problem: str = "p1", think: str | None = "thinking", answer: str | None = "4") -> Any:
    return {"id": identity, "problem_id": problem, "think_content": think, "answer_content": answer}


def verdict(identity: str, status: str = "pass", verifier: str = "math") -> Any:
    return {"generation_id": identity, "problem_id": "p1", "verifier": verifier, "status": status, "score": 1.0}


def reward(identity: str, score: float | None, model: str = "tree") -> Any:
    return {"generation_id": identity, "reward_model": model, "score": score}


def measured(identity: str, value: float, metric: str = "rsr", measurer: str = "student") -> Any:
    return {"generation_id": identity, "metric": metric, "measurer": measurer, "value": value}


def selected(tmp_path: Path, tables: dict[str, list[Any]], **settings: Any) -> tuple[list[Any], dict[str, Any]]:
    """The rows of `selected`, and the ledger's (bucket, reason) by id."""
    step = Select.model_validate({"kind": "select", **settings})
    output = step.run(Resources(workers=1), inputs_of(tmp_path, tables))
    assert output.ledger.schema == LEDGER
    ledger = {row["id"]: row for row in output.ledger.to_pylist()}
    assert len(ledger) == output.ledger.num_rows
    return output.tables["selected"].to_pylist(), ledger


@pytest.mark.parametrize(
    ("generations", "verdicts", "rewards", "best"),
    [
        pytest.param([response("g1"), response("g2")], [verdict("g2")], [], "g2", id="verified before unverified"),
        pytest.param(
            [response("g1"), response("g2")],
            [verdict("g1"), verdict("g2")],
            [reward("g1", 0.1), reward("g2", 0.9)],
            "g2",
            id="higher reward",
        ),
        pytest.param(
            [response("g1"), response("g2")],
            [verdict("g1"), verdict("g2")],
            [reward("g2", -3.0)],
            "g2",
            id="any reward before none",
        ),
        pytest.param(
            [response("g1"), response("g2")],
            [verdict("g1"), verdict("g2")],
            [reward("g1", float("nan")), reward("g2", 0.1)],
            "g2",
            id="not-a-number is no reward",
        ),
        pytest.param(
            [response("g1"), response("g2")],
            [verdict("g1"), verdict("g2")],
            [reward("g1", 0.9), reward("g1", 0.1, "judge"), reward("g2", 0.6)],
            "g2",
            id="several reward models are averaged",
        ),
        pytest.param(
            [response("g1", think="long thinking"), response("g2", think="short")],
            [verdict("g1"), verdict("g2")],
            [],
            "g2",
            id="shorter thinking",
        ),
        pytest.param(
            [response("g1", think="éééé"), response("g2", think="eeeee")],
            [verdict("g1"), verdict("g2")],
            [],
            "g1",
            id="length in characters, not bytes",
        ),
        pytest.param([response("g2"), response("g1")], [verdict("g1"), verdict("g2")], [], "g1", id="tie: smaller id"),
    ],
)
def test_the_best_response_is_kept_and_the_rest_is_surplus(
    tmp_path: Path, generations: list[Any], verdicts: list[Any], rewards: list[Any], best: str
) -> None:
    tables = {"generations": generations, "verdicts": verdicts, "rewards": rewards}

    for order, rows in enumerate((generations, generations[::-1])):
        chosen, ledger = selected(tmp_path / str(order), {**tables, "generations": rows}, unverified="keep")

        assert [row["generation_id"] for row in chosen] == [best]
        assert {i for i, row in ledger.items() if row["bucket"] == "kept"} == {best}
        assert {row["reason"] for i, row in ledger.items() if i != best} == {"surplus"}


def test_at_most_so_many_per_problem(tmp_path: Path) -> None:
    generations = [response(f"g{k}", f"p{k % 2}", think="x" * (k + 1)) for k in range(6)]
    verdicts = [verdict(f"g{k}") for k in range(6)]
    chosen, ledger = selected(tmp_path, {"generations": generations, "verdicts": verdicts}, responses_per_problem=2)

    assert [row["generation_id"] for row in chosen] == ["g0", "g1", "g2", "g3"]
    assert (ledger["g5"]["score"], ledger["g5"]["threshold"]) == (3.0, 2.0)


def test_at_most_so_many_of_each_teacher(tmp_path: Path) -> None:
    """Trap: a teacher whose responses are all longer would have none; one that nobody named is a teacher, too."""
    who = ["a", "a", "b", "b", None, None]
    generations = [{**response(f"g{k}", think="x" * (k + 1)), "teacher": name} for k, name in enumerate(who)]
    tables = {"generations": generations, "verdicts": [verdict(f"g{k}") for k in range(6)]}
    chosen, ledger = selected(tmp_path, tables, each="teacher")

    assert [row["generation_id"] for row in chosen] == ["g0", "g2", "g4"]
    assert (ledger["g3"]["reason"], ledger["g3"]["score"], ledger["g3"]["threshold"]) == ("surplus", 2.0, 1.0)


def test_each_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        Select.model_validate({"kind": "select", "each": "source"})


@pytest.mark.parametrize(
    ("generation", "verdicts", "settings", "reason"),
    [
        pytest.param(response("g1"), [], {}, "unverified", id="nobody judged it"),
        pytest.param(response("g1"), [verdict("g1", "unverifiable")], {}, "unverified", id="nobody could judge it"),
        pytest.param(response("g1"), [], {"unverified": "keep"}, None, id="kept when the recipe says so"),
        pytest.param(
            response("g1"), [verdict("g1", "fail")], {"unverified": "keep"}, "failed", id="a fail is no blank"
        ),
        pytest.param(
            response("g1"),
            [verdict("g1", "fail"), verdict("g1", "pass", "correctness:qwen")],
            {},
            None,
            id="a judge may overrule a fail",
        ),
        pytest.param(
            response("g1"),
            [verdict("g1"), verdict("g1", "fail", "instruction")],
            {"unverified": "keep"},
            "failed",
            id="right by maths, against the instruction",
        ),
        pytest.param(
            response("g1"),
            [verdict("g1"), verdict("g1", "unverifiable", "instruction")],
            {},
            "unverified",
            id="could not tell is no pass",
        ),
        pytest.param(response("g1", think=" \n"), [verdict("g1")], {}, "unformatted", id="blank thinking"),
        pytest.param(response("g1", think=None), [verdict("g1")], {}, "unformatted", id="no thinking"),
        pytest.param(response("g1", answer="　"), [verdict("g1")], {}, "unformatted", id="answer of wide blanks"),
    ],
)
def test_what_may_not_be_released_says_why(
    tmp_path: Path, generation: Any, verdicts: list[Any], settings: dict[str, Any], reason: str | None
) -> None:
    chosen, ledger = selected(tmp_path, {"generations": [generation], "verdicts": verdicts}, **settings)

    assert ledger["g1"]["reason"] == reason
    assert [row["generation_id"] for row in chosen] == ([] if reason else ["g1"])


def test_the_verifiers_that_passed_are_named(tmp_path: Path) -> None:
    verdicts = [verdict("g1", verifier="correctness:qwen"), verdict("g1"), verdict("g1", verifier="code")]
    chosen, _ = selected(tmp_path, {"generations": [response("g1")], "verdicts": verdicts})

    assert chosen == [{"generation_id": "g1", "problem_id": "p1", "verifier": "code+correctness:qwen+math"}]


def test_an_unformatted_response_does_not_take_the_place_of_a_good_one(tmp_path: Path) -> None:
    generations = [response("g1", think=""), response("g2", think="fine")]
    chosen, _ = selected(tmp_path, {"generations": generations, "verdicts": [verdict("g1"), verdict("g2")]})

    assert [row["generation_id"] for row in chosen] == ["g2"]


def test_rows_that_an_earlier_step_turned_away_do_not_take_part(tmp_path: Path) -> None:
    generations = [response("g1"), response("g2"), response("g3", "p2")]
    gone = [
        {"id": "g1", "unit": "generation", "bucket": "rejected", "reason": "repetition"},
        {"id": "p2", "unit": "problem", "bucket": "rejected", "reason": "exact_duplicate"},
    ]
    verdicts = [verdict("g1"), verdict("g2"), verdict("g3")]
    _, ledger = selected(tmp_path, {"generations": generations, "verdicts": verdicts, "ledger": gone})

    assert set(ledger) == {"g2"}


THREE: dict[str, list[Any]] = {
    "generations": [response("g1", think="b" * 20), response("g2", think="short"), response("g3", think="a" * 40)],
    "verdicts": [verdict("g1"), verdict("g2"), verdict("g3")],
    "rewards": [reward("g1", 0.2), reward("g2", 0.1), reward("g3", 0.9)],
    "measurements": [
        measured("g1", 2.0),
        measured("g2", 3.0),
        measured("g3", 9.0, "perplexity"),
        measured("g2", 1.5, "perplexity"),
    ],
}


@pytest.mark.parametrize(
    ("settings", "order"),
    [
        pytest.param({}, ["g3", "g1", "g2"], id="the higher reward, as ever"),
        pytest.param({"by": "reward"}, ["g3", "g1", "g2"], id="said aloud"),
        pytest.param({"by": "rsr"}, ["g1", "g2", "g3"], id="the lower ratio, and what has none last"),
        pytest.param({"by": "rsr", "measurer": "student"}, ["g1", "g2", "g3"], id="of a student by name"),
        pytest.param({"by": "perplexity"}, ["g2", "g3", "g1"], id="the lower perplexity"),
        pytest.param({"by": "shortest"}, ["g2", "g1", "g3"], id="the shortest thinking, whatever its reward"),
    ],
)
def test_what_it_is_by_ranks_the_verified(tmp_path: Path, settings: dict[str, Any], order: list[str]) -> None:
    _, ledger = selected(tmp_path, THREE, **settings, responses_per_problem=1)
    ranks = {identity: row["score"] for identity, row in ledger.items()}
    assert sorted(ranks, key=ranks.__getitem__) == order


def test_a_failed_response_is_not_chosen_for_its_fit(tmp_path: Path) -> None:
    failing = {**THREE, "verdicts": [verdict("g1", "fail"), verdict("g2"), verdict("g3")]}
    chosen, ledger = selected(tmp_path, failing, by="rsr")
    assert [row["generation_id"] for row in chosen] == ["g2"]
    assert ledger["g1"]["reason"] == "failed"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")], ids=str)
def test_a_number_that_is_none_fits_nobody(tmp_path: Path, bad: float) -> None:
    """Trap: minus infinity would be the best fit of all."""
    chosen, _ = selected(tmp_path, {**THREE, "measurements": [measured("g1", bad), measured("g2", 3.0)]}, by="rsr")
    assert [row["generation_id"] for row in chosen] == ["g2"]


def test_of_two_students_one_must_be_named(tmp_path: Path) -> None:
    both = {**THREE, "measurements": [*THREE["measurements"], measured("g3", 0.1, measurer="other")]}
    with pytest.raises(RecipeError, match="other and student measured it"):
        selected(tmp_path / "any", both, by="rsr")
    chosen, _ = selected(tmp_path / "other", both, by="rsr", measurer="other")
    assert [row["generation_id"] for row in chosen] == ["g3"]


def test_what_it_is_not_by_changes_no_fingerprint(tmp_path: Path) -> None:
    """Trap: measurements are read since there is `by`; a release without it must not be made again for them."""
    without = inputs_of(tmp_path / "a", {name: rows for name, rows in THREE.items() if name != "measurements"})
    inputs = inputs_of(tmp_path / "b", THREE)
    plain = Select(kind="select")
    assert plain.settings(inputs) == {"kind": "select", "responses_per_problem": 1, "unverified": "drop"}
    assert plain.input_digests(inputs) == plain.input_digests(without)
    fitting = Select(kind="select", by="rsr")
    assert fitting.input_digests(inputs) != fitting.input_digests(without)


def test_a_measurer_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="measurer names who measured"):
        Select(kind="select", measurer="student")


def test_an_empty_shard_is_fine(tmp_path: Path) -> None:
    chosen, ledger = selected(tmp_path, {})

    assert (chosen, ledger) == ([], {})


def test_the_schema_is_the_documented_one(tmp_path: Path) -> None:
    output = Select(kind="select").run(Resources(workers=1), inputs_of(tmp_path, {}))

    assert isinstance(output.tables["selected"], pa.Table)
    assert output.tables["selected"].schema == columns_of("selected")
