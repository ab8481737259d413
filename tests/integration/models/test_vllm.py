"""The real server: distilling, continuing, perplexity, refusals, and the ways in which it does not come up."""

from __future__ import annotations

import json
import math
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.build.shard import generation, ledger, problem, shard
from tests.integration.models.conftest import FLAGS, embedded
from tracemill.distill.step import Distill
from tracemill.engine.resources import Resources
from tracemill.engine.runner import reconcile
from tracemill.engine.step import Inputs, Output, Step
from tracemill.engine.store import Store
from tracemill.errors import RecipeError, ServingError
from tracemill.judge.perplexity import Perplexity
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.model import Model, Serve
from tracemill.models.server.guard import descendants
from tracemill.models.server.process import Server

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def run(step: Step, server: Server, inputs: Inputs) -> Output:
    endpoints = {server.model.name: [{"url": server.url, "model": server.model.name}]}
    output = step.run(Resources(environment={ENDPOINTS: json.dumps(endpoints)}), inputs)
    reconcile("tested", step, inputs, output)
    return output


def distill(server: Server, **teacher: Any) -> Distill:
    model = server.model.model_dump()
    settings = {"kind": "chat", "model": model, "directives": {}, "sampling": {"max_tokens": 300}, **teacher}
    return TypeAdapter(Distill).validate_python({"kind": "distill", "teacher": settings})


def test_an_embedded_teacher_reasons_and_answers(store: Store, teacher: Server) -> None:
    inputs = shard(store, problems=[problem(f"p{n}", f"Calculate {n} + {n + 3}.") for n in range(24)])
    output = run(distill(teacher, samples=2), teacher, inputs)
    traces = output.tables["generations"].to_pylist()
    assert len(traces) == 48
    assert sum(trace["style"] == "am" for trace in traces) > 24
    right = sum(f"\\boxed{{{2 * int(t['problem_id'][1:]) + 3}}}" in (t["answer_content"] or "") for t in traces)
    assert right > 12
    assert all(trace["completion_tokens"] > 0 and trace["seconds"] > 0 for trace in traces)


def test_a_cut_trace_is_continued_by_the_real_server(store: Store, teacher: Server) -> None:
    inputs = shard(store, problems=[problem(f"p{n}", f"Calculate {n} + {n + 30}.") for n in range(8)])
    step = distill(teacher, sampling={"temperature": 0, "max_tokens": 12}, continue_to=300)
    output = run(step, teacher, inputs)
    assert output.tables["continuations"].num_rows == 8
    whole = run(distill(teacher, sampling={"temperature": 0, "max_tokens": 300}), teacher, inputs)
    halves, wholes = (o.tables["generations"].to_pylist() for o in (output, whole))
    same = sum(a["answer_content"] == b["answer_content"] for a, b in zip(halves, wholes, strict=True))
    assert same >= 6  # greedy: only rounding may tell them apart


@pytest.mark.parametrize("cut", [{}, {"sampling": {"temperature": 0, "max_tokens": 12}, "continue_to": 200}], ids=str)
def test_the_log_probabilities_of_a_trace_are_as_many_as_its_tokens(
    store: Store, teacher: Server, cut: dict[str, Any]
) -> None:
    """Whole and continued ones; the chosen token's own number is, rounded, the one among the likeliest."""
    inputs = shard(store, problems=[problem(f"p{n}", f"Calculate {n} + {n + 30}.") for n in range(6)])
    output = run(distill(teacher, logprobs=20, **cut), teacher, inputs)
    tokens = {row["id"]: row["completion_tokens"] for row in output.tables["generations"].to_pylist()}
    rows = output.tables["token_logprobs"].to_pylist()
    assert Counter(row["generation_id"] for row in rows) == tokens
    assert bool(output.tables["continuations"].num_rows) is bool(cut)
    for row in rows:
        assert row["top_logprobs"] == sorted(row["top_logprobs"], reverse=True)
        assert len(set(row["top_tokens"])) == 20
        assert row["logprob"] <= 0.0
        if row["token"] in row["top_tokens"]:
            near = row["top_logprobs"][row["top_tokens"].index(row["token"])]
            assert near == pytest.approx(row["logprob"], rel=1e-3, abs=1e-6)


def test_many_long_prompts_at_once_do_not_end_the_engine(store: Store, teacher: Server) -> None:
    """Trap: vLLM splits what does not fit into one step, and a seeded request in two parts ends the engine on a CPU."""
    prompts = [f"Calculate {n} + {'7 + ' * 200}1." for n in range(16)]
    inputs = shard(store, problems=[problem(f"p{n}", prompt) for n, prompt in enumerate(prompts)])
    output = run(distill(teacher, sampling={"max_tokens": 8}), teacher, inputs)
    assert output.tables["generations"].num_rows == 16


