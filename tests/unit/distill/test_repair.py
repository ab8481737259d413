"""References that most responses contradict: repaired only where a stronger model says what the responses say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.build.shard import MODEL, generation, ledger, problem, run, shard, turned_away
from tracemill.distill.repair import Repair
from tracemill.distill.step import Distill
from tracemill.engine.store import Store
from tracemill.models.fake import FakeServer

STRONG = {"kind": "chat", "model": {**MODEL, "name": "critic", "weights": "org/critic"}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def repair(samples: int = 1, **settings: Any) -> Repair:
    said = {"kind": "repair", "teacher": {**STRONG, "samples": samples}, **settings}
    return TypeAdapter(Repair).validate_python(said)


def saying(*answers: str) -> FakeServer:
    """A model that gives these answers in turn, by its seed's place among those seen; "" states nothing."""
    seen: list[int] = []

    def say(prompt: str, seed: int) -> str:
        seen.append(seed)
        answer = answers[(len(seen) - 1) % len(answers)]
        said = f"It is $\\boxed{{{answer}}}$." if answer else "Who knows."
        return f"<think>\nhm\n</think>\n<answer>\n{said}\n</answer>"

    return FakeServer(say=say)


def inputs(store: Store, reference: str | None, votes: list[tuple[str, str]], teacher: str | None = "old") -> Any:
    """One problem, and its responses as (answer, verdict)."""
    said_by = {"teacher": teacher}
    rows = [generation(f"g{n}", "p", f"It is $\\boxed{{{said}}}$.", **said_by) for n, (said, _) in enumerate(votes)]
    said = [
        {"generation_id": f"g{n}", "problem_id": "p", "verifier": "math", "status": status}
        for n, (_, status) in enumerate(votes)
    ]
    origins = [{"origin": "s/1", "problem_id": "p", "source": "s", "reference_answer": reference}]
    one = problem("p", "What is it?", category="math", reference_answer=reference)
    dead = [turned_away("generation", f"g{n}") for n, (_, status) in enumerate(votes) if status == "fail"]
    return shard(store, problems=[one], generations=rows, verdicts=said, provenance=origins, ledger=dead)


FAIL = "fail"
FIVE = [("12", FAIL)] * 4 + [("13", "pass")]


@pytest.mark.parametrize(
    ("votes", "says", "outcome"),
    [
        pytest.param(FIVE, "12", "repaired", id="the stronger model agrees with most responses"),
        pytest.param(FIVE, "13", "doubted", id="it agrees with the reference"),
        pytest.param(FIVE, "14", "doubted", id="it says a third thing"),
        pytest.param(FIVE, "", "unsettled", id="it states nothing"),
        pytest.param(FIVE, "24/2", "repaired", id="it spells the answer in another way"),
        pytest.param([("12", FAIL), ("24/2", FAIL), ("12.0", FAIL), ("13", "pass")], "12", "repaired", id="so do they"),
        pytest.param([("12", FAIL)] * 2 + [("13", "pass")] * 2, "12", None, id="as many give the reference"),
        pytest.param([("13", "pass")] * 4 + [("12", FAIL)], "12", None, id="most give the reference"),
        pytest.param([("12", FAIL)] * 3, "12", None, id="too few responses"),
        pytest.param([("1", FAIL), ("2", FAIL), ("3", FAIL), ("4", FAIL)], "1", None, id="wrong, each in another way"),
        pytest.param([("12", "unverifiable")] * 5, "12", None, id="nothing was shown of them"),
    ],
)
def test_a_reference_in_doubt(store: Store, votes: list[tuple[str, str]], says: str, outcome: str | None) -> None:
    server = saying(says)
    output = run(repair(), server, inputs(store, "13", votes))
    bucket = "rejected" if outcome == "repaired" else "kept"
    assert ledger(output) == {"p": (bucket, outcome)}
    assert len(server.requests) == (outcome is not None), "nobody is asked where nothing is in doubt"
    rows = output.tables["repairs"].to_pylist()
    assert [row["outcome"] for row in rows] == ([outcome] if outcome else [])
    if outcome:
        (row,) = rows
        assert (row["reference"], row["common"], row["asked"]) == ("13", "12", "critic")
        assert (row["votes"], row["responses"]) == (len(votes) - 1, len(votes))
    (new,) = output.tables["problems"].to_pylist() or [None]
    assert (new is not None) == (outcome == "repaired")
    if new:
        assert (new["prompt"], new["reference_answer"]) == ("What is it?", "12")
        assert new["id"] == row["repaired_as"] != "p"
        (origin,) = output.tables["provenance"].to_pylist()
        assert (origin["origin"], origin["problem_id"], origin["reference_answer"]) == ("s/1", new["id"], "12")


