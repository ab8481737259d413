"""Sampling until one trace is verified: nothing but the samples' order decides which of them count."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tests.build.sampled import RIGHT, rows, sometimes
from tests.build.shard import MODEL, ledger, problem, resources, run, shard
from tracemill.distill.step import Distill
from tracemill.engine.keys import samples_root
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.models.fake import FakeServer
from tracemill.models.samples import SampleStore
from tracemill.models.sampling import seed_of
from tracemill.models.transport import Response
from tracemill.recipe import parse_recipe
from tracemill.verify.math.verifier import MathVerifier

PROJECT = Path(__file__).parents[3]
PROBLEMS = [problem(f"p{n}", f"What is {n} + {RIGHT - n}?", reference_answer=str(RIGHT)) for n in range(6)]
MATH = {"kind": "until_pass", "max": 6, "verifiers": [{"kind": "math"}]}


def distill(policy: Mapping[str, Any] | None = None, concurrency: int = 4, **teacher: Any) -> Distill:
    model = {**MODEL, "serve": {"concurrency": concurrency}}
    settings = {"kind": "chat", "model": model, "sampling": {"max_tokens": 50}, **teacher}
    settings |= {"policy": policy} if policy else {}
    return TypeAdapter(Distill).validate_python({"kind": "distill", "teacher": settings, "problems": "all"})


def curtailed(fixed: list[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
    """Of the rows of a fixed number, those up to the first right answer of each problem."""
    solved: set[str] = set()
    kept = []
    for row in fixed:
        if row[0] not in solved:
            kept.append(row)
        if f"{{{RIGHT}}}" in row[2]:
            solved.add(row[0])
    return kept


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0], ids=["never right", "sometimes right", "always right"])
def test_the_rows_are_those_of_a_fixed_number_up_to_the_first_that_passes(tmp_path: Path, share: float) -> None:
    few, all_ = (Store.at(str(tmp_path / name), create=True) for name in ("few", "all"))
    server = FakeServer(say=sometimes(share))
    found = run(distill(MATH), server, shard(few, problems=PROBLEMS))
    fixed = run(distill(samples=6), FakeServer(say=sometimes(share)), shard(all_, problems=PROBLEMS))
    assert rows(found) == curtailed(rows(fixed))
    assert len(server.requests) < 36 or share == 0
    assert {bucket for bucket, _ in ledger(found).values()} == {"kept"}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.integers(0, 1 << 30), share=st.sampled_from([0.2, 0.5, 0.8]), breaks=st.lists(st.integers(1, 12)))
def test_arrival_order_and_restarts_change_no_row(
    tmp_path_factory: pytest.TempPathFactory, order: int, share: float, breaks: list[int]
) -> None:
    """Trap: a later sample that comes first and passes, or one that an earlier try had paid for."""
    expected = _told(tmp_path_factory, share)
    store = Store.at(str(tmp_path_factory.mktemp("shuffled")), create=True)
    inputs = shard(store, problems=PROBLEMS)
    chance = random.Random(order)
    step = distill(MATH, concurrency=chance.choice([1, 3, 16]))
    for death in breaks[:3]:
        with contextlib.suppress(Death):
            step.run(resources(Mortal(share, chance, death)), inputs)  # type: ignore[arg-type]
    found = run(step, FakeServer(say=sometimes(share), seconds=lambda p, s: chance.random() / 100), inputs)
    assert found.tables["generations"].drop(["seconds"]).equals(expected)


class Death(Exception):
    """What ends a try."""


class Mortal(FakeServer):
    """Ends the whole task at its n-th request, if it comes so far."""

    def __init__(self, share: float, chance: random.Random, death: int) -> None:
        super().__init__(say=sometimes(share), seconds=lambda p, s: chance.random() / 100)
        self.death = death

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], heard: Callable[[], None]) -> Response:
        if len(self.requests) + 1 >= self.death:
            raise Death
        return await super().post(url, body, headers, heard)


_known: dict[float, pa.Table] = {}


def _told(tmp_path_factory: pytest.TempPathFactory, share: float) -> pa.Table:
    if share not in _known:
        store = Store.at(str(tmp_path_factory.mktemp("plain")), create=True)
        found = run(distill(MATH), FakeServer(say=sometimes(share)), shard(store, problems=PROBLEMS))
        _known[share] = found.tables["generations"].drop(["seconds"])
    return _known[share]


KILLED = """
import os, signal, sys
from tests.unit.distill import test_until_pass as case
class Deadly(case.FakeServer):
    async def post(self, url, *rest):
        if len(self.requests) + 1 == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().post(url, *rest)
