"""Sampling policies: what they add to a recipe, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.build.shard import MODEL, problem, run, shard
from tracemill.distill.step import Distill
from tracemill.engine.store import Store
from tracemill.models.fake import FakeServer


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def distill(**teacher: Any) -> Distill:
    settings = {"kind": "chat", "model": MODEL, "sampling": {"max_tokens": 50}, **teacher}
    return TypeAdapter(Distill).validate_python({"kind": "distill", "teacher": settings})


def test_the_policy_that_was_always_there_adds_nothing_to_a_recipe_or_a_fingerprint(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "hi")])
    said = distill(samples=2, policy={"kind": "fixed"})
    assert said.settings(inputs) == distill(samples=2).settings(inputs)
    assert "policy" not in said.model_dump_json()
    assert "policy" not in str(said.settings(inputs))


def test_a_fixed_number_is_sent_at_once_and_every_sample_counts(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "first"), problem("q", "second")])
    server = FakeServer(faults={2: 400})
    output = run(distill(samples=3, policy={"kind": "fixed"}), server, inputs)
    found = output.tables["generations"].to_pylist()
    assert [(row["problem_id"], row["sample_index"]) for row in found] == [
        ("p", 0),
        ("p", 2),
        ("q", 0),
        ("q", 1),
        ("q", 2),
    ]
