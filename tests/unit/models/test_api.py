"""Models behind an API key: what is sent, what is kept secret, what enters a key, and what it may cost."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.build.asks import ask
from tracemill.distill.chat import ChatTeacher
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.judge.asker import Asker
from tracemill.models.api import Api, address
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.fake_raw import chunked, raw_server
from tracemill.models.model import Model, Serve, without_serving
from tracemill.models.pacing import Rate
from tracemill.models.purse import Purse
from tracemill.models.request import Ask, Reply
from tracemill.models.sampling import Sampling
from tracemill.models.session import Feed

SECRET = "sk-planted-0123456789"
URL = "https://api.deepseek.com/v1"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def model(**api: Any) -> Model:
    return Model.model_validate({"name": "r1", "api": {"url": URL, "model": "deepseek-reasoner", **api}})


def machine(server: FakeServer, **environment: str) -> Resources:
    return Resources(workers=1, environment=environment, transport=server)


def body(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "2+2"}], **Sampling().body("2+2", 0), **more}


@pytest.mark.parametrize(
    ("base", "there"),
    [
        ("https://api.deepseek.com", "https://api.deepseek.com/v1/chat/completions"),
        ("https://api.deepseek.com/v1", "https://api.deepseek.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://host/v1beta/openai", "https://host/v1beta/openai/chat/completions"),
        ("http://10.0.0.1:8000", "http://10.0.0.1:8000/v1/chat/completions"),
    ],
)
def test_an_address_may_be_given_with_and_without_its_version(base: str, there: str) -> None:
    assert address(base, "/v1/chat/completions") == there


@pytest.mark.parametrize("base", ["http://10.0.0.1:8000", "http://10.0.0.1:8000/v1", "http://10.0.0.1:8000/v1/"])
def test_an_engines_own_routes_lie_beside_its_version(base: str) -> None:
    """Trap: vLLM has /classify and /tokenize, and answers 404 to /v1/classify."""
    assert address(base, "/classify") == "http://10.0.0.1:8000/classify"


@pytest.mark.parametrize("key", [SECRET, "Bearer ${KEY}", "$KEY", "${KEY} "])
def test_a_literal_key_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="environment variable"):
        model(key=key)


@pytest.mark.parametrize("url", ["https://user:secret@host/v1", "https://host/v1?key=secret"])
def test_a_key_in_the_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="address holds"):
        model(url=url)


def test_a_key_that_is_not_set_is_named(store: Store) -> None:
    with pytest.raises(RecipeError, match="DEEPSEEK_KEY is not set"):
        Feed(model(key="${DEEPSEEK_KEY}"), store, machine(FakeServer()), "near").answers([ask()])


def test_a_key_is_taken_without_its_line_end_and_never_repeated() -> None:
    api = Api(url=URL, model="r1", key="${DEEPSEEK_KEY}")
    assert api.secret(Resources(environment={"DEEPSEEK_KEY": f"{SECRET}\r\n"})) == SECRET
    for wrong in (f"{SECRET}\u201d", f"{SECRET}\n{SECRET}"):
        with pytest.raises(RecipeError, match="DEEPSEEK_KEY holds characters") as raised:
            api.secret(Resources(environment={"DEEPSEEK_KEY": wrong}))
        assert SECRET not in str(raised.value)


def test_the_key_goes_to_the_server_and_nowhere_else(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heads: list[Any] = []

    class Listening(FakeServer):
        async def post(self, url: str, sent: bytes, headers: Any, heard: Any) -> Any:
            heads.append((url, headers.get("Authorization")))
            return await super().post(url, sent, headers, heard)

    caplog.set_level("DEBUG")
    Feed(model(key="${K}"), store, machine(Listening(), K=SECRET), "near").answers([ask()])
    assert heads == [(f"{URL}/chat/completions", f"Bearer {SECRET}")]
    assert SECRET not in caplog.text
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


TAKES = {
    "deepseek": {"model", "messages", "temperature", "top_p", "max_tokens", "stop", "presence_penalty"},
    "openai": {"model", "messages", "temperature", "top_p", "max_completion_tokens", "stop", "seed"},
    "openrouter": {
        "model",
        "messages",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "repetition_penalty",
        "max_tokens",
        "seed",
    },
    "anthropic": {"model", "messages", "temperature", "top_p", "max_tokens", "stop"},
    "mistral": {"model", "messages", "temperature", "top_p", "max_tokens", "stop", "random_seed"},
    "gemini": {"model", "messages", "temperature", "top_p", "max_tokens", "stop"},
    "groq": {"model", "messages", "temperature", "top_p", "max_tokens", "stop", "seed"},
    "xai": {"model", "messages", "temperature", "top_p", "max_tokens", "stop", "seed"},
}


@pytest.mark.parametrize("profile", TAKES)
def test_no_field_is_sent_that_the_provider_refuses(store: Store, profile: str) -> None:
    class Strict(FakeServer):
        async def post(self, url: str, *rest: Any) -> Any:
            answer = await super().post(url, *rest)
            asked = self.requests[-1].keys() - {"path", "stream", "stream_options"}
            assert asked <= TAKES[profile], asked - TAKES[profile]
            return answer

    found = Feed(model(profile=profile), store, machine(Strict()), "near").answers(
        [Ask("/v1/chat/completions", body())]
    )
    assert isinstance(found[0], Reply)


@pytest.mark.parametrize(
    ("sampling", "field"),
    [
        ({"top_k": 20}, "top_k"),
        ({"min_p": 0.1}, "min_p"),
        ({"repetition_penalty": 1.1}, "repetition_penalty"),
        ({"chat_template_kwargs": {"thinking": True}}, "chat_template_kwargs"),
        ({"thinking_token_budget": 100}, "thinking_token_budget"),
        ({"repetition_detection": {"min_count": 3}}, "repetition_detection"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"extra_body": {"structured_outputs": {"regex": "a"}}}, "structured_outputs"),
    ],
    ids=str,
)
def test_what_a_recipe_says_and_a_provider_does_not_take_is_refused_and_never_dropped(
    store: Store, sampling: dict[str, Any], field: str
) -> None:
    """Trap: the recipe says one thing, the fingerprint holds it, and the model was never told."""
    for kind in (ChatTeacher, Asker):
        with pytest.raises(ValidationError, match=f"takes no {field}"):
            kind.model_validate({"model": model(), "sampling": sampling})
        assert kind.model_validate({"model": model(profile="compatible"), "sampling": sampling})
    server = FakeServer()
    asked = Ask("/v1/chat/completions", {"messages": [], **Sampling.model_validate(sampling).body("p", 0)})
    with pytest.raises(RecipeError, match=f"takes no {field}"):
        Feed(model(), store, machine(server), "near").answers([asked])
    assert not server.requests


def test_a_providers_own_fields_are_sent_as_they_are() -> None:
    api = model().api
    assert api
    own = Sampling(extra_body={"thinking": {"type": "enabled"}, "web_search_options": {"depth": 3}})
    sent, left_out = api.adapted({"model": "m", "messages": [], **own.body("p", 0)})
    assert (sent["thinking"], sent["web_search_options"]) == ({"type": "enabled"}, {"depth": 3})
    assert left_out == {"seed", "repetition_penalty"}


def test_a_profile_is_about_chats_and_leaves_other_requests_alone() -> None:
    api = model().api
    assert api
    assert api.adapted({"model": "m", "input": ["a"]}) == ({"model": "m", "input": ["a"]}, set())


def test_a_field_that_a_provider_calls_otherwise_is_called_so_and_one_it_forbids_is_not_sent() -> None:
    """Trap: Mistral answers 422 to stream_options, which nobody wrote into a recipe and so nobody could remove."""
    api = Api(url="https://api.mistral.ai/v1", model="magistral-small")
    sent, left_out = api.adapted({**body(), "model": "m", "stream": True, "stream_options": {"include_usage": True}})
    assert sent["random_seed"] == body()["seed"]
    assert "seed" not in sent
    assert left_out == {"stream_options", "repetition_penalty"}


@pytest.mark.parametrize(
    ("url", "profile"),
    [
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.x.ai/v1", "xai"),
        ("https://api.notx.ai/v1", "compatible"),
        ("https://api.together.xyz/v1", "compatible"),
    ],
)
def test_a_provider_is_known_by_its_address(url: str, profile: str) -> None:
    assert Api(url=url, model="m").takes == profile


def test_models_that_only_reason_get_no_temperature() -> None:
    api = Api(url="https://api.openai.com/v1", model="o4-mini")
    sent, left_out = api.adapted({"model": "o4-mini", **body()})
    assert "temperature" not in sent
    assert sent["max_completion_tokens"] == 32768
    assert {"temperature", "top_p", "repetition_penalty"} <= left_out


def test_provider_model_and_date_are_the_identity_and_the_rest_is_not(store: Store) -> None:
    first = model(key="${K}").identity(Resources(), store)
    assert first == "api deepseek.com deepseek-reasoner"
    same = model(price={"input": 1, "output": 2}, limit=5, requests_per_minute=9, url="https://api.deepseek.com")
    assert same.identity(Resources(), store) == first
    assert model(as_of="2026-11-01").identity(Resources(), store) != first
    settings = {"model": model(price={"input": 1, "output": 2}).model_dump(mode="json")}
    assert without_serving(settings) == {"model": {"name": "r1", "revision": None, "task": "generate"}}


def test_a_model_that_changes_under_its_name_is_told_and_noted(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Trap: a provider exchanges the weights behind a name in the middle of a run, or between two runs."""

    class Changing(FakeServer):
        async def post(self, url: str, *rest: Any) -> Any:
            found = await super().post(url, *rest)
            found.data["model"] = "r1-0120" if len(self.requests) < 3 else "r1-0528"
            return found

    caplog.set_level("INFO", logger="tracemill.progress")
    machine_, asks = machine(Changing()), [ask(f"p{n}") for n in range(6)]
    slow = model().model_copy(update={"serve": Serve(concurrency=1)})
    Feed(slow, store, machine_, "near").answers(asks)
    assert caplog.text.count("calls itself r1-0528 now, and r1-0120 before") == 1
    assert machine_.made_with["model r1"]["served"] == ["r1-0120", "r1-0528"]
    Feed(slow, store, machine(FakeServer()), "near").answers([*asks, ask("p6")])
    assert "calls itself deepseek-reasoner now, and r1-0120, r1-0528 before" in caplog.text


