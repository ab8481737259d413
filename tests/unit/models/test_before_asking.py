"""What is found out before anything is asked: the prompt that a template makes, and whether a model fits here."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.build.asks import ask, model
from tests.build.shard import resources
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.models.fake import FakeServer
from tracemill.models.fits import gpu_memories, require_fit
from tracemill.models.model import Model, Serve
from tracemill.models.rendering import check
from tracemill.models.request import Ask, Reply
from tracemill.models.session import Feed
from tracemill.models.transport import Response


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("<|im_start|>assistant\n<think>\n\n</think>\n\n<think>\n", id="a template that closes at once"),
        pytest.param("<Assistant></think><think>", id="a hybrid model that was not told to think"),
        pytest.param("<Assistant><think>\n<think>\n", id="a template that opens the thought itself"),
    ],
)
def test_a_prefix_that_the_template_contradicts_is_refused(prompt: str) -> None:
    with pytest.raises(RecipeError, match=r"Remove teacher\.prefix"):
        check("tiny", prompt)


@pytest.mark.parametrize(
    "prompt",
    ["<Assistant><think>\n", "<Assistant>", "What does </think><think> mean?<Assistant><think>\n"],
)
def test_a_prompt_that_opens_one_thought_is_let_through(prompt: str) -> None:
    check("tiny", prompt)


def test_the_contradiction_is_found_before_the_first_request(store: Store) -> None:
    class Closing(FakeServer):
        def tokenize(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
            return {"tokens": [ord(c) for c in "<Assistant></think><think>"]}

        async def post(self, url: str, *rest: Any) -> Any:
            answer = await super().post(url, *rest)
            if url.endswith("/tokenize"):
                answer.data.update(self.tokenize("", {}))
            return answer

    server = Closing()
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "<think>"}]
    prefixed = Ask("/v1/chat/completions", {"messages": turns, "continue_final_message": True, "seed": 1})
    with pytest.raises(RecipeError, match="closes the thought"):
        Feed(model(), store, resources(server), "near").answers([prefixed])
    assert {request["path"] for request in server.requests} == {"/tokenize", "/detokenize"}


API = {"url": "http://fake/v1", "model": "tiny"}
HOSTED = {**API, "url": "https://api.openai.com/v1"}
KNOWN = "the first prompt as the model gets it: hello"
UNKNOWN = "the prompt as the model gets it cannot be known"


class Bare(FakeServer):
    """An engine that lists its models and has no route that shows a prompt, as an old one or one behind a proxy."""

    async def post(self, url: str, *rest: Any) -> Any:
        answer = await super().post(url, *rest)
        return Response(404, {}, {"detail": "Not Found"}) if "tokenize" in url else answer


def told(store: Store, server: FakeServer, asking: Model, request: Ask, caplog: pytest.LogCaptureFixture) -> str:
    """What is said of the prompt before the answer to that request comes."""
    caplog.set_level(logging.INFO)
    machine = resources(server) if asking.api is None else Resources(1, environment={}, transport=server)
    (found,) = Feed(asking, store, machine, "near").answers([request])
    assert isinstance(found, Reply)
    (line,) = [record.getMessage() for record in caplog.records if "as the model gets it" in record.getMessage()]
    return line


@pytest.mark.parametrize(
    ("server", "api", "line"),
    [
        pytest.param(FakeServer(owner="vllm"), None, KNOWN, id="a connection to an engine"),
        pytest.param(FakeServer(owner="vllm"), API, KNOWN, id="an engine behind an API"),
        pytest.param(FakeServer(owner="vllm"), {**API, "profile": "compatible"}, KNOWN, id="one that takes everything"),
        pytest.param(FakeServer(owner="acme"), None, UNKNOWN, id="a connection to nobody knows what"),
        pytest.param(FakeServer(), API, UNKNOWN, id="an API without a list of models"),
        pytest.param(FakeServer(owner="vllm"), HOSTED, UNKNOWN, id="a provider, whoever lists its models"),
        pytest.param(Bare(owner="vllm"), None, UNKNOWN, id="an engine that shows none"),
    ],
)
def test_a_named_endpoint_shows_its_prompt_or_one_line_says_that_nobody_tells(
    store: Store, server: FakeServer, api: dict[str, Any] | None, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    asking = Model.model_validate({"name": "tiny", "api": api}) if api else model()
    assert line in told(store, server, asking, ask(), caplog)
    looked = [request["path"] for request in server.requests if "tokenize" in request["path"]]
    assert bool(looked) is (line == KNOWN or isinstance(server, Bare)), "nobody else is sent a route of vLLM's"


def test_what_a_recipe_says_of_thinking_reaches_the_template_that_is_shown(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Trap: /tokenize takes no reasoning_effort, so the prompt of a model without a thought would be shown."""
    server = FakeServer(owner="vllm")
    body = {**ask().body, "reasoning_effort": "high", "chat_template_kwargs": {"tools": 1}}
    told(store, server, model(), Ask("/v1/chat/completions", body), caplog)
    sent = server.requests[0]
    assert sent["path"] == "/tokenize"
    assert sent["chat_template_kwargs"] == {"enable_thinking": True, "tools": 1, "reasoning_effort": "high"}


