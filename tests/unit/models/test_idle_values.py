"""Values that say nothing and that nobody wrote: sent to every engine, not to an address that no profile knows, and in
an answer's key either way. And what the remedy for a refused field is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tracemill.distill.chat import ChatTeacher
from tracemill.distill.completion import CompletionTeacher
from tracemill.distill.teacher import Assignment
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.judge.correctness import CorrectnessJudge
from tracemill.models.api import Api
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.model import Model
from tracemill.models.remedies import remedy
from tracemill.models.request import Ask, Reply
from tracemill.models.session import Feed
from tracemill.models.transport import Response

STRICT = {"model", "messages", "stream", "stream_options", "max_tokens", "temperature", "top_p"}
ONE = Assignment("p1", "What is two and two?")
URL = "https://llm.example.org/v1"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


class Strict(FakeServer):
    """Refuses every field that it does not know, as a strict gateway does."""

    async def post(self, url: str, *rest: Any) -> Any:
        found = await super().post(url, *rest)
        more = sorted(self.requests[-1].keys() - STRICT - {"path"})
        if more:
            return Response(400, {}, {"error": {"message": f"Unrecognized request arguments supplied: {more}"}})
        return found


def model(url: str = URL, **api: Any) -> Model:
    return Model.model_validate({"name": "r1", "api": {"url": url, "model": "m", **api}})


def asked(fake: FakeServer, ask: Ask, **api: Any) -> tuple[Any, dict[str, Any]]:
    """The answer to a request and what was sent, through a store of its own."""
    with on_socket(fake) as served:
        store = Store.at(f"memory://{served.url.rsplit(':', 1)[-1]}", create=True)
        (found,) = Feed(model(served.url, **api), store, Resources(workers=1, environment={}), "near").answers([ask])
    return found, fake.requests[-1]


def chat(**sampling: Any) -> Ask:
    return ChatTeacher.model_validate({"model": model(), "sampling": sampling}).ask(ONE, 0)


@pytest.mark.server
def test_a_strict_address_that_no_profile_knows_takes_what_a_recipe_says_nothing_of() -> None:
    judge = CorrectnessJudge(kind="correctness", model=model())
    for ask in (chat(), judge.ask(judge.prompt, {"input_query": "q"})):
        found, sent = asked(Strict(), ask)
        assert isinstance(found, Reply)
        assert sent.keys() & {"temperature", "top_p", "max_tokens"} == {"temperature", "top_p", "max_tokens"}


@pytest.mark.server
@pytest.mark.parametrize("owner", ["vllm", "sglang"])
def test_an_engine_is_told_everything_as_its_models_own_settings_would_decide_else(owner: str) -> None:
    found, sent = asked(FakeServer(owner=owner), chat())
    assert isinstance(found, Reply)
    assert (sent["repetition_penalty"], "seed" in sent) == (1.0, True)


@pytest.mark.server
@pytest.mark.parametrize("owner", [None, "openai", "library"])
def test_nobody_else_is_told_what_says_nothing(owner: str | None) -> None:
    _, sent = asked(FakeServer(owner=owner), chat())
    assert not sent.keys() & {"repetition_penalty", "seed"}


@pytest.mark.server
@pytest.mark.parametrize(
    "sampling", [{"repetition_penalty": 1.0}, {"repetition_penalty": 1.2}, {"seed": 0}, {"seed": 7}]
)
def test_what_a_recipe_says_is_sent_wherever_it_goes(sampling: dict[str, Any]) -> None:
    _, sent = asked(FakeServer(), chat(**sampling))
    assert sampling.keys() == sent.keys() & {"repetition_penalty", "seed"}


@pytest.mark.server
def test_whoever_names_a_profile_is_asked_nothing_and_decides_himself() -> None:
    class Unlisting(FakeServer):
        async def get(self, url: str, headers: Any) -> Response:
            raise AssertionError(url)

    _, sent = asked(Unlisting(), chat(), profile="compatible")
    assert (sent["repetition_penalty"], "seed" in sent) == (1.0, True)


@pytest.mark.server
@pytest.mark.parametrize("status", [500, 404, 403])
def test_an_address_that_lists_no_models_is_asked_all_the_same(status: int) -> None:
    class Unlisting(FakeServer):
        async def get(self, url: str, headers: Any) -> Response:
            return Response(status, {}, "no")

    found, sent = asked(Unlisting(), chat())
    assert isinstance(found, Reply)
    assert "seed" not in sent


@pytest.mark.server
def test_a_gateway_whose_engine_is_just_starting_is_looked_at_again() -> None:
    """Trap: one 503 of the proxy, and the engine is taken for something else, so that its own penalty decides."""
    looks: list[str] = []

    class Starting(FakeServer):
        async def get(self, url: str, headers: Any) -> Response:
            looks.append(url)
            return await super().get(url, headers) if len(looks) > 2 else Response(503, {}, "loading")

    found, sent = asked(Starting(owner="vllm"), chat())
    assert isinstance(found, Reply)
    assert (len(looks), sent["repetition_penalty"]) == (3, 1.0)


@pytest.mark.server
def test_a_prompt_without_a_template_says_nothing_of_special_tokens_where_nobody_knows_them() -> None:
    ask = CompletionTeacher(model=model(), template="{prompt}").ask(ONE, 0)
    assert "add_special_tokens" not in asked(FakeServer(), ask)[1]
    assert asked(FakeServer(owner="vllm"), ask)[1]["add_special_tokens"] is False


def test_what_is_sent_is_in_no_key() -> None:
    """Trap: all that was ever paid is asked again, as the engine was known as one or not."""
    plain = chat()
    assert plain.idle == {"repetition_penalty", "seed"}
    assert chat(repetition_penalty=1.0, seed=0).key("m") == plain.key("m")
    assert Ask(plain.route, plain.body).key("m") == plain.key("m")


@pytest.mark.server
def test_a_refused_field_is_named_with_its_remedy(store: Store) -> None:
    with on_socket(Strict()) as served:
        feed = Feed(model(served.url), store, Resources(workers=1, environment={}), "near")
        with pytest.raises(RecipeError, match=r"Remove sampling\.seed, sampling\.top_k from the"):
            feed.answers([chat(top_k=5, seed=seed) for seed in range(9)])


@pytest.mark.server
def test_a_remedy_that_is_followed_is_one(store: Store) -> None:
    """An address of which nobody knows that a model of OpenAI's stands behind it."""

    class Reasoning(FakeServer):
        async def post(self, url: str, *rest: Any) -> Any:
            found = await super().post(url, *rest)
            said = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
            return Response(400, {}, {"error": {"message": said}}) if "max_tokens" in self.requests[-1] else found

    asks = [chat(seed=seed) for seed in range(1, 10)]
    machine = Resources(workers=1, environment={})
    with on_socket(Reasoning()) as served:
        with pytest.raises(RecipeError, match=r"api\.profile: openai"):
            Feed(model(served.url), store, machine, "near").answers(asks)
        found = Feed(model(served.url, profile="openai"), store, machine, "near").answers(asks)
    assert all(isinstance(one, Reply) for one in found)


