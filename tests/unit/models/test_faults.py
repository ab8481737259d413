"""Whose fault it is: a row's, the recipe's, or the world's; and that the world's is never sealed as data."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.build.asks import ask, model
from tests.build.shard import resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError, ServingError
from tracemill.models.fake import FakeServer
from tracemill.models.pacing import Pace, retry_after
from tracemill.models.request import Ask, Refusal, Reply
from tracemill.models.session import Feed
from tracemill.models.transport import Response
from tracemill.models.trouble import DEATHS, TRIES, Trouble
from tracemill.models.wire import ServerFault


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def answers(store: Store, server: FakeServer, asks: list[Ask], **serve: Any) -> list[Reply | Refusal]:
    return Feed(model(**serve), store, resources(server), "near").answers(asks)


def test_one_poison_prompt_costs_its_row_and_no_other(store: Store) -> None:
    asks = [ask(f"p{n}") for n in range(19)] + [ask("arsenic")]
    found = answers(store, FakeServer(poison="arsenic"), asks)
    assert [isinstance(one, Reply) for one in found] == [True] * 19 + [False]
    last = found[-1]
    assert isinstance(last, Refusal)
    assert last.reason == "poison"


def test_a_poison_prompt_alone_is_told_from_a_broken_server_by_a_tiny_request(store: Store) -> None:
    found = answers(store, FakeServer(poison="arsenic"), [ask("arsenic")])
    assert isinstance(found[0], Refusal)
    assert found[0].reason == "poison"


def test_a_server_that_fails_for_all_poisons_nobody(store: Store) -> None:
    server = FakeServer(faults=dict.fromkeys(range(1, 9999), 500))
    with pytest.raises(ServingError):
        answers(store, server, [ask(f"p{n}") for n in range(4)], patience=4)


def test_a_server_that_fails_every_other_time_poisons_nobody(store: Store) -> None:
    chance = random.Random(7)
    server = FakeServer(faults={n: 500 for n in range(1, 2000) if chance.random() < 0.5})
    found = answers(store, server, [ask(f"p{n}") for n in range(24)])
    assert all(isinstance(one, Reply) for one in found)


@pytest.mark.parametrize(
    "message",
    [
        "unknown argument: repetition_penalty",
        "As of transformers v4.44, default chat template is no longer allowed",
        "Unsupported parameter: 'max_tokens' is not supported with this model. Request id 12345678",
    ],
)
def test_the_same_refusal_for_all_is_the_recipes_fault_and_seals_nothing(store: Store, message: str) -> None:
    class Refusing(FakeServer):
        async def post(self, url: str, *rest: Any) -> Any:
            answer = await super().post(url, *rest)
            return type(answer)(400, {}, {"error": {"message": f"{message} ({len(self.requests)})"}})

    server = Refusing()
    with pytest.raises(RecipeError, match="refuses every request for the same reason"):
        answers(store, server, [ask(f"p{n}") for n in range(50)], concurrency=4)
    assert len(server.requests) <= 12


class Complaining(FakeServer):
    """Answers `good` requests, then says the same to all; `spares` the tiny prompts with which a client probes."""

    good, spares, status, said = 0, False, 400, ""

    async def post(self, url: str, body: bytes, *rest: Any) -> Any:
        answer = await super().post(url, body, *rest)
        is_probe = self.requests[-1]["messages"][0]["content"] == "1"
        if len(self.requests) <= self.good or (self.spares and is_probe):
            return answer
        return Response(self.status, {}, {"error": {"message": self.said}})


@pytest.mark.parametrize(
    ("good", "rows", "status", "said"),
    [
        pytest.param(0, 12, 400, "Context length: your prompt is too long", id="every row too long"),
        pytest.param(5, 12, 400, "The account was closed", id="closed in mid-run, in words that nobody knows"),
        pytest.param(5, 6, 400, "The account was closed", id="closed before the last row"),
        pytest.param(5, 12, 403, "This key was revoked", id="a key revoked in mid-run"),
    ],
)
def test_what_is_said_to_a_harmless_prompt_too_is_no_rows_fault(
    store: Store, good: int, rows: int, status: int, said: str
) -> None:
    server = Complaining()
    server.good, server.status, server.said = good, status, said
    with pytest.raises(RecipeError, match="refuses every request for the same reason"):
        answers(store, server, [ask(f"p{n}") for n in range(rows)], concurrency=1)
    assert len(server.requests) <= good + 6


@pytest.mark.parametrize(
    ("good", "status", "said", "reason"),
    [
        pytest.param(0, 400, "your prompt is too long", "too_long", id="too long, one after the other"),
        pytest.param(2, 400, "your prompt is too long", "too_long", id="too long after answers, one after the other"),
        pytest.param(0, 403, "your input was flagged", "content_filter", id="moderated, one after the other"),
        pytest.param(
            2, 403, "your input was flagged", "content_filter", id="moderated after answers, one after the other"
        ),
        pytest.param(2, 403, "<html>Request blocked</html>", "refused", id="a firewall that dislikes code"),
    ],
)
def test_rows_that_only_are_alike_are_refused_each_for_itself(
    store: Store, good: int, status: int, said: str, reason: str
) -> None:
    server = Complaining()
    server.good, server.spares, server.status, server.said = good, True, status, said
    found = answers(store, server, [ask(f"p{n}") for n in range(9)], concurrency=1)
    assert [one.reason for one in found if isinstance(one, Refusal)] == [reason] * (9 - good)


def test_a_throttle_is_named_while_it_lasts(store: Store, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """Trap: a server that asks everybody to wait for ever, and a run that only says that nothing was answered."""
    monkeypatch.setattr("tracemill.models.sending.REPORT_SECONDS", 0.1)
    caplog.set_level("INFO", logger="tracemill.progress")
    answers(store, FakeServer(faults={1: 429, 2: 429}, wait=0.3), [ask()])
    assert "the server says: HTTP 429: fault 429 on command" in caplog.text


def test_one_prompt_that_a_firewall_blocks_does_not_end_the_run(store: Store) -> None:
    """Trap: it comes first, so that nothing has shown yet that the key is good."""
    found = answers(store, FakeServer(faults={1: 403}), [ask(f"p{n}") for n in range(4)], concurrency=1)
    assert [isinstance(one, Refusal) for one in found] == [True, False, False, False]


def test_a_key_that_may_not_ask_this_model_is_named_at_once(store: Store) -> None:
    server = FakeServer(faults=dict.fromkeys(range(1, 99), 403))
    with pytest.raises(RecipeError, match="key is missing or wrong"):
        answers(store, server, [ask(f"p{n}") for n in range(4)], concurrency=1)
    assert len(server.requests) == 2


def test_a_refusal_of_some_rows_is_theirs(store: Store) -> None:
    server = FakeServer(faults=dict.fromkeys((2, 4, 6, 8, 10, 12), 400))
    found = answers(store, server, [ask(f"p{n}") for n in range(20)], concurrency=1)
    assert sum(isinstance(one, Refusal) for one in found) == 6


def test_answers_that_were_broken_off_are_asked_again_and_never_stored(store: Store) -> None:
    broken = {1: {"finish_reason": "abort"}, 3: {"finish_reason": "insufficient_system_resource"}}
    server = FakeServer(faults=broken)
    found = answers(store, server, [ask(f"p{n}") for n in range(3)], concurrency=1)
    assert [one.finish_reason for one in found if isinstance(one, Reply)] == ["stop"] * 3
    assert len(server.requests) == 5
    again = FakeServer()
    assert answers(store, again, [ask(f"p{n}") for n in range(3)]) == found
    assert again.requests == []


def test_a_throttle_stops_everybody_until_its_time_is_over(store: Store) -> None:
    """Trap: with 64 requests in flight, 64 retries each second are sent to a server that asked for silence."""
    server = FakeServer(faults=dict.fromkeys(range(1, 9), 429), wait=0.4)
    began = time.monotonic()
    found = answers(store, server, [ask(f"p{n}") for n in range(8)], concurrency=8)
    assert all(isinstance(one, Reply) for one in found)
    assert time.monotonic() - began >= 0.4
    assert len(server.requests) <= 16


def test_a_window_halves_with_a_throttle_and_grows_with_answers() -> None:
    pace = Pace()
    pace.throttled(2.0, in_flight=64, now=100.0)
    assert not pace.is_open(0, 101.9)
    assert pace.is_open(31, 102.1)
    assert not pace.is_open(32, 102.1)
    for _ in range(40):
        pace.answered()
    assert pace.is_open(32, 102.1)
    pace.throttled(2.0, in_flight=40, now=100.5)
    assert (pace.window or 0) > 32, "one burst of refusals counts once"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:10 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_who_flew_at_every_death_is_poison_and_who_flew_at_one_is_not() -> None:
    trouble = Trouble(0)
    for life in range(DEATHS):
        assert not trouble.is_poison(answered=9, failed=0)
        trouble.note(ServerFault("gone"), f"host:{life}")
        trouble.note(ServerFault("gone"), f"host:{life}")  # the same death again
    assert trouble.is_poison(answered=9, failed=0)
    assert trouble.is_suspect


def test_a_lost_connection_to_a_server_of_unknown_lives_is_never_the_rows_fault() -> None:
    """Trap: a proxy that closes every connection after a minute would reject just the long traces."""
    trouble = Trouble(0)
    for _ in range(100):
        trouble.note(ServerFault("reset"), "")
    assert not trouble.is_poison(answered=1000, failed=0)


def test_errors_at_the_rate_of_others_are_no_poison() -> None:
    trouble = Trouble(0)
    for _ in range(TRIES):
        trouble.note(ServerFault("500", alive=True), "a")
    assert trouble.is_poison(answered=20, failed=TRIES)
    assert not trouble.is_poison(answered=20, failed=TRIES + 20)
