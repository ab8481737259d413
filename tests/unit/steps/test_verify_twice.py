"""Verify before and after distilling: nothing is judged twice, and what is deferred is a judge's to decide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.build.shard import MODEL, generation, ledger, problem, run, shard
from tracemill.engine.step import Inputs, Output
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.judge.judge import JudgeResponses
from tracemill.models.fake import FakeServer
from tracemill.select.select import Select
from tracemill.verify.step import Verify


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


def after(store: Store, inputs: Inputs, output: Output, step: str) -> Inputs:
    """What the step behind sees: the same shard with what this step wrote."""
    tables = {**output.tables, "ledger": output.ledger}
    stored = {name: store.put_table(table, step, 0, name) for name, table in tables.items()}
    counts = Counts(entered=output.ledger.num_rows, kept=0, rejected={}, quarantined={})
    manifest = Manifest(step=step, index=0, fingerprint="f", unit="generation", counts=counts, tables=stored)
    return Inputs(store, 0, {0: [*inputs.sealed[0], manifest]}, [], 1)


def test_a_broken_instruction_is_released_by_no_right_sum_and_no_judge(store: Store) -> None:
    constraints = {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    sums = {"reference_answer": "4", "category": "math", "constraints": json.dumps(constraints)}
    inputs = shard(
        store,
        problems=[problem("p", "2 + 2?", **sums)],
        generations=[
            generation("good", "p", r"\boxed{4}"),
            generation("comma", "p", r"Well, \boxed{4}"),
            generation("odd", "p", r"The answer is \boxed{5}"),
            generation("both", "p", r"Well, \boxed{5}"),
        ],
    )
    verifiers = [{"kind": "math"}, {"kind": "instruction"}]
    first = run(verify(verifiers=verifiers, defer=True), FakeServer(), inputs)
    assert ledger(first) == {
        "good": ("kept", None),
        "comma": ("kept", "deferred"),
        "odd": ("kept", "deferred"),
        "both": ("kept", "deferred"),
    }
    server = FakeServer(say=lambda prompt, seed: '{"correctness": "5",}')
    judge = TypeAdapter(JudgeResponses).validate_python(
        {"kind": "judge", "judge": {"kind": "correctness", "model": MODEL}}
    )
    later = after(store, inputs, first, "verify")
    output = run(judge, server, later)
    assert ledger(output) == {
        "good": ("kept", None),
        "comma": ("rejected", "instruction_not_followed"),
        "odd": ("kept", None),
        "both": ("rejected", "instruction_not_followed"),
    }
    assert len(server.requests) == 1
    select = TypeAdapter(Select).validate_python({"kind": "select", "responses_per_problem": 9})
    assert ledger(run(select, server, after(store, later, output, "judge"))) == {
        "good": ("kept", None),
        "odd": ("kept", None),
    }
