"""Answers from a provider's batch API: the same keys, half the price, and nothing paid for twice whoever dies when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tracemill.engine.keys import keys_below, remove
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import AnswersPending, RecipeError, ServingError
from tracemill.models import batches as module
from tracemill.models.batches import is_over
from tracemill.models.fake import FakeServer, echo
from tracemill.models.fake_http import Served, on_socket
from tracemill.models.model import Model
from tracemill.models.purse import notes
from tracemill.models.request import Answer, Ask, Refusal, Reply
from tracemill.models.session import Feed

HERE = Resources(workers=1, environment={})
SCHEDULED = replace(HERE, away=20.0)  # as an Airflow task has it: it may not wait


@pytest.fixture
def served() -> Iterator[Served]:
    with on_socket(FakeServer()) as one:
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def model(served: Served, **api: Any) -> Model:
    batch = {"poll": 0.05, **api.pop("batch", {})}
    return Model.model_validate(
        {"name": "r1", "api": {"url": f"{served.url}/v1", "model": "there", "batch": batch, **api}}
    )


def ask(text: str, **more: Any) -> Ask:
    body = {"messages": [{"role": "user", "content": text}], "temperature": 0.6, "max_tokens": 100, "seed": 7, **more}
    return Ask("/v1/chat/completions", body)


ASKS = [ask(f"What is {n} plus {n}?") for n in range(6)]


def answers(one: Model, store: Store, machine: Resources = HERE, asks: list[Ask] = ASKS) -> list[Answer]:
    return Feed(one, store, machine, "near").answers(asks)


def texts(found: list[Answer]) -> list[str]:
    return [one.text if isinstance(one, Reply) else one.reason for one in found]


def test_a_batch_gives_what_a_request_would_and_is_found_again_by_either(served: Served, store: Store) -> None:
    by_batch = answers(model(served), store)
    assert texts(by_batch) == [echo(str(a.body["messages"][0]["content"]), 7) for a in ASKS]
    direct = Model.model_validate({"name": "r1", "api": {"url": f"{served.url}/v1", "model": "there"}})
    before = len(served.fake.requests)
    assert texts(answers(direct, store)) == texts(by_batch)
    assert len(served.fake.requests) == before
    assert [line["body"]["model"] for line in served.batches.asked] == ["there"] * 6


def test_a_scheduled_task_leaves_while_the_batch_works_and_collects_later(served: Served, store: Store) -> None:
    served.batches.looks = 4
    with pytest.raises(AnswersPending) as pending:
        answers(model(served), store, SCHEDULED)
    assert not is_over(model(served), store, SCHEDULED, pending.value.records)
    with pytest.raises(AnswersPending):  # a clear, or a second copy of the task
        answers(model(served), store, SCHEDULED)
    assert any(is_over(model(served), store, SCHEDULED, pending.value.records) for _ in range(5))
    assert len(answers(model(served), store, SCHEDULED)) == 6
    assert len(served.batches.batches) == 1


def test_a_client_that_died_before_it_heard_of_its_batch_finds_it(served: Served, store: Store) -> None:
    served.batches.lost = 1
    with pytest.raises(ServingError):
        answers(model(served), store)
    assert len(answers(model(served), store)) == 6
    assert len(served.batches.batches) == 1


def test_a_client_that_died_before_it_sent_anything_sends_it(
    served: Served, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module.BatchApi, "submit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            answers(model(served), store)
    assert len(answers(model(served), store)) == 6
    assert len(served.batches.batches) == 1


def test_answers_are_stored_before_a_batch_counts_as_collected(
    served: Served, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tracemill.models.samples.SampleStore.add", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            answers(model(served), store)
    assert len(answers(model(served), store)) == 6
    assert len(served.batches.batches) == 1


def test_what_ran_out_of_time_is_asked_again_and_nothing_else(served: Served, store: Store) -> None:
    served.batches.ending = ("expired", "completed")
    assert all(isinstance(one, Reply) for one in answers(model(served), store))
    first, second = served.batches.batches.values()
    sizes = [len(served.batches.files[one["input_file_id"]].splitlines()) for one in (first, second)]
    assert sizes == [6, 3]


def test_a_line_that_is_refused_is_its_rows_affair_and_an_error_of_the_server_is_not(
    served: Served, store: Store
) -> None:
    served.batches.faults = {"What is 1 plus": 400}
    found = answers(model(served), store)
    assert [type(one) for one in found] == [Reply, Refusal, Reply, Reply, Reply, Reply]
    served.batches.faults = {"What is 91 plus": 500}
    more = [ask(f"What is {n} plus {n}?") for n in (90, 91)]
    with pytest.raises(ServingError, match="brought no answer: HTTP 500"):
        answers(model(served), store, asks=more)
    served.batches.faults = {}
    assert all(isinstance(one, Reply) for one in answers(model(served), store, asks=more))
    asked = [line["body"]["messages"][0]["content"] for line in served.batches.asked]
    assert asked.count("What is 90 plus 90?") == 1


def test_refusals_survive_a_wait_for_the_rest(served: Served, store: Store) -> None:
    """Trap: the next batch asks what ran out of time; what the first one refused is not asked again with it."""
    served.batches.faults = {"What is 4 plus": 400}
    served.batches.ending = ("expired", "completed")
    found: list[Answer] = []
    for _ in range(9):
        with suppress(AnswersPending):
            found = found or answers(model(served), store, SCHEDULED)
    assert texts(found)[4] == "refused"
    asked = [line["body"]["messages"][0]["content"] for line in served.batches.asked]
    assert asked.count("What is 4 plus 4?") == 1


def test_when_everything_is_refused_for_one_reason_nothing_is_sealed(served: Served, store: Store) -> None:
    served.batches.faults = {"What": 400}
    with pytest.raises(RecipeError, match="refuses every request"):
        answers(model(served), store)
    served.batches.faults = {}  # the account was mended: the refusals are not taken for answers
    assert all(isinstance(one, Reply) for one in answers(model(served), store))


@pytest.mark.parametrize(("ending", "words"), [("failed", "Line 1 is no request"), ("cancelled", "was cancelled")])
def test_a_batch_that_is_refused_or_cancelled_says_so_and_can_be_sent_again(
    served: Served, store: Store, ending: str, words: str
) -> None:
    served.batches.ending = (ending, "completed")
    with pytest.raises(RecipeError, match=words):
        answers(model(served), store)
    assert all(isinstance(one, Reply) for one in answers(model(served), store))


def test_a_provider_without_batches_is_named() -> None:
    with pytest.raises(ValidationError, match="deepseek has no batch API"):
        Model.model_validate({"name": "r1", "api": {"url": "https://api.deepseek.com", "model": "r", "batch": True}})


def test_half_the_price_is_paid_and_the_limit_holds_for_what_a_batch_may_cost(served: Served, store: Store) -> None:
    price = {"input": 0.0, "output": 1000.0}  # a request of 100 tokens costs at most 0.05 as part of a batch
    feed = Feed(model(served, price=price, limit=0.21), store, SCHEDULED, "near")
    with pytest.raises(AnswersPending):
        feed.answers(ASKS)
    assert len(served.batches.asked) == 4
    other = Feed(model(served, price=price, limit=0.21), store, SCHEDULED, "far")
    with pytest.raises(RecipeError, match="does not pay for one more"):
        other.answers([ask("What else?")])
    for _ in range(5):
        with suppress(AnswersPending):
            feed.answers(ASKS)
    paid = feed.spent.completion_tokens * 1000.0 / 2 / 1e6
    assert feed.money == pytest.approx(paid)
    assert paid < 0.21


def test_no_key_and_no_prompt_lies_in_the_records(served: Served, store: Store, tmp_path: Path) -> None:
    machine = replace(HERE, environment={"KEY": "sk-planted-9"})
    answers(model(served, key="${KEY}"), store, machine)
    records = list(tmp_path.glob("batches/r1/near/*.json"))
    assert len(records) == 1
    assert json.loads(records[0].read_text())["state"] == "collected"
    assert "sk-planted" not in records[0].read_text()
    assert "plus" not in records[0].read_text()


PRICE = {"input": 0.0, "output": 1e6}
EVENTS = st.lists(st.sampled_from(["die before", "lose", "expire", "leave", "fault"]), max_size=5)


@given(events=EVENTS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_every_answer_is_paid_for_once(
    tmp_path_factory: pytest.TempPathFactory, events: list[str]
) -> None:
    store = Store.at(str(tmp_path_factory.mktemp("any")), create=True)
    with on_socket(FakeServer()) as served:
        served.batches.looks = 0
        served.batches.ending = tuple("expired" if event == "expire" else "completed" for event in events) or (
            "completed",
        )
        found: list[Answer] = []
        for event in [*events, *["none"] * 12]:
            served.batches.lost = int(event == "lose")
            served.batches.faults = {"What is 2 plus": 500} if event == "fault" else {}
            served.batches.looks = int(event == "leave")
            try:
                found = answers(model(served, price=PRICE), store, SCHEDULED)
                break
            except (AnswersPending, ServingError):
                continue
        assert all(isinstance(one, Reply) for one in found)
        assert len(found) == len(ASKS)
        assert len(served.fake.generated) == len(ASKS)
        paid = sum(one.completion_tokens or 0 for one in found if isinstance(one, Reply))
        assert spent(store) == pytest.approx(paid / 2), "and counted once, however often a batch was collected"


def test_a_batch_that_is_collected_twice_is_paid_once(served: Served, store: Store) -> None:
    """Trap: a kill between storing what a batch brought and noting that down."""
    answers(model(served, price=PRICE), store)
    before = spent(store)
    for key in keys_below(store, "batches"):
        record = json.loads(store.read_bytes(key))
        keys = [ask.key(model(served).identity(HERE, store)) for ask in ASKS]
        store.write_bytes(key, json.dumps({**record, "state": "open", "keys": keys}).encode())
    for key in keys_below(store, "samples"):
        remove(store, key)
    answers(model(served, price=PRICE), store)
    assert len(served.fake.generated) == len(ASKS)
    assert spent(store) == before > 0


def spent(store: Store) -> float:
    """All that clients wrote down."""
    return sum(note.spent for note in notes(store, "clients", {}, but="").values())