inputs = case.shard(case.Store.at(sys.argv[1]), problems=case.PROBLEMS)
case.distill(case.MATH).run(case.resources(Deadly(say=case.sometimes(0.4))), inputs)
"""


@pytest.mark.parametrize("at", [2, 9])
def test_a_killed_task_changes_no_row_and_loses_at_most_what_was_in_flight(tmp_path: Path, at: int) -> None:
    plain, killed = (Store.at(str(tmp_path / name), create=True) for name in ("plain", "killed"))
    whole = FakeServer(say=sometimes(0.4))
    expected = run(distill(MATH), whole, shard(plain, problems=PROBLEMS))
    command = [sys.executable, "-c", KILLED, killed.root, str(at)]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    rest = FakeServer(say=sometimes(0.4))
    found = run(distill(MATH), rest, shard(killed, problems=PROBLEMS))
    assert rows(found) == rows(expected)
    assert at - 1 + len(rest.requests) <= len(whole.requests) + 4


def test_what_an_earlier_run_paid_for_is_used_in_its_order_and_no_surplus_is_a_row(store: Store) -> None:
    inputs = shard(store, problems=PROBLEMS)
    fixed = run(distill(samples=6), FakeServer(say=sometimes(0.4)), inputs)
    silent = FakeServer(faults=dict.fromkeys(range(1, 99), 500))
    assert rows(run(distill(MATH), silent, inputs)) == curtailed(rows(fixed))
    assert silent.requests == []


def test_more_samples_cost_only_the_difference(store: Store) -> None:
    inputs = shard(store, problems=PROBLEMS)
    first = FakeServer(say=sometimes(0.4))
    run(distill(MATH), first, inputs)
    more = FakeServer(say=sometimes(0.4))
    run(distill(samples=6), more, inputs)
    assert len(first.generated) + len(more.generated) - first.closed == 36


def test_a_problem_that_no_verifier_can_judge_has_the_samples_of_the_teacher(store: Store) -> None:
    inputs = shard(store, problems=[problem("chat", "Tell me a joke."), *PROBLEMS[:1]])
    found = rows(run(distill(MATH, samples=2), FakeServer(say=sometimes(0.0)), inputs))
    assert [name for name, _, _ in found] == ["chat"] * 2 + ["p0"] * 6


def test_a_refused_sample_ends_its_problem_alone(store: Store) -> None:
    inputs = shard(store, problems=[problem("long", "word " * 60, reference_answer="7"), *PROBLEMS[:1]])
    server = FakeServer(say=sometimes(0.0), context=40)
    found = run(distill(MATH), server, inputs)
    assert ledger(found)["long"] == ("quarantined", "too_long")
    assert len(rows(found)) == 6
    assert len(server.requests) == 7


@pytest.mark.parametrize(("continue_to", "samples"), [(None, 6), (80, 1)], ids=["cut is no pass", "whole after all"])
def test_a_cut_trace_is_judged_once_it_is_whole(store: Store, continue_to: int | None, samples: int) -> None:
    said = f"<think>\n{'so ' * 60}\n</think>\n<answer>\\boxed{{{RIGHT}}}</answer>"
    inputs = shard(store, problems=PROBLEMS[:1])
    found = run(distill(MATH, continue_to=continue_to), FakeServer(say=lambda prompt, seed: said), inputs)
    assert len(rows(found)) == samples
    assert found.tables["continuations"].num_rows == (0 if continue_to is None else 1)


@pytest.mark.parametrize(
    ("teacher", "said"),
    [
        pytest.param({"policy": {**MATH, "verifiers": []}}, "at least 1 item", id="nobody judges, so it never passes"),
        pytest.param({"policy": {**MATH, "verifiers": [{"kind": "math"}] * 2}}, "named twice", id="one verifier twice"),
        pytest.param({"policy": {**MATH, "max": 1}}, "greater than or equal to 2", id="a cap of one decides nothing"),
        pytest.param({"policy": MATH, "samples": 9}, "samples is 9, and policy.max 6", id="more samples than the cap"),
        pytest.param({"policy": MATH, "sampling": {"temperature": 0}}, "policy.max is 6 at temp", id="all the same"),
        pytest.param({"policy": {**MATH, "max": float("nan")}}, "max", id="NaN"),
        pytest.param({"policy": {"kind": "fixed", "max": 3}}, "max", id="a cap of a fixed number"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(teacher: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        distill(**teacher)


def test_a_verifier_has_one_meaning_in_policy_and_step() -> None:
    step = distill(MATH).model_dump(mode="json")
    verify = {"kind": "verify", "verifiers": [{"kind": "math", "cpu_seconds": 1}]}
    data = {"name": "both", "description": "", "sources": [{"kind": "demo", "name": "d", "part": "maths"}]}
    with pytest.raises(RecipeError, match="steps 'distill' and 'verify' give verifier 'math' different settings"):
        parse_recipe({**data, "steps": {"distill": step, "verify": verify}}, "here")


def test_the_version_of_a_policys_verifier_is_part_of_the_fingerprint(store: Store) -> None:
    found = distill(MATH).settings(shard(store, problems=PROBLEMS))["teacher"]["policy"]
    assert found["verifiers"][0]["version"] == MathVerifier.version


def _third_at_once_and_fourth_late(prompt: str, seed: int) -> float:
    return 30.0 if seed == seed_of(prompt, 0, 3) else 0.0


def test_what_is_decided_is_closed_at_the_server_and_counts_nowhere(store: Store) -> None:
    """The third sample passes while the fourth, of the same wave, has half a minute to go."""
    (asked,) = PROBLEMS[:1]
    right = seed_of(asked["prompt"], 0, 2)
    server = FakeServer(
        say=lambda prompt, seed: f"\\boxed{{{RIGHT if seed == right else 99}}}", seconds=_third_at_once_and_fourth_late
    )
    machine = resources(server)
    output = distill(MATH, directives={}).run(machine, shard(store, problems=[asked]))
    assert [sample for _, sample, _ in rows(output)] == [0, 1, 2]
    assert server.closed == 1
    spent = machine.made_with["model tiny"]
    assert (spent["paid"], spent["endings"]) == (3, {"stop": 3, "cancelled": 1})
    kept = SampleStore(samples_root(store, machine), "org/tiny@abc")
    assert kept.drop("stop") == 3
    assert kept.drop("cancelled") == 0


def test_a_loop_that_the_server_ended_is_no_pass_and_its_tokens_are_told(store: Store) -> None:
    server = FakeServer(say=sometimes(1.0), faults={1: {"finish_reason": "repetition"}})
    machine = resources(server)
    output = distill(MATH).run(machine, shard(store, problems=PROBLEMS[:1]))
    assert output.tables["generations"]["finish_reason"].to_pylist() == ["repetition", "stop"]
    assert machine.made_with["model tiny"]["endings"] == {"repetition": 1, "stop": 1}
    assert machine.made_with["model tiny"]["ending_tokens"]["repetition"] > 0
