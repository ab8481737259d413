"""Sampling until a problem's class is known, and the pilot that says what to expect."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.build.sampled import RIGHT, rows, sometimes
from tests.build.shard import MODEL, problem, resources, run, shard
from tracemill.distill.pilot import Pilot
from tracemill.distill.step import Distill
from tracemill.engine.runner import fingerprint_of
from tracemill.engine.step import Inputs
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.errors import RecipeError
from tracemill.models.fake import FakeServer
from tracemill.recipe import parse_recipe

PROBLEMS = [
    problem(f"p{n:024x}", f"What is {n} + {RIGHT - n}?", reference_answer=str(RIGHT), category="math")
    for n in range(40)
]
POLICY: dict[str, Any] = {"kind": "until_decided", "max": 8, "error": 0.2, "verifiers": [{"kind": "math"}]}
FLAT = {**POLICY, "prior": {"alpha": 0.5, "beta": 0.5}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def teacher(policy: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"kind": "chat", "model": MODEL, "sampling": {"max_tokens": 50}, "policy": policy, **settings}


def distill(policy: dict[str, Any], **settings: Any) -> Distill:
    said = {"kind": "distill", "teacher": teacher(policy, **settings), "problems": "all"}
    return TypeAdapter(Distill).validate_python(said)


def pilot(**settings: Any) -> Pilot:
    said = {"kind": "pilot", "teacher": teacher(POLICY), "problems": 20, "samples": 4, **settings}
    return TypeAdapter(Pilot).validate_python(said)


def by_difficulty(prompt: str, seed: int) -> str:
    """Right on small numbers nearly always, on large ones hardly ever."""
    return sometimes(0.97 if int(prompt.split()[2]) < 20 else 0.02)(prompt, seed)


def counts(output: Any) -> dict[str, int]:
    found = [name for name, _, _ in rows(output)]
    return {name: found.count(name) for name in dict.fromkeys(found)}


def test_answers_of_both_kinds_decide_sooner_than_answers_of_one(store: Store) -> None:
    """Right and wrong answers show at once that a problem is usable; right ones alone could come from 0.8."""
    inputs = shard(store, problems=PROBLEMS)
    mixed, alike = (
        counts(run(distill(FLAT), FakeServer(say=sometimes(share)), inputs, TRACEMILL_SAMPLES=str(share)))
        for share in (0.5, 1.0)
    )
    assert min(mixed.values()) == 2
    assert sum(mixed.values()) < sum(alike.values()) < 8 * 40


def test_nothing_is_asked_in_vain_and_arrival_order_changes_no_row(store: Store) -> None:
    inputs = shard(store, problems=PROBLEMS[15:25])
    servers = [FakeServer(say=by_difficulty, seconds=seconds) for seconds in (None, lambda p, s: random.random() / 50)]
    plain, shuffled = (run(distill(FLAT), server, inputs, TRACEMILL_SAMPLES=str(n)) for n, server in enumerate(servers))
    assert rows(plain) == rows(shuffled)
    assert [len(server.requests) for server in servers] == [len(rows(plain))] * 2


def test_a_pilot_makes_a_prior_that_distil_samples_by_and_pays_nothing_twice(store: Store) -> None:
    inputs = shard(store, problems=PROBLEMS)
    first = FakeServer(say=by_difficulty)
    priors = run(pilot(), first, inputs).tables["priors"].to_pylist()
    assert [(row["teacher"], row["category"], row["difficulty"]) for row in priors] == [
        ("tiny", None, None),
        ("tiny", "math", None),
    ]
    assert len(first.requests) == 80
    second = FakeServer(say=by_difficulty)
    found = run(distill(POLICY), second, shard(store, problems=PROBLEMS, priors=priors))
    tried = {problem["id"] for problem in PROBLEMS[:20]}
    assert len(second.requests) == sum(max(0, n - 4 * (name in tried)) for name, n in counts(found).items())


def test_a_pilot_fits_a_mixture_where_asked_and_else_nothing_changes(store: Store) -> None:
    """Trap: a new setting at its default that changes what every sealed prior is known by."""
    inputs = shard(store, problems=PROBLEMS)
    plain = pilot()
    mixed = pilot(fit="mixture")
    assert "fit" not in plain.settings(inputs)
    priors = run(mixed, FakeServer(say=by_difficulty), inputs).tables["priors"].to_pylist()
    assert [(row["category"], row["alpha"], bool(row["parts"])) for row in priors] == [
        (None, None, True),
        ("math", None, True),
    ]
    assert priors[0]["tokens_passed"] > 0
    found = run(distill(POLICY), FakeServer(say=by_difficulty), shard(store, problems=PROBLEMS, priors=priors))
    assert 2 <= min(counts(found).values()) <= max(counts(found).values()) <= 8


def test_what_is_saved_may_be_tokens(store: Store) -> None:
    """Trap: a new setting at its default that changes what every sealed shard is known by."""
    inputs = shard(store, problems=PROBLEMS)
    assert "saves" not in str(distill(POLICY).settings(inputs))
    priors = run(pilot(), FakeServer(say=by_difficulty), inputs).tables["priors"].to_pylist()
    assert all(row["tokens_passed"] > 0 and row["tokens_failed"] > 0 for row in priors)
    saving = distill({**POLICY, "saves": "tokens"})
    found = run(saving, FakeServer(say=by_difficulty), shard(store, problems=PROBLEMS, priors=priors))
    assert 2 <= min(counts(found).values()) <= max(counts(found).values()) <= 8


@pytest.mark.parametrize("known", [{}, {"tokens_passed": 0.0}], ids=["made before there were lengths", "none counted"])
def test_tokens_cannot_be_saved_where_nobody_counted_them(store: Store, known: dict[str, float]) -> None:
    row = {"teacher": "tiny", "alpha": 0.5, "beta": 0.5, "ruled": 9, **known}
    with pytest.raises(RecipeError, match="saves tokens, and the pilot of teacher 'tiny' counted none"):
        run(distill({**POLICY, "saves": "tokens"}), FakeServer(), shard(store, problems=PROBLEMS, priors=[row]))


def _again(store: Store, inputs: Inputs, step: Pilot, earlier: Any) -> Inputs:
    """What the next run of a step sees, whose output was sealed."""
    tables = {"priors": store.put_table(earlier.tables["priors"], "pilot", 0, "priors")}
    none = Counts(entered=0, kept=0, rejected={}, quarantined={})
    made = {"settings": step.settings(inputs), "made_with": dict(earlier.made_with)}
    sealed = Manifest(step="pilot", index=0, fingerprint="f", unit="problem", counts=none, tables=tables, **made)
    return replace(inputs, previous=sealed)


@pytest.mark.parametrize(
    ("settings", "kept"), [({}, True), ({"refit": 2}, False)], ids=["a refresh keeps it", "made anew where asked"]
)
def test_a_prior_stays_until_somebody_has_it_made_anew(store: Store, settings: dict[str, int], kept: bool) -> None:
    """Trap: new problems that move the prior, and with it what old shards would have asked."""
    step = pilot()
    earlier = run(step, FakeServer(say=by_difficulty), shard(store, problems=PROBLEMS[:30]))
    grown = _again(store, shard(store, problems=PROBLEMS), step, earlier)
    server = FakeServer(say=by_difficulty)
    output = run(pilot(**settings), server, grown, TRACEMILL_SAMPLES="another")
    assert bool(output.carried) is kept
    assert bool(server.requests) is not kept


def test_the_decision_table_is_part_of_the_fingerprint(store: Store) -> None:
    machine = resources(FakeServer())
    row = {"teacher": "tiny", "alpha": 0.5, "beta": 0.5, "ruled": 9}
    marks = [
        fingerprint_of(distill(POLICY), machine, replace(shard(store, problems=PROBLEMS, priors=[prior]), index=0))
        for prior in (row, {**row, "problems": 7}, {**row, "beta": 5.0})
    ]
    assert marks[0] == marks[1] != marks[2]


def test_the_decision_table_is_computed_once_for_all_shards(store: Store) -> None:
    row = {"teacher": "tiny", "alpha": 0.45, "beta": 0.55, "ruled": 9}
    policy = distill(POLICY).teacher.policy
    asked = (shard(store, priors=[row]).table("priors"), "tiny", [None])
    first, second = (policy.ruling(*asked) for _ in range(2))
    assert first.tables[None][1] is second.tables[None][1]  # type: ignore[attr-defined]


def test_a_prior_without_data_is_one_clear_error(store: Store) -> None:
    with pytest.raises(RecipeError, match="pilot of teacher 'tiny' tells nothing: of 10 problems, 0 can be judged"):
        run(pilot(), FakeServer(), shard(store, problems=[problem(f"p{n:024x}", "chat") for n in range(10)]))
    with pytest.raises(RecipeError, match="no prior for teacher 'tiny': put a `pilot` step"):
        run(distill(POLICY), FakeServer(), shard(store, problems=PROBLEMS))


def test_an_error_that_the_cap_cannot_reach_is_one_clear_error(store: Store) -> None:
    with pytest.raises(
        RecipeError, match=r"within an error of 0\.\d+ at best, and 0.01 is asked for: raise max or error"
    ):
        run(distill({**FLAT, "max": 3, "error": 0.01}), FakeServer(), shard(store, problems=PROBLEMS))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"low": 0.9, "high": 0.2}, "no pass rate would be usable", id="bounds the wrong way round"),
        pytest.param({"least": 9}, "least is 9 and max 8", id="more at least than at most"),
        pytest.param({"error": 0.0}, "greater than 0", id="never wrong is never decided"),
        pytest.param({"error": float("nan")}, "finite number", id="NaN"),
        pytest.param({"low": float("nan")}, "finite number", id="a bound that is NaN"),
        pytest.param({"prior": {"alpha": 0, "beta": 1}}, "greater than 0", id="a prior that is none"),
        pytest.param({"saves": "tokens"}, "leave out prior, or saves", id="tokens that no pilot counted"),
    ],
)
def test_settings_that_decide_nothing_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        distill({**FLAT, **change})


def test_a_pilot_whose_teacher_judges_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="judges nothing, so nothing can be fitted"):
        pilot(teacher=teacher({"kind": "fixed"}))


def test_a_recipe_without_the_pilot_of_its_policy_is_refused() -> None:
    data = {"name": "lone", "description": "", "sources": [{"kind": "demo", "name": "d", "part": "maths"}]}
    step = distill(POLICY).model_dump(mode="json")
    with pytest.raises(RecipeError, match="step 'distill': policy until_decided has no prior of teacher 'tiny'"):
        parse_recipe({**data, "steps": {"distill": step}}, "here")
    tried = pilot().model_dump(mode="json")
    assert list(parse_recipe({**data, "steps": {"pilot": tried, "distill": step}}, "here").steps) == [
        "pilot",
        "distill",
    ]