def test_a_limit_stops_asking_and_loses_nothing(store: Store) -> None:
    paying = model(price={"input": 0, "output": 1e6}, limit=40.0)
    asks = [ask(f"p{n}") for n in range(60)]
    server = FakeServer(say=lambda prompt, seed: "one two three four")
    few = paying.model_copy(update={"serve": paying.serve.model_copy(update={"concurrency": 2})})
    with pytest.raises(RecipeError, match="limit of 40 USD is spent"):
        Feed(few, store, machine(server), "near").answers(asks)
    assert 10 <= len(server.requests) <= 12
    with pytest.raises(RecipeError, match="limit of 40 USD is spent"):
        Feed(few, store, machine(FakeServer()), "near").answers(asks)
    again = FakeServer(say=lambda prompt, seed: "one two three four")
    raised = model(price={"input": 0, "output": 1e6}, limit=1e9)
    assert len(Feed(raised, store, machine(again), "near").answers(asks)) == 60
    assert len(again.requests) == 60 - len(server.requests)


def test_a_limit_holds_where_the_provider_counts_no_tokens(store: Store) -> None:
    """Trap: usage is null, so nothing seems to be spent, and the limit never comes."""

    class Uncounted(FakeServer):
        async def post(self, url: str, *rest: Any) -> Any:
            answer = await super().post(url, *rest)
            return replace(answer, data={**answer.data, "usage": None})

    paying = model(price={"input": 0, "output": 1e6}, limit=40.0)
    few = paying.model_copy(update={"serve": paying.serve.model_copy(update={"concurrency": 2})})
    server = Uncounted(say=lambda prompt, seed: "one two three four")
    with pytest.raises(RecipeError, match="limit of 40 USD is spent"):
        Feed(few, store, machine(server), "near").answers([ask(f"p{n}") for n in range(60)])
    assert 6 <= len(server.requests) <= 9


