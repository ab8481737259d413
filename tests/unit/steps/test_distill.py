"""Distil: who gets new traces, what a trace becomes, and what is paid for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.build.shard import MODEL, generation, ledger, problem, run, shard, turned_away
from tracemill.distill.step import Distill
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.models.fake import FakeServer


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def distill(samples: int = 1, problems: str = "unverified", **teacher: Any) -> Distill:
    settings = {"kind": "chat", "model": MODEL, "samples": samples, "sampling": {"max_tokens": 50}, **teacher}
    return TypeAdapter(Distill).validate_python({"kind": "distill", "teacher": settings, "problems": problems})


def traces(output: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = output.tables["generations"].to_pylist()
    return found


def test_only_problems_without_a_verified_living_response_are_distilled(store: Store) -> None:
    inputs = shard(
        store,
        problems=[problem(p, f"question {p}") for p in ("fresh", "verified", "failed", "fallen", "dead")],
        generations=[generation("g1", "verified"), generation("g2", "failed"), generation("g3", "fallen")],
        verdicts=[
            {"generation_id": "g1", "problem_id": "verified", "status": "pass"},
            {"generation_id": "g2", "problem_id": "failed", "status": "unverifiable"},
            {"generation_id": "g3", "problem_id": "fallen", "status": "pass"},
        ],
        ledger=[turned_away("generation", "g3"), turned_away("problem", "dead")],
    )
    output = run(distill(), FakeServer(), inputs)
    assert {t["problem_id"] for t in traces(output)} == {"fresh", "failed", "fallen"}
    assert ledger(output)["verified"] == ("kept", "verified")
    assert "dead" not in ledger(output)


def test_a_trace_is_split_and_carries_what_it_cost(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "2 + 2?", category="math")])
    server = FakeServer(say=lambda prompt, seed: "<think>four</think>\n<answer>\\boxed{4}</answer>")
    (trace,) = traces(run(distill(source="am-tiny"), server, inputs))
    assert (trace["style"], trace["think_content"], trace["answer_content"]) == ("am", "four", "\\boxed{4}")
    assert (trace["teacher"], trace["source"], trace["finish_reason"]) == ("tiny", "am-tiny", "stop")
    assert trace["completion_tokens"] > 0
    assert trace["seconds"] >= 0
    assert "put your final answer within \\boxed{}" in server.requests[0]["messages"][0]["content"]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_that_the_server_took_apart_gives_the_same_trace(store: Store, field: str) -> None:
    inputs = shard(store, problems=[problem("p", "2 + 2?")])
    plain, apart = (
        traces(run(distill(), FakeServer(reasoning=r), inputs, TRACEMILL_SAMPLES=str(r))) for r in (None, field)
    )
    assert [t["id"] for t in plain] == [t["id"] for t in apart]


def test_samples_of_one_prompt_go_together_and_differ_in_seed(store: Store) -> None:
    inputs = shard(store, problems=[problem("a", "first"), problem("b", "second")])
    server = FakeServer()
    output = run(distill(samples=3), server, inputs)
    prompts = [request["messages"][0]["content"] for request in server.requests]
    assert prompts == ["first"] * 3 + ["second"] * 3
    assert len({request["seed"] for request in server.requests}) == 6
    assert [t["sample_index"] for t in traces(output)] == [0, 1, 2, 0, 1, 2]


def test_the_same_request_is_never_paid_twice_and_more_samples_cost_only_the_difference(store: Store) -> None:
    inputs = shard(store, problems=[problem("a", "first"), problem("b", "second")])
    server = FakeServer()
    first = run(distill(samples=2), server, inputs)
    again = run(distill(samples=2), server, inputs)
    assert len(server.requests) == 4
    assert first.tables["generations"].equals(again.tables["generations"])
    run(distill(samples=3), server, inputs)
    assert len(server.requests) == 6


def test_a_prompt_that_is_too_long_is_one_quarantined_row(store: Store) -> None:
    inputs = shard(
        store,
        problems=[problem("long", "word " * 30), problem("long_but_answered", "word " * 31), problem("short", "hi")],
        generations=[generation("g", "long_but_answered")],
    )
    found = ledger(run(distill(), FakeServer(context=20), inputs))
    assert found["long"] == ("quarantined", "too_long")
    assert found["long_but_answered"] == ("kept", "too_long")
    assert found["short"] == ("kept", "distilled")


def test_an_unknown_model_is_one_clear_error(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "hi")])
    with pytest.raises(RecipeError, match="does not serve model 'tiny'"):
        run(distill(), FakeServer(models=frozenset({"other"})), inputs)


def test_a_cut_trace_goes_on_where_it_was_cut_and_the_seam_is_marked(store: Store) -> None:
    whole = "<think> one two three four five six </think> the answer is seven"
    inputs = shard(store, problems=[problem("p", "count")])
    step = distill(sampling={"max_tokens": 4}, continue_to=40)
    output = run(step, FakeServer(say=lambda prompt, seed: whole), inputs)
    (trace,) = traces(output)
    (seam,) = output.tables["continuations"].to_pylist()
    assert trace["think_content"] == " one two three four five six "
    assert trace["finish_reason"] == "stop"
    assert whole[: seam["seam"]] == "<think> one two three"
    assert (seam["generation_id"], seam["tokens"], seam["limit"]) == (trace["id"], 4, 40)


def test_a_cut_trace_stays_cut_without_a_larger_budget(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "count")])
    output = run(distill(sampling={"max_tokens": 4}), FakeServer(say=lambda p, s: "<think> a b c d e f"), inputs)
    assert [t["finish_reason"] for t in traces(output)] == ["length"]
    assert output.tables["continuations"].num_rows == 0


def test_a_prefix_starts_every_trace_and_is_asked_for(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "hi")])
    server = FakeServer(say=lambda p, s: "deep</think>\n<answer>x</answer>")
    (trace,) = traces(run(distill(prefix="<think>\n"), server, inputs))
    assert (trace["style"], trace["think_content"]) == ("am", "\ndeep")
    assert server.requests[0]["messages"][-1] == {"role": "assistant", "content": "<think>\n"}
    assert server.requests[0]["continue_final_message"] is True


def test_where_a_model_runs_is_no_part_of_the_fingerprint(store: Store) -> None:
    inputs = shard(store, problems=[problem("p", "hi")])
    here = distill()
    there = distill(model={**MODEL, "serve": {"tensor_parallel": 8, "flags": ["--enforce-eager"]}})
    other = distill(model={**MODEL, "revision": "def"})
    assert here.settings(inputs) == there.settings(inputs)
    assert here.settings(inputs) != distill(samples=2).settings(inputs)
    assert other.models()[0].revision == "def"


def test_a_hub_model_must_be_pinned() -> None:
    with pytest.raises(ValueError, match="pin its revision"):
        distill(model={"name": "tiny", "weights": "org/tiny"})


@pytest.mark.parametrize(
    ("verdicts", "needed"),
    [
        pytest.param([("math", "pass")], False, id="verified"),
        pytest.param([("math", "pass"), ("instruction", "fail")], True, id="right, but against the instruction"),
        pytest.param([("math", "pass"), ("instruction", "unverifiable")], True, id="could not tell is no pass"),
        pytest.param([("math", "fail"), ("correctness:tiny", "pass")], False, id="the judge's second opinion"),
        pytest.param([("math", "fail")], True, id="the source's word does not outvote a fail of ours"),
        pytest.param([], False, id="the source's word alone"),
    ],
)
def test_a_problem_is_spared_only_where_its_verdicts_come_to_a_pass(
    store: Store, verdicts: list[tuple[str, str]], needed: bool
) -> None:
    inputs = shard(
        store,
        problems=[problem("p", "question")],
        generations=[generation("g", "p", source_verdict=True)],
        verdicts=[{"generation_id": "g", "problem_id": "p", "verifier": v, "status": s} for v, s in verdicts],
    )
    step = distill().model_copy(update={"verified_by": ("verdict", "source") if len(verdicts) < 2 else ("verdict",)})
    assert bool(traces(run(step, FakeServer(), inputs))) == needed


def test_only_problems_of_the_named_sources_are_asked(store: Store) -> None:
    problems = [problem("a", "first", source="aime"), problem("b", "second", source="math")]
    step = distill(problems="all").model_copy(update={"sources": ("math",)})
    output = run(step, FakeServer(), shard(store, problems=problems))
    assert {trace["problem_id"] for trace in traces(output)} == {"b"}
    assert ledger(output) == {"a": ("kept", "not_asked"), "b": ("kept", "distilled")}


def test_no_source_named_is_what_it_was() -> None:
    """Trap: a setting at its default in the fingerprint would have every shard distilled anew."""
    assert "sources" not in distill().model_dump(mode="json")
