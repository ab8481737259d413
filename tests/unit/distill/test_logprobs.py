"""A teacher's log-probabilities beside its traces: one row a token, across a seam too, and none if one is missing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.build.shard import MODEL, problem, run, shard
from tracemill.distill.step import Distill
from tracemill.distill.teacher import Assignment
from tracemill.engine.step import Output
from tracemill.engine.store import Store
from tracemill.models.fake import FakeServer, likely
from tracemill.models.request import Reply
from tracemill.models.token_logprobs import asked_for, logprobs_of, with_logprobs

MOST = 3


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def distill(**teacher: Any) -> Distill:
    settings = {"kind": "chat", "model": MODEL, "sampling": {"max_tokens": 50}, "directives": {}, **teacher}
    return TypeAdapter(Distill).validate_python({"kind": "distill", "teacher": settings})


def written(store: Store, server: FakeServer, **teacher: Any) -> Output:
    return run(distill(**teacher), server, shard(store, problems=[problem("p1", "one two"), problem("p2", "three")]))


def tokens(output: Output) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """The rows of each trace."""
    rows = output.tables["token_logprobs"].to_pylist()
    return ((name, list(own)) for name, own in itertools.groupby(rows, key=lambda row: row["generation_id"]))


@pytest.mark.parametrize("kind", ["chat", "completion"])
@pytest.mark.parametrize("cut", [{}, {"sampling": {"max_tokens": 2}, "continue_to": 1000}], ids=["whole", "continued"])
def test_there_is_a_row_a_token_and_they_are_the_servers(store: Store, kind: str, cut: dict[str, Any]) -> None:
    """Trap: a trace that was continued has two answers' tokens, and their places go on over the seam."""
    output = written(store, FakeServer(), kind=kind, logprobs=MOST, **cut)
    traces = {row["id"]: row for row in output.tables["generations"].to_pylist()}
    assert output.tables["continuations"].num_rows == (2 if cut else 0)
    found = dict(tokens(output))
    assert found.keys() == traces.keys()
    for name, own in found.items():
        assert [row["place"] for row in own] == list(range(traces[name]["completion_tokens"]))
        said = "".join(chr(row["token"]) for row in own)
        assert traces[name]["answer_content"] in said
        asked = likely([row["token"] for row in own], asked_for(MOST, "/v1/completions"))
        assert sum(row["logprob"] for row in own) == pytest.approx(math.fsum(asked["token_logprobs"]), abs=1e-3)
        for row, likeliest in zip(own, asked["top_logprobs"], strict=True):  # the chosen one stands before the others
            theirs = {int(name.removeprefix("token_id:")): value for name, value in likeliest.items()}
            assert row["top_logprobs"] == [pytest.approx(theirs[token], rel=1e-3) for token in row["top_tokens"]]


def test_the_likeliest_are_whole_and_in_order_whether_the_chosen_one_is_among_them_or_not(store: Store) -> None:
    """Trap: in a chat vLLM gives an unlikely chosen token in place of the last of the likeliest."""
    output = written(store, FakeServer(say=lambda prompt, seed: "<think>abc</think>d"), logprobs=MOST)
    ((_, first), _) = tokens(output)
    by_token = {chr(row["token"]): row for row in first}
    for letter, first_likely in (("a", ord("b")), ("b", ord("b"))):
        row = by_token[letter]
        assert row["top_tokens"] == [first_likely, first_likely + 2, first_likely + 4]
        assert row["top_logprobs"] == [pytest.approx(value, rel=1e-3) for value in (-0.1, -1.1, -2.1)]
    assert (by_token["a"]["logprob"], by_token["b"]["logprob"]) == (pytest.approx(-9.5), pytest.approx(-0.1))


def test_a_server_that_gives_none_costs_no_trace(store: Store) -> None:
    output = written(store, FakeServer(numbers=False), logprobs=MOST)
    assert (output.tables["generations"].num_rows, output.tables["token_logprobs"].num_rows) == (2, 0)


def test_without_the_setting_nothing_is_asked_kept_or_known_otherwise(store: Store) -> None:
    """Trap: a recipe that was run before there were any finds its answers, and its shards are not made again."""
    server = FakeServer()
    assert set(written(store, server).tables) == {"generations", "continuations"}
    assert not [sent for sent in server.requests if "logprobs" in sent]
    plain, asking = distill(), distill(logprobs=MOST)
    assert "logprobs" not in plain.teacher.model_dump(mode="json")
    one = Assignment("p", "one")
    assert plain.teacher.ask(one, 0).key("w") != asking.teacher.ask(one, 0).key("w")
    again = FakeServer()
    assert written(store, again).tables["generations"].num_rows == 2
    assert again.requests == []


@pytest.mark.parametrize(
    "logprobs",
    [
        pytest.param(None, id="none at all"),
        pytest.param({"content": [{"token": "a", "logprob": -1.0, "top_logprobs": []}]}, id="a token by its text"),
        pytest.param({"content": [{"token": "token_id:98", "logprob": -1.0, "top_logprobs": []}]}, id="another token"),
        pytest.param({"content": []}, id="fewer than the answer has"),
        pytest.param({"content": [{"token": "token_id:97", "logprob": None, "top_logprobs": []}]}, id="no number"),
        pytest.param({"tokens": ["token_id:97"], "token_logprobs": [-1.0], "top_logprobs": []}, id="columns differ"),
    ],
)
def test_what_is_not_there_for_every_token_is_not_kept(logprobs: Any) -> None:
    reply = Reply("a", "stop", completion_tokens=1)
    assert with_logprobs(reply, {"choices": [{"token_ids": [97], "logprobs": logprobs}]}, 1) == reply


def test_fewer_likeliest_than_were_asked_for_leave_their_places_empty() -> None:
    one = {"token": "token_id:97", "logprob": -1.0, "top_logprobs": [{"token": "token_id:7", "logprob": -0.5}]}
    data = {"choices": [{"token_ids": [97], "logprobs": {"content": [one]}}]}
    reply = with_logprobs(Reply("a", "stop", completion_tokens=1), data, 2)
    (row,) = logprobs_of(reply, 2)
    assert row["tokens"].tolist() == [7, 2**32 - 1]
    assert math.isnan(row["logprobs"][1])


def test_a_provider_that_tells_no_tokens_number_is_refused_when_the_recipe_is_read() -> None:
    model = {"name": "m", "api": {"url": "https://api.openai.com/v1", "model": "gpt"}}
    with pytest.raises(ValidationError, match="tells no token's number"):
        distill(model=model, logprobs=MOST)
    with pytest.raises(ValidationError, match="less than or equal to 20"):
        distill(logprobs=21)