@pytest.mark.server
@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_a_limit_is_overshot_by_one_answer_at_most_whatever_is_in_flight(store: Store, concurrency: int) -> None:
    """Trap: all rows are asked at once, and each looks at a purse that nobody has paid from yet."""
    paying = model(price={"input": 0, "output": 1e6}, limit=40.0)
    many = paying.model_copy(update={"serve": paying.serve.model_copy(update={"concurrency": concurrency})})
    with on_socket(FakeServer(say=lambda prompt, seed: "one two three four"), seconds=0.05) as served:
        there = many.model_copy(update={"api": many.api and many.api.model_copy(update={"url": served.url})})
        with pytest.raises(RecipeError, match="limit of 40 USD is spent"):
            Feed(there, store, Resources(workers=1), "near").answers([ask(f"p{n}") for n in range(64)])
    assert 10 <= len(served.fake.generated) <= 11


def test_what_others_have_in_flight_is_not_spent_again(store: Store) -> None:
    api = model(price={"input": 0, "output": 1e6}, limit=10).api
    assert api is not None
    one, two = Purse(store, "r1", api), Purse(store, "r1", api)
    with one.holding(7.0):
        one.settle()
        two.settle()
        assert two.affords(5.0), "one request of each client is always let in"
        with two.holding(2.0):
            assert two.affords(1.0)
            assert not two.affords(2.0)
    one.settle()
    two.settle()
    with two.holding(2.0):
        assert two.affords(8.0)