def test_a_prompt_beyond_the_context_is_one_quarantined_row(store: Store, teacher: Server) -> None:
    inputs = shard(store, problems=[problem("long", "7 + " * 3000), problem("short", "Calculate 2 + 2.")])
    found = ledger(run(distill(teacher), teacher, inputs))
    assert found["long"] == ("quarantined", "too_long")
    assert found["short"] == ("kept", "distilled")


def test_a_budget_beyond_the_context_is_an_error_of_the_recipe(store: Store, teacher: Server) -> None:
    inputs = shard(store, problems=[problem("p", "Calculate 2 + 2.")])
    with pytest.raises(RecipeError, match=r"Lower sampling\.max_tokens"):
        run(distill(teacher, sampling={"max_tokens": 4096}), teacher, inputs)


def test_perplexity_tells_sense_from_noise(store: Store, teacher: Server) -> None:
    inputs = shard(
        store,
        problems=[problem("p", "Calculate 2 + 3.")],
        generations=[generation("sense", "p", "\\boxed{5}"), generation("noise", "p", "qzj#x vv}}{ 9 kk")],
    )
    settings = {"kind": "perplexity", "model": teacher.model.model_dump(), "text": "answer", "cut": None}
    output = run(TypeAdapter(Perplexity).validate_python(settings), teacher, inputs)
    found = {row["generation_id"]: row["value"] for row in output.tables["measurements"].to_pylist()}
    assert 1 < found["sense"] < found["noise"] < math.inf


def test_a_students_fit_is_that_of_the_response_alone(store: Store, teacher: Server) -> None:
    """The ranks come with the log-probabilities in one request; the prompt's own tokens are none of the response's."""
    inputs = shard(
        store,
        problems=[problem("p", "Calculate 2 + 3."), problem("q", "Calculate 2 + 3. " * 20)],
        generations=[generation("short", "p", "\\boxed{5}"), generation("long", "q", "\\boxed{5}")],
    )
    settings = {"kind": "perplexity", "model": teacher.model.model_dump(), "text": "answer", "cut": None, "rsr": True}
    output = run(TypeAdapter(Perplexity).validate_python(settings), teacher, inputs)
    found = {(row["generation_id"], row["metric"]): row for row in output.tables["measurements"].to_pylist()}
    ranks = {row["generation_id"]: row for row in output.tables["ranks"].to_pylist()}
    own = {found[name, "rsr"]["tokens"] for name in ("short", "long")}
    assert own == {ranks["short"]["own"]} == {ranks["long"]["own"]}
    for name, kept in ranks.items():
        assert len(kept["ranks"]) == found[name, "perplexity"]["tokens"] > kept["own"] > 0
        assert min(kept["ranks"]) >= 1
        assert found[name, "rsr"]["value"] > 0


@pytest.mark.parametrize(
    ("model", "error", "said"),
    [
        pytest.param(
            Model(name="x", weights="nobody/nothing", revision="abc", serve=Serve(start_timeout=300)),
            RecipeError, "no such model", id="unknown model",
        ),
        pytest.param(
            embedded("teacher-small", serve=Serve(flags=(*FLAGS, "--no-such-flag"), start_timeout=300)),
            RecipeError, "serve.flags", id="unknown flag",
        ),
        pytest.param(
            embedded("teacher-small", serve=Serve(start_timeout=1)),
            ServingError, "was not healthy after", id="never healthy",
        ),
    ],
)  # fmt: skip
def test_a_server_that_does_not_come_up_says_why_and_leaves_nothing(
    tmp_path: Path, model: Model, error: type[Exception], said: str
) -> None:
    machine = Resources(environment={**os.environ, "HF_HUB_OFFLINE": "1"})
    with Server(model, machine, 0, tmp_path / "log") as server, pytest.raises(error, match=said):
        server.start()
    assert list(descendants(server.pid)) == []


def test_killing_the_engine_ends_the_whole_server(tmp_path: Path) -> None:
    """Last, because it is the dearest: a server of its own, whose API process is killed while its engine lives."""
    with Server(embedded("teacher-small"), Resources(), 0, tmp_path / "log") as server:
        server.start()
        below = list(descendants(server.pid))
        assert len(below) >= 2, "vLLM used to have an API process and an engine"
        os.kill(below[0], signal.SIGKILL)
        assert server._process is not None
        assert server._process.wait(60) == 128 + signal.SIGKILL
        with pytest.raises(ServingError, match="ended with code 137"):
            server.check()
        assert not any(Path(f"/proc/{pid}").exists() for pid in below)