REMEDIES = {
    "Unrecognized request argument supplied: repetition_penalty": "profile: openai",
    "Unrecognized request arguments supplied: ['repetition_penalty', 'seed']": "profile: deepseek",
    'Invalid JSON payload received. Unknown name "seed": Cannot find field.': "profile: deepseek",
    "extra fields not permitted: stream_options": "profile: mistral",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.": (
        "profile: openai"
    ),
    "max_completion_tokens: Extra inputs are not permitted": "profile: groq",
    "`temperature` and `top_p` cannot both be specified for this model": "sampling.top_p to 1",
    "Unsupported value: 'temperature' does not support 0.6 with this model.": "sampling.temperature to 1",
    "top_k: Extra inputs are not permitted": "Remove sampling.top_k",
}


@pytest.mark.parametrize(("said", "what"), REMEDIES.items(), ids=REMEDIES)
def test_the_remedy_is_what_leaves_the_field_out(said: str, what: str) -> None:
    assert what in str(remedy(said, Api(url=URL, model="m")))
    assert what in str(remedy(said, None))


@pytest.mark.parametrize(
    "said",
    ["The account was closed", "Model Not Exist", "messages: at least one is required", "unknown argument: best_of"],
)
def test_words_about_no_field_of_ours_have_no_remedy(said: str) -> None:
    assert remedy(said, Api(url=URL, model="m")) is None


@pytest.mark.server
def test_of_two_numbers_of_chance_anthropic_is_told_the_one_that_says_something() -> None:
    """Trap: a judge's top-p of one beside a temperature, of which newer models of Anthropic take only one."""
    api = Api(url="https://api.anthropic.com/v1", model="m")
    body = {"model": "m", "messages": [], "max_tokens": 9}
    assert api.adapted({**body, "temperature": 0.0, "top_p": 1.0}) == ({**body, "temperature": 0.0}, set())
    assert api.adapted({**body, "temperature": 1.0, "top_p": 0.9}) == ({**body, "top_p": 0.9}, set())
    assert api.adapted({**body, "temperature": 1.0, "top_p": 1.0}) == ({**body, "temperature": 1.0}, set())
