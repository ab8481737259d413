"""How answers end, on a real socket: a server that never says it is noticed after a few answers, and half an answer of
one that does is no answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.build.asks import ask, model
from tracemill.engine.keys import samples_root
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.models.endings import ENOUGH, Endings
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.finish import is_known
from tracemill.models.request import Ask, Refusal, Reply
from tracemill.models.samples import SampleStore
from tracemill.models.session import Feed
from tracemill.models.wire import ServerFault

pytestmark = pytest.mark.server


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def feed(store: Store, *urls: str, **serve: Any) -> Feed:
    named = json.dumps({"tiny": [{"url": url, "model": "tiny"} for url in urls]})
    return Feed(model(**serve), store, Resources(workers=1, environment={ENDPOINTS: named}), "near")


def answers(store: Store, fake: FakeServer, asks: Sequence[Ask], **serve: Any) -> list[Reply | Refusal]:
    with on_socket(fake) as served:
        return feed(store, served.url, **serve).answers(asks)


def stored(store: Store, asks: Sequence[Ask]) -> dict[str, Reply]:
    samples = SampleStore(samples_root(store, Resources(environment={})), "org/tiny@abc")
    return samples.find([one.key("org/tiny@abc") for one in asks], "near")


class Endless(FakeServer):
    """Says `reason` for why any answer ended, and counts tokens only if it `counts`."""

    reason, counts = None, True

    async def post(self, url: str, *rest: Any) -> Any:
        found = await super().post(url, *rest)
        found.data["choices"][0]["finish_reason"] = self.reason
        if not self.counts:
            found.data["usage"] = None
        return found


@pytest.mark.parametrize(
    ("reason", "counts", "said"),
    [
        pytest.param(None, True, "no finish reason at all", id="null"),
        pytest.param("", False, "no finish reason at all", id="empty, and no usage"),
        pytest.param("moon", True, "'moon'", id="a word nobody knows"),
    ],
)
@pytest.mark.parametrize("concurrency", [1, 64])
def test_a_server_that_never_says_how_an_answer_ended_is_asked_no_more(
    store: Store, concurrency: int, reason: Any, counts: bool, said: str
) -> None:
    """Trap: every row is paid, sealed as cut, and none is released."""
    fake = Endless()
    fake.reason, fake.counts = reason, counts
    asks = [ask(f"p{n}") for n in range(40)]
    with pytest.raises(RecipeError, match=f"{said}.*Nothing was sealed"):
        answers(store, fake, asks, concurrency=concurrency)
    assert len(fake.requests) < ENOUGH + concurrency
    paid = stored(store, asks)
    assert len(paid) >= ENOUGH, "what was paid is kept"
    again = Endless()
    with pytest.raises(RecipeError, match="on the store"):
        answers(store, again, asks, concurrency=concurrency)
    assert again.requests == [], "and not a request more is paid to learn the same"


def test_a_single_answer_that_does_not_say_how_it_ended_tells_nothing(store: Store) -> None:
    (found,) = answers(store, Endless(), [ask()])
    assert isinstance(found, Reply)
    assert found.finish_reason == "unknown"


@pytest.mark.parametrize("place", [1, 4, 12], ids=["the first", "in the middle", "the last"])
@pytest.mark.parametrize("concurrency", [1, 64])
def test_half_an_answer_in_a_stream_that_ended_in_order_is_asked_again(
    store: Store, place: int, concurrency: int
) -> None:
    """Trap: the half is stored for ever, and its row is lost as cut."""
    fake, asks = FakeServer(faults={place: "half"}), [ask(f"p{n}") for n in range(12)]
    found = answers(store, fake, asks, concurrency=concurrency)
    whole = [fake.say(f"p{n}", 1) for n in range(12)]
    assert [one.text for one in found if isinstance(one, Reply)] == whole
    assert {one.finish_reason for one in stored(store, asks).values()} == {"stop"}
    assert len(fake.requests) == 13


def test_half_answers_to_one_prompt_for_ever_cost_its_row_alone(store: Store) -> None:
    class Halving(FakeServer):
        async def post(self, url: str, body: bytes, *rest: Any) -> Any:
            self.faults = {len(self.requests) + 1: "half"} if b"arsenic" in body else {}
            return await super().post(url, body, *rest)

    asks = [*(ask(f"p{n}") for n in range(11)), ask("arsenic")]
    found = answers(store, Halving(), asks)
    assert [isinstance(one, Reply) for one in found] == [True] * 11 + [False]
    assert isinstance(found[-1], Refusal)
    assert found[-1].reason == "poison"
    assert len(stored(store, asks)) == 11


def test_of_two_servers_one_of_which_never_says_it_that_one_is_named(store: Store) -> None:
    """Trap: the other one's endings make every answer of this one look like half of one, asked for again for ever."""
    fake = Endless()
    fake.counts = False
    with (
        on_socket(FakeServer()) as good,
        on_socket(fake) as bad,
        pytest.raises(RecipeError, match=f"of the server at {bad.url}"),
    ):
        feed(store, good.url, bad.url).answers([ask(f"p{n}") for n in range(60)])


WORDS = st.sampled_from(["stop", "length", "unknown", "moon", "eos_token"])


@given(st.lists(st.tuples(WORDS, st.booleans()), max_size=30))
def test_nothing_that_is_kept_came_bare_after_a_named_ending(said: list[tuple[str, bool]]) -> None:
    endings, named, nameless = Endings("m"), False, 0
    for word, counted in said:
        reply = Reply("text", word, 1 if counted else None, 1 if counted else None)
        if word == "unknown" and not counted and named:
            with pytest.raises(ServerFault, match="half an answer"):
                endings.seen("u", reply)
            continue
        assert endings.seen("u", reply).text == "text"
        named, nameless = named or is_known(word), nameless + (not is_known(word))
    if nameless >= ENOUGH and not named:
        with pytest.raises(RecipeError):
            endings.require(100)
    else:
        endings.require(100)
