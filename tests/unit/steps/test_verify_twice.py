"""Verify before and after distilling: nothing is judged twice, and what is deferred is a judge's to decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.unit.serving.shard import generation, ledger, problem, run, shard
from tracemill.serving.fake import FakeServer
from tracemill.shards import Store
from tracemill.steps.base import Inputs
from tracemill.steps.verify import Verify


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def verify(**settings: Any) -> Verify:
    return TypeAdapter(Verify).validate_python({"kind": "verify", "verifiers": [{"kind": "math"}], **settings})


def four(store: Store, verdicts: list[dict[str, Any]]) -> Inputs:
    return shard(
        store,
        problems=[problem("p", "2 + 2?", reference_answer="4", category="math")],
        generations=[generation("right", "p", "\\boxed{4}"), generation("wrong", "p", "\\boxed{5}")],
        verdicts=verdicts,
    )


def test_deferred_fails_stay_alive_with_their_verdict(store: Store) -> None:
    output = run(verify(defer=True), FakeServer(), four(store, []))
    assert ledger(output) == {"right": ("kept", None), "wrong": ("kept", "deferred")}
    assert {v["generation_id"]: v["status"] for v in output.tables["verdicts"].to_pylist()} == {
        "right": "pass",
        "wrong": "fail",
    }


def test_an_earlier_verdict_of_the_same_verifier_stands_and_is_not_written_again(store: Store) -> None:
    earlier = {"generation_id": "wrong", "problem_id": "p", "verifier": "math", "status": "pass", "score": 1.0}
    output = run(verify(), FakeServer(), four(store, [earlier]))
    assert ledger(output) == {"right": ("kept", None), "wrong": ("kept", None)}
    assert [v["generation_id"] for v in output.tables["verdicts"].to_pylist()] == ["right"]


def test_another_verifiers_verdict_changes_nothing(store: Store) -> None:
    earlier = {"generation_id": "wrong", "problem_id": "p", "verifier": "code", "status": "pass", "score": 1.0}
    output = run(verify(), FakeServer(), four(store, [earlier]))
    assert ledger(output)["wrong"][0] == "rejected"