@pytest.mark.server
def test_a_stream_that_breaks_off_costs_what_had_come_of_it(store: Store) -> None:
    begun = b'data: {"choices": [{"delta": {"content": "w"}}]}\n\n'
    paying = model(price={"input": 0, "output": 1e6}, limit=3.0)
    with raw_server([[*chunked([begun, begun], whole=False), b""]]) as (url, asked):
        there = paying.model_copy(update={"api": paying.api and paying.api.model_copy(update={"url": url})})
        with pytest.raises(RecipeError, match="limit of 3 USD is spent"):
            Feed(there, store, Resources(workers=1), "near").answers([ask()])
    assert asked[0] <= 3


def test_what_others_spent_counts_and_rates_are_shared(store: Store) -> None:
    api = model(price={"input": 1e6, "output": 1e6}, requests_per_minute=60, limit=10).api
    assert api is not None
    one, two = Purse(store, "r1", api), Purse(store, "r1", api)
    one.pay(3, 4, time.monotonic())
    one.settle()
    two.settle()
    assert (two.total, two.requests and two.requests.share) == (7.0, 0.5)
    two.check()
    two.pay(3, 0, time.monotonic())
    with pytest.raises(RecipeError, match="is spent"):
        two.check()


def test_a_rate_is_kept_and_may_be_overdrawn_once() -> None:
    rate = Rate(per_minute=60)
    taken = 0
    for tick in range(600):  # a minute in tenths of a second
        if rate.is_open(tick / 10):
            rate.take(1, tick / 10)
            taken += 1
    assert 60 <= taken <= 71
    rate.take(100, 60.0)
    assert not rate.is_open(150.0)
    assert rate.is_open(170.0)


def test_an_api_that_begins_no_answers_is_not_asked_to() -> None:
    with pytest.raises(ValidationError, match="begins and continues no answers"):
        ChatTeacher(model=model(), prefix="<think>\n")


@pytest.mark.parametrize("given", [{}, {"weights": "/x", "api": {"url": URL, "model": "m"}}], ids=["neither", "both"])
def test_a_model_is_in_one_place(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either `weights`"):
        Model.model_validate({"name": "x", **given})
