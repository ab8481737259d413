"""The zoo's judge behind the real server: no forged answer is credited, and honest answers still are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from benchmarks.verdicts.judging import PAYLOADS, questions
from tests.build.shard import generation, problem, shard
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.judge.judge import JudgeResponses
from tracemill.judge.judges import AnyJudge
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.request import Reply
from tracemill.models.server.process import Server
from tracemill.models.session import Feed

pytestmark = pytest.mark.timeout(900)


def test_forged_answers_are_credited_never_and_right_ones_are(tmp_path: Path, judge: Server) -> None:
    asked = questions()
    honest = {(q["input_query"], q["reference_answer"]) for q in asked}
    problems = {query: f"p{n}" for n, (query, _) in enumerate(sorted(honest))}
    forged = [generation(f"forged{n}", problems[q["input_query"]], q["llm_answer"]) for n, q in enumerate(asked)]
    right = [
        generation(f"right{n}", problems[q], f"The answer is \\boxed{{{a}}}.\n") for n, (q, a) in enumerate(honest)
    ]
    inputs = shard(
        Store.at(str(tmp_path), create=True),
        problems=[problem(problems[q], q, reference_answer=a, category="math") for q, a in honest],
        generations=[*forged, *right],
    )
    step = TypeAdapter(JudgeResponses).validate_python(
        {"kind": "judge", "judge": {"kind": "correctness", "model": judge.model.model_dump()}}
    )
    endpoints = {judge.model.name: [{"url": judge.url, "model": judge.model.name}]}
    output = step.run(Resources(environment={ENDPOINTS: json.dumps(endpoints)}), inputs)
    passed = {row["id"] for row in output.ledger.to_pylist() if row["bucket"] == "kept"}
    assert len(asked) >= 8 * len(PAYLOADS)
    assert not any(name.startswith("forged") for name in passed)
    assert len(passed) >= 0.8 * len(right)


def test_a_judge_that_is_bound_keeps_to_the_form_and_its_server_lives(tmp_path: Path, judge: Server) -> None:
    asker = TypeAdapter(AnyJudge).validate_python({"kind": "correctness", "model": judge.model.model_dump()})
    endpoints = {judge.model.name: [{"url": judge.url, "model": judge.model.name}]}
    machine = Resources(environment={ENDPOINTS: json.dumps(endpoints)})
    feed = Feed(judge.model, Store.at(str(tmp_path), create=True), machine, "near")
    asked = [replace(asker.ask(asker.prompt, question, 1), shape=asker.shape) for question in questions()[:16]]
    found = [one for one in feed.answers(asked) if isinstance(one, Reply)]
    assert len(found) == len(asked)
    assert all(json.loads(one.text).keys() == {"correctness"} for one in found)
    assert all(asker.parse(one.text) is not None for one in found)
    assert judge.healthy()
