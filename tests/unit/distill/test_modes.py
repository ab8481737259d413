"""Modes: one teacher asked in several named ways, each with its own samples, keys and ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.build.shard import MODEL, problem, run, shard
from tracemill.distill.step import Distill
from tracemill.engine.store import Store
from tracemill.models.fake import FakeServer

MODES = {
    "brief": {"thinking": False, "system": "Be brief."},
    "hard": {"reasoning_effort": "high", "temperature": 1.0},
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def distill(kind: str = "chat", **teacher: Any) -> Distill:
    settings = {"kind": kind, "model": MODEL, "sampling": {"max_tokens": 50}, **teacher}
    return TypeAdapter(Distill).validate_python({"kind": "distill", "teacher": settings})


def test_every_problem_has_its_samples_in_each_mode(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "first"), problem("q", "second")])
    server = FakeServer(say=lambda prompt, seed: "the same whatever is asked")
    found = run(distill(samples=2, modes=MODES), server, inputs).tables["generations"].to_pylist()
    assert [(row["problem_id"], row["mode"], row["sample_index"]) for row in found] == [
        (name, mode, sample) for name in "pq" for mode in ("brief", "hard") for sample in (0, 1)
    ]
    assert len({row["id"] for row in found}) == 8
    assert len(server.requests) == 8


def test_a_mode_changes_what_is_asked_and_nothing_else(store: Store) -> None:
    server = FakeServer()
    run(distill(modes=MODES, system="Be polite."), server, shard(store, problems=[problem("p", "hi")]))
    brief, hard = server.requests
    assert [turn["content"] for turn in brief["messages"]] == ["Be brief.", "hi"]
    assert brief["chat_template_kwargs"] == {"enable_thinking": False, "thinking": False}
    assert [turn["content"] for turn in hard["messages"]] == ["Be polite.", "hi"]
    assert (hard["reasoning_effort"], hard["temperature"]) == ("high", 1.0)
    assert (brief["temperature"], "reasoning_effort" in brief) == (0.6, False)


def test_a_teacher_with_one_way_is_what_it_was(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "hi")])
    plain = run(distill(), FakeServer(), inputs)
    assert plain.tables["generations"]["mode"].null_count == 1
    assert "modes" not in str(distill().settings(inputs))
    assert "modes" not in distill().model_dump_json()


def test_a_mode_added_later_pays_for_itself_alone(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "hi")])
    first = run(distill(modes={"hard": MODES["hard"]}), FakeServer(), inputs)
    server = FakeServer()
    both = run(distill(modes=MODES), server, inputs)
    assert len(server.requests) == 1
    assert first.tables["generations"]["id"][0] == both.tables["generations"]["id"][1]


def test_a_policy_rules_each_mode_by_itself(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "3 + 4?", reference_answer="7")])
    policy = {"kind": "until_pass", "max": 4, "verifiers": [{"kind": "math"}]}
    server = FakeServer(say=lambda prompt, seed: f"\\boxed{{{7 if 'brief' in prompt else 8}}}")
    found = run(distill(modes=MODES, policy=policy), server, inputs).tables["generations"].to_pylist()
    assert [row["mode"] for row in found] == ["brief"] + ["hard"] * 4


@pytest.mark.parametrize(
    ("teacher", "said"),
    [
        pytest.param({"modes": {"a": {}}}, "changes nothing", id="an empty mode"),
        pytest.param({"modes": {"a": MODES["hard"], "b": MODES["hard"]}}, "'a' and 'b' ask for the same", id="twice"),
        pytest.param({"modes": {"Warm one": {"temperature": 1}}}, "pattern", id="a name that no path can have"),
        pytest.param({"modes": {"a": {"temperature": float("nan")}}}, "finite number", id="NaN"),
        pytest.param(
            {"samples": 2, "modes": {"cold": {"temperature": 0}}}, "Raise modes.cold.temperature", id="cold, twice"
        ),
        pytest.param({"kind": "completion", "modes": {"a": {"system": "x"}}}, "chat template", id="no chat template"),
    ],
)
def test_modes_that_cannot_be_meant_are_refused(teacher: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        distill(**teacher)