def test_what_stays_in_doubt_can_be_set_aside(store: Store) -> None:
    output = run(repair(doubted="quarantine"), saying("13"), inputs(store, "13", FIVE))
    assert ledger(output) == {"p": ("quarantined", "doubted")}
    assert output.ledger["detail"][0].as_py() == "4 of 5 responses say 12"


def test_each_sample_of_the_stronger_model_must_agree(store: Store) -> None:
    output = run(repair(samples=2), saying("12", "13"), inputs(store, "13", FIVE))
    assert ledger(output) == {"p": ("kept", "doubted")}


def test_only_those_that_are_named_vote(store: Store) -> None:
    server = saying("12")
    assert ledger(run(repair(of=["another"]), server, inputs(store, "13", FIVE))) == {"p": ("kept", None)}
    assert server.requests == []


def test_what_the_stronger_model_said_before_does_not_vote(store: Store) -> None:
    """Trap: asked again it says the same, and so a model alone repaired what it could not solve."""
    own = inputs(store, "13", FIVE, teacher="critic")
    server = saying("12")
    assert ledger(run(repair(), server, own)) == {"p": ("kept", None)}
    assert server.requests == []
    assert ledger(run(repair(), server, inputs(store, "13", FIVE, teacher=None))) == {"p": ("rejected", "repaired")}


@pytest.mark.parametrize(
    ("reference", "common", "doubted"),
    [
        pytest.param("2, 3", "x=3", False, id="one of two roots"),
        pytest.param("2 \\text{ and } 3", "2", False, id="one of two that are joined by a word"),
        pytest.param("\\{2, 3\\}", "3", False, id="one of a set"),
        pytest.param("\\pm 2", "2", False, id="one of two signs"),
        pytest.param("2, 3", "2, 5", True, id="another list"),
        pytest.param("2, 3", "5", True, id="none of them"),
        pytest.param("(2, 3)", "3", True, id="a coordinate of a point"),
        pytest.param("1,000", "1", True, id="digits that a comma groups"),
    ],
)
def test_a_part_of_the_reference_is_no_other_answer(store: Store, reference: str, common: str, doubted: bool) -> None:
    """Trap: most responses stopped at the first root, and so did the stronger model: a right reference was replaced."""
    server = saying(common)
    output = run(repair(), server, inputs(store, reference, [(common, FAIL)] * 5))
    assert ledger(output) == {"p": ("rejected", "repaired") if doubted else ("kept", None)}
    assert len(server.requests) == doubted


def test_a_problem_without_a_reference_is_none_to_repair(store: Store) -> None:
    assert ledger(run(repair(), saying("12"), inputs(store, None, FIVE))) == {"p": ("kept", None)}


def test_a_repaired_problem_is_asked_again_for_nothing(store: Store) -> None:
    """The prompt is the same, so the sample store has the answers; only the verdicts are made anew."""
    asked = {"kind": "distill", "problems": "all", "teacher": {"kind": "chat", "model": MODEL, "samples": 3}}
    step = TypeAdapter(Distill).validate_python(asked)
    before = inputs(store, "13", FIVE)
    run(step, FakeServer(), before)
    new = run(repair(), saying("12"), before).tables["problems"].to_pylist()
    server = FakeServer()
    output = run(step, server, shard(store, problems=new))
    assert server.requests == []
    assert {row["problem_id"] for row in output.tables["generations"].to_pylist()} == {new[0]["id"]}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"of": ["critic"]}, "would confirm itself", id="asked about itself"),
        pytest.param({"share": 0.3}, "greater than or equal to 0.5", id="a minority"),
        pytest.param({"least": 1}, "greater than or equal to 2", id="one response"),
        pytest.param(
            {"teacher": {**STRONG, "policy": {"kind": "until_pass", "max": 2, "verifiers": [{"kind": "math"}]}}},
            "remove its policy",
            id="a policy",
        ),
    ],
)
def test_settings_that_prove_nothing_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(Repair).validate_python({"kind": "repair", "teacher": STRONG, **settings})
