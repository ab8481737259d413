"""A judge that rates in words is bound to the form in its next attempt, where its server can do that; nobody is made to
guess, and no answer that was paid for is lost by it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.build.shard import MODEL
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.judge.asker import Judge, Judged
from tracemill.judge.judges import AnyJudge
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.session import Feed
from tracemill.models.transport import Response

pytestmark = pytest.mark.server

IN_WORDS = "I would rate this answer five, that is 5 out of 5."
QUESTION = {"input_query": "2+2?", "reference_answer": "4", "llm_answer": "It is 4."}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def judge(kind: str = "correctness", model: Any = MODEL, **settings: Any) -> Judge:
    found: Judge = TypeAdapter(AnyJudge).validate_python({"kind": kind, "model": model, **settings})
    return found


def judged(store: Store, fake: FakeServer, asker: Judge, questions: int = 1) -> list[Judged[float]]:
    with on_socket(fake) as served:
        named = json.dumps({asker.model.name: [{"url": served.url, "model": "tiny"}]})
        feed = Feed(asker.model, store, Resources(workers=1, environment={ENDPOINTS: named}), "near")
        asked = [{**QUESTION, "input_query": f"{n}+{n}?"} for n in range(questions)]
        return asker.answers(feed, asker.prompt, asked, asker.parse)


def bound(fake: FakeServer) -> list[bool]:
    return ["response_format" in asked for asked in fake.generated]


@pytest.mark.parametrize(("kind", "value"), [("correctness", 5.0), ("science", 4.5)])
def test_who_rates_in_words_is_asked_for_the_number_in_form(store: Store, kind: str, value: float) -> None:
    fake = FakeServer(say=lambda prompt, seed: IN_WORDS, shapes=True)
    (found,) = judged(store, fake, judge(kind))
    assert (found.value, found.attempts, bound(fake)) == (value, 2, [False, True])


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("<think>A 5 out of 5.</think>A fine answer.", id="who thinks"),
        pytest.param("<think>I would rate it 5 out of 5, but", id="who never ends to think"),
        pytest.param("The answer agrees with the reference.", id="who names no number"),
        pytest.param("I cannot give this a score from 1 to 5.", id="who cannot tell"),
        pytest.param('{"correctness": "5"}\n{"correctness": "1"}', id="who says two things"),
        pytest.param("Correctness: 4/10", id="who names another scale"),
    ],
)
def test_nobody_is_made_to_guess(store: Store, said: str) -> None:
    fake = FakeServer(say=lambda prompt, seed: said, shapes=True)
    (found,) = judged(store, fake, judge())
    assert (found.value, bound(fake)) == (None, [False, False, False])


def test_who_keeps_to_the_form_is_never_bound(store: Store) -> None:
    fake = FakeServer(say=lambda prompt, seed: '{"correctness": "4"}', shapes=True)
    assert judged(store, fake, judge())[0].value == 4.0
    assert bound(fake) == [False]


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_that_cannot_do_it_is_asked_as_before_and_never_again(store: Store, status: int) -> None:
    """Trap: every judge's second attempt is refused alike, and the recipe is blamed."""

    class Unable(FakeServer):
        async def post(self, url: str, body: bytes, *rest: Any) -> Any:
            found = await super().post(url, body, *rest)
            is_bound = b"response_format" in body
            return Response(status, {}, {"error": {"message": "no response_format"}}) if is_bound else found

    fake = Unable(say=lambda prompt, seed: IN_WORDS if seed % 2 else '{"correctness": "3"}')
    found = judged(store, fake, judge(), questions=12)
    assert {one.value for one in found} <= {3.0, None}
    assert 3.0 in {one.value for one in found}
    assert all(one.refusal is None for one in found)


@pytest.mark.parametrize(
    ("api", "is_bound"),
    [({"profile": "openai"}, True), ({"profile": "deepseek"}, False), ({"profile": "anthropic"}, False), ({}, False)],
    ids=str,
)
def test_a_provider_that_has_none_gets_none(store: Store, api: dict[str, Any], is_bound: bool) -> None:
    model = {"name": "m", "api": {"url": "https://llm.example.org/v1", "model": "tiny", **api}}
    fake = FakeServer(say=lambda prompt, seed: IN_WORDS, shapes=True)
    judged(store, fake, judge(model=model))
    assert any(bound(fake)) is is_bound


def test_an_answer_that_was_paid_for_without_it_is_found(store: Store) -> None:
    """Trap: a new field in the request, and every second attempt of a finished run is paid again."""
    before = FakeServer(say=lambda prompt, seed: IN_WORDS)
    (first,) = judged(store, before, judge(structured=False))
    again = FakeServer(shapes=True)
    (second,) = judged(store, again, judge())
    assert again.requests == []
    assert (second.value, second.attempts) == (first.value, first.attempts) == (None, 3)


def test_the_setting_is_in_no_fingerprint_while_nobody_writes_it() -> None:
    assert "structured" not in judge().model_dump(mode="json")
    assert judge(structured=False).model_dump(mode="json")["structured"] is False


def test_whatever_keeps_to_the_shape_is_read_as_it_stands() -> None:
    for number in ("1", "2", "3", "4", "5"):
        assert judge().parse(json.dumps({"correctness": number})) == float(number)
    for value in (0, 3, 4.5, 5):
        assert judge("science").parse(json.dumps({"score": value})) == value
    assert judge("science").parse(json.dumps({"score": 7})) is None