def test_a_contradiction_is_found_behind_an_api_too_before_anything_is_paid(store: Store) -> None:
    class Closing(FakeServer):
        def detokenize(self, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
            return {"prompt": "<Assistant></think><think>"}

        async def post(self, url: str, *rest: Any) -> Any:
            answer = await super().post(url, *rest)
            return Response(200, {}, self.detokenize("", {})) if url.endswith("/detokenize") else answer

    server = Closing(owner="vllm")
    with pytest.raises(RecipeError, match="closes the thought"):
        Feed(
            Model.model_validate({"name": "tiny", "api": API}),
            store,
            Resources(1, environment={}, transport=server),
            "near",
        ).answers([ask()])
    assert server.generated == []


def test_a_completion_without_a_number_gets_the_rest_of_the_context(store: Store) -> None:
    """Trap: vLLM's /v1/completions gives 16 tokens where max_tokens is not said."""
    server = FakeServer()
    found = Feed(model(), store, resources(server), "near").answers([Ask("/v1/completions", {"prompt": "four"})])
    assert isinstance(found[0], Reply)
    assert server.requests[-1]["max_tokens"] == 100_000 - 4


def nvidia(folder: Path, *megabytes: int) -> Resources:
    """A machine whose nvidia-smi lists GPUs of these sizes."""
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n" + "".join(f"echo {size}\n" for size in megabytes))
    program.chmod(0o755)
    return Resources(workers=1, environment={"PATH": f"{folder}:/usr/bin:/bin"})


def folder_of(path: Path, megabytes: int) -> Path:
    path.mkdir()
    (path / "config.json").write_text("{}")
    with (path / "model.safetensors").open("wb") as file:
        file.truncate(megabytes << 20)
    return path


@pytest.mark.parametrize(
    ("megabytes", "parallel", "said"),
    [
        pytest.param(10, 4, "asks for 4 GPUs .* this node has 2", id="more GPUs than there are"),
        pytest.param(3000, 2, r"GB each, and a GPU here has", id="more memory than there is"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(
    tmp_path: Path, megabytes: int, parallel: int, said: str
) -> None:
    machine = nvidia(tmp_path, 1000, 1000)
    weights = folder_of(tmp_path / "weights", megabytes)
    with pytest.raises(RecipeError, match=said):
        require_fit(Model(name="x", weights=str(weights), serve=Serve(tensor_parallel=parallel)), machine)


def test_a_model_that_fits_is_let_through_and_so_is_a_machine_without_a_gpu(tmp_path: Path) -> None:
    weights = folder_of(tmp_path / "weights", 1500)
    fitting = Model(name="x", weights=str(weights), serve=Serve(tensor_parallel=2))
    require_fit(fitting, nvidia(tmp_path, 1000, 1000))
    require_fit(fitting, Resources(workers=1, environment={"PATH": "/nowhere"}))
    assert gpu_memories({"PATH": "/nowhere"}) == []
