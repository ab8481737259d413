"""A pilot that says what its teacher will take: of which problems, by its policy, and paid once."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from tests.build.sampled import RIGHT, rows, sometimes
from tests.build.shard import MODEL, generation, problem, run, shard
from tracemill.distill.pilot import Pilot
from tracemill.distill.step import Distill
from tracemill.engine.step import Inputs
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.errors import RecipeError
from tracemill.models.fake import FakeServer
from tracemill.recipe import parse_recipe

PROBLEMS = [
    problem(
        f"p{n:024x}",
        f"What is {n} + {RIGHT - n}?",
        reference_answer=str(RIGHT),
        category="math" if n % 4 else "code",
        difficulty="hard" if n % 3 else "easy",
    )
    for n in range(60)
]
UNTIL_PASS: dict[str, Any] = {"kind": "until_pass", "max": 4, "verifiers": [{"kind": "math"}]}
DECIDED: dict[str, Any] = {"kind": "until_decided", "max": 8, "error": 0.2, "verifiers": [{"kind": "math"}]}
MODES: dict[str, Any] = {"quick": {"thinking": False}, "deep": {"thinking": True}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def teacher(policy: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    said = {"kind": "chat", "model": MODEL, "sampling": {"max_tokens": 50}, **settings}
    return {**said, "policy": policy} if policy else said


def distill(policy: dict[str, Any] | None = None, problems: str = "all", **settings: Any) -> Distill:
    said = {"kind": "distill", "teacher": teacher(policy, **settings), "problems": problems}
    return TypeAdapter(Distill).validate_python(said)


def pilot(policy: dict[str, Any] | None = None, forecast: Any = None, problems: int = 20, **settings: Any) -> Pilot:
    wanted = {"problems": "all"} if forecast is None else forecast
    said = {"kind": "pilot", "teacher": teacher(policy, **settings), "problems": problems, "samples": 4}
    return TypeAdapter(Pilot).validate_python({**said, "forecast": wanted})


def foreseen(output: Any) -> dict[str, dict[str, Any]]:
    return {row["quantity"]: row for row in output.tables["forecasts"].to_pylist()}


POLICIES = [
    pytest.param(None, {"samples": 2}, id="a fixed number"),
    pytest.param(UNTIL_PASS, {}, id="until one passes"),
    pytest.param(DECIDED, {}, id="until the class is known, with the prior of the same pilot"),
    pytest.param(UNTIL_PASS, {"modes": MODES}, id="in two modes"),
]


@pytest.mark.parametrize(("policy", "settings"), POLICIES)
def test_what_the_pilot_counted_is_what_distil_takes_and_nothing_is_paid_twice(
    store: Store, policy: dict[str, Any] | None, settings: dict[str, Any]
) -> None:
    """Of all problems: the forecast is the sum itself, and distil asks nothing more."""
    tried = run(pilot(policy, problems=60, **settings), FakeServer(say=sometimes(0.6)), shard(store, problems=PROBLEMS))
    second = FakeServer(say=sometimes(0.6))
    priors = tried.tables["priors"].to_pylist()
    output = run(distill(policy, **settings), second, shard(store, problems=PROBLEMS, priors=priors))
    assert second.requests == []
    found = foreseen(tried)
    written = pl.DataFrame(output.tables["generations"])
    assert found["samples"]["expected"] == written.height
    for name in ("prompt_tokens", "completion_tokens"):
        assert found[name]["low"] == found[name]["expected"] == found[name]["high"] == written[name].sum()
    assert found["seconds"]["expected"] == pytest.approx(written["seconds"].sum())


def test_a_part_is_tried_of_each_stratum_and_the_rest_is_foreseen(store: Store) -> None:
    server = FakeServer(say=sometimes(0.5))
    output = run(pilot(UNTIL_PASS), server, shard(store, problems=PROBLEMS))
    strata = {(row["category"], row["difficulty"]): row["problems"] for row in output.tables["strata"].to_pylist()}
    assert strata == {("code", "easy"): 5, ("code", "hard"): 10, ("math", "easy"): 15, ("math", "hard"): 30}
    piloted = pl.DataFrame(output.tables["piloted"])
    assert piloted.height == piloted["problem_id"].n_unique() == 20
    sizes = {row[:2]: row[2] for row in piloted.group_by("category", "difficulty").len().rows()}
    assert all(abs(sizes[kind] - size / 3) < 1 for kind, size in strata.items())
    found = foreseen(output)["samples"]
    assert (found["problems"], found["tried"]) == (60, 20)
    assert found["low"] < found["expected"] < found["high"]


def test_a_share_of_many_problems_is_tried(store: Store) -> None:
    step = pilot(problems=10, forecast={"problems": "all", "share": 0.5})
    assert run(step, FakeServer(), shard(store, problems=PROBLEMS)).tables["piloted"].num_rows == 30


def test_three_hundred_are_tried_where_nobody_says() -> None:
    said = {"kind": "pilot", "teacher": teacher(), "forecast": {}}
    assert TypeAdapter(Pilot).validate_python(said).chosen_of(1_000) == 300
    assert TypeAdapter(Pilot).validate_python(said).chosen_of(45_001) == 451


@pytest.mark.parametrize(
    ("forecast", "asked"),
    [
        pytest.param({"problems": "unverified"}, 59, id="those without a verified response"),
        pytest.param({"problems": "all", "where": {"category": ["math"]}}, 45, id="those routed there"),
        pytest.param({"problems": "all", "unless": {"category": ["maths"]}}, 15, id="those not routed elsewhere"),
        pytest.param({"problems": "all", "sources": ["another"]}, 0, id="of a source that has none"),
    ],
)
def test_the_problems_are_those_that_distil_will_ask(store: Store, forecast: dict[str, Any], asked: int) -> None:
    inputs = shard(
        store,
        problems=PROBLEMS,
        generations=[generation("g1", PROBLEMS[0]["id"])],
        verdicts=[{"generation_id": "g1", "problem_id": PROBLEMS[0]["id"], "status": "pass"}],
    )
    output = run(pilot(forecast=forecast), FakeServer(), inputs)
    assert sum(row["problems"] for row in output.tables["strata"].to_pylist()) == asked
    assert foreseen(output)["samples"]["expected"] == pytest.approx(asked)
    step = distill(**forecast) if forecast.keys() == {"problems"} else None
    if step:
        assert len({name for name, _, _ in rows(run(step, FakeServer(), inputs))}) == asked


@pytest.mark.parametrize(
    ("policy", "share", "per_problem"),
    [
        pytest.param(UNTIL_PASS, 0.0, {(4, 0)}, id="never right: as many as the cap, none passed"),
        pytest.param(UNTIL_PASS, 1.0, {(1, 1)}, id="always right: the first one"),
        pytest.param(UNTIL_PASS, 0.3, {(1, 1), (2, 1), (3, 1), (4, 1), (4, 0)}, id="what passes is the last"),
        pytest.param(None, 0.5, {(0, 0)}, id="a policy that judges nothing"),
    ],
)
def test_what_was_solved_is_kept(
    store: Store, policy: dict[str, Any] | None, share: float, per_problem: set[tuple[int, int]]
) -> None:
    output = run(pilot(policy), FakeServer(say=sometimes(share)), shard(store, problems=PROBLEMS))
    piloted = pl.DataFrame(output.tables["piloted"])
    assert set(piloted.select("told", "passed").rows()) <= per_problem
    assert set(piloted["passed"]) == {passed for _, passed in per_problem}
    if policy:
        assert piloted["told"].equals(piloted["samples"], check_names=False)


def test_what_no_verifier_can_judge_was_neither_told_nor_solved(store: Store) -> None:
    """Trap: a problem without a reference answer counted as one that the teacher failed."""
    bare = [{**one, "reference_answer": None} for one in PROBLEMS[:20]]
    output = run(pilot(UNTIL_PASS), FakeServer(say=sometimes(1.0)), shard(store, problems=bare))
    assert set(pl.DataFrame(output.tables["piloted"]).select("samples", "told", "passed").rows()) == {(1, 0, 0)}


def test_what_the_server_refuses_was_neither_told_nor_solved(store: Store) -> None:
    output = run(pilot(UNTIL_PASS), FakeServer(context=1), shard(store, problems=PROBLEMS))
    assert set(pl.DataFrame(output.tables["piloted"]).select("samples", "told", "passed").rows()) == {(0, 0, 0)}


def _again(store: Store, inputs: Inputs, step: Pilot, earlier: Any) -> Inputs:
    """What the next run of a step sees, whose output was sealed."""
    tables = {name: store.put_table(earlier.tables[name], "pilot", 0, name) for name in ("priors", "piloted")}
    none = Counts(entered=0, kept=0, rejected={}, quarantined={})
    made = {"settings": step.settings(inputs), "made_with": dict(earlier.made_with)}
    sealed = Manifest(step="pilot", index=0, fingerprint="f", unit="problem", counts=none, tables=tables, **made)
    return replace(inputs, previous=sealed)


def test_a_refresh_asks_nothing_and_counts_the_new_problems(store: Store) -> None:
    step = pilot()
    earlier = run(step, FakeServer(), shard(store, problems=PROBLEMS[:40]))
    server = FakeServer()
    output = run(step, server, _again(store, shard(store, problems=PROBLEMS), step, earlier))
    assert server.requests == []
    assert set(output.carried) == {"priors", "piloted"}
    assert (foreseen(earlier)["samples"]["expected"], foreseen(output)["samples"]["expected"]) == (40, 60)


def test_what_is_gone_since_is_forecast_no_more_and_nothing_is_asked(store: Store) -> None:
    """Trap: after a recall the problems that it took out were still among those that the teacher would be asked."""
    step = pilot()
    earlier = run(step, FakeServer(), shard(store, problems=PROBLEMS[:40]))
    tried = {row["problem_id"] for row in earlier.tables["piloted"].to_pylist()}
    gone = set(sorted(tried)[:15])
    left = [one for one in PROBLEMS[:40] if one["id"] not in gone]
    left[0] = {**left[0], "difficulty": "mad"}
    server = FakeServer()
    output = run(step, server, _again(store, shard(store, problems=left), step, earlier))
    assert server.requests == []
    assert set(output.carried) == {"priors"}
    rows = {row["problem_id"]: row["difficulty"] for row in output.tables["piloted"].to_pylist()}
    assert rows == {one["id"]: one["difficulty"] for one in left if one["id"] in tried - gone}
    assert foreseen(output)["samples"]["expected"] == 25


def test_another_policy_is_tried_anew(store: Store) -> None:
    """Trap: a prior does not depend on what a policy makes of it, a forecast does."""
    first = pilot(UNTIL_PASS)
    earlier = run(first, FakeServer(say=sometimes(0.1)), shard(store, problems=PROBLEMS))
    other = pilot({**UNTIL_PASS, "max": 8})
    server = FakeServer(say=sometimes(0.1))
    output = run(other, server, _again(store, shard(store, problems=PROBLEMS), first, earlier))
    assert not output.carried
    assert server.requests


def test_a_teacher_that_never_passes_is_foreseen_at_its_cap(store: Store) -> None:
    output = run(pilot(UNTIL_PASS), FakeServer(say=sometimes(0.0)), shard(store, problems=PROBLEMS))
    found = foreseen(output)["samples"]
    assert (found["low"], found["expected"], found["high"]) == (240, 240, 240)


def test_a_server_that_refuses_takes_nothing(store: Store) -> None:
    inputs = shard(store, problems=PROBLEMS)
    server = FakeServer(context=1)
    found = foreseen(run(pilot(), server, inputs))
    assert found["completion_tokens"]["expected"] == 0


def test_arrival_changes_no_number_and_a_larger_pilot_pays_for_the_difference(store: Store) -> None:
    inputs = shard(store, problems=PROBLEMS)
    servers = [FakeServer(say=sometimes(0.5), seconds=s) for s in (None, lambda _p, _s: random.random() / 50)]
    found = [run(pilot(UNTIL_PASS), one, inputs, TRACEMILL_SAMPLES=str(n)) for n, one in enumerate(servers)]
    tokens = [pl.DataFrame(one.tables["piloted"]).drop("seconds").sort("problem_id") for one in found]
    assert tokens[0].equals(tokens[1])
    tried = set(tokens[0]["problem_id"])
    server = FakeServer(say=sometimes(0.5))
    larger = run(pilot(UNTIL_PASS, problems=40), server, inputs, TRACEMILL_SAMPLES="0")
    assert tried < {row["problem_id"] for row in larger.tables["piloted"].to_pylist()}
    texts = {one["prompt"] for one in PROBLEMS if one["id"] in tried}
    asked = [one["messages"][-1]["content"] for one in server.generated]
    assert asked
    assert not [one for one in asked if one.split("\n")[0] in texts]


SOURCES = [{"kind": "demo", "name": "d", "part": "maths"}]


def recipe(**steps: Any) -> Any:
    return parse_recipe({"name": "lone", "description": "", "sources": SOURCES, "steps": steps}, "here")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(None, "which no `distill` step after it asks", id="nobody asks the teacher"),
        pytest.param(distill(UNTIL_PASS), "forecast another teacher", id="another policy"),
        pytest.param(distill(samples=3), "forecast another teacher", id="another number of samples"),
        pytest.param(distill(problems="unverified"), "forecast other problems", id="other problems"),
    ],
)
def test_a_forecast_of_what_nobody_asks_is_refused(asked: Distill | None, said: str) -> None:
    steps = {"distill": asked.model_dump(mode="json")} if asked else {}
    with pytest.raises(RecipeError, match=said):
        recipe(pilot=pilot().model_dump(mode="json"), **steps)


def test_a_forecast_of_what_is_asked_is_taken() -> None:
    scope = {"where": {"category": ["math"]}, "sources": ["d"], "problems": "all"}
    asked = {**distill().model_dump(mode="json"), **scope}
    assert recipe(pilot=pilot(forecast={**scope, "share": 0.2}).model_dump(mode="json"), distill=asked)


def test_a_pilot_that_fits_no_prior_is_none_for_a_policy_that_needs_one() -> None:
    """Trap: a pilot of the same model whose policy needs no prior."""
    tried = pilot(UNTIL_PASS).model_dump(mode="json")
    steps = {"pilot": tried, "first": distill(UNTIL_PASS), "second": distill(DECIDED)}
    with pytest.raises(RecipeError, match="step 'second': policy until_decided has no prior"):
        recipe(**{name: one if isinstance(one, dict) else one.model_dump(mode="json") for name, one in steps.items()})


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5, float("nan")])
def test_shares_that_are_none_are_refused(share: float) -> None:
    with pytest.raises(ValidationError):
        pilot(forecast={"share": share})
