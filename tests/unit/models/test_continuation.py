"""A cut answer goes on from the very tokens that it had, and what comes back has the tags that all else knows."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.build.shard import MODEL, problem, resources, run, shard
from tracemill.distill.chat import ChatTeacher
from tracemill.distill.completion import CompletionTeacher
from tracemill.distill.step import Distill
from tracemill.distill.teacher import Assignment
from tracemill.engine.store import Store
from tracemill.models.continuation import as_tags, packed, unpacked
from tracemill.models.fake import FakeServer
from tracemill.models.model import Model
from tracemill.models.request import Ask, Refusal, Reply
from tracemill.models.session import Feed
from tracemill.models.wire import read_reply

TEACHER = {"model": MODEL, "sampling": {"max_tokens": 4}, "continue_to": 100}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


@pytest.mark.parametrize("kind", ["chat", "completion"])
def test_a_continuation_gets_the_tokens_of_prompt_and_answer_and_no_text(store: Store, kind: str) -> None:
    server = FakeServer()
    step = Distill.model_validate({"kind": "distill", "teacher": {"kind": kind, **TEACHER, "directives": {}}})
    output = run(step, server, shard(store, problems=[problem("p1", "one two three")]))
    (row,) = output.tables["generations"].to_pylist()
    whole = FakeServer().say("one two three", server.requests[0]["seed"])
    assert row["think_content"] + row["answer_content"] in whole.replace("</think>\n<answer>", "").replace(
        "</answer>", ""
    )
    assert row["finish_reason"] == "stop"
    assert not [asked for asked in server.requests if asked["path"] == "/tokenize"], "a text was made into tokens again"
    sent = server.requests[-1]["prompt"]
    assert sent[: len("one two three\x00")] == [ord(c) for c in "one two three\x00"]
    assert "".join(map(chr, sent)).endswith(" ".join(whole.split(" ")[:4]))


@pytest.mark.parametrize("kind", ["chat", "completion"])
def test_where_no_token_numbers_come_the_trace_stays_cut_and_the_others_are_whole(store: Store, kind: str) -> None:
    def say(prompt: str, seed: int) -> str:
        return "<think>a b c d e f</think>g" if "long" in prompt else "<think>a</think>b"

    server = FakeServer(say=say, numbers=False)
    step = Distill.model_validate({"kind": "distill", "teacher": {"kind": kind, **TEACHER}})
    output = run(step, server, shard(store, problems=[problem("p1", "long"), problem("p2", "short")]))
    assert {r["problem_id"]: r["finish_reason"] for r in output.tables["generations"].to_pylist()} == {
        "p1": "length",
        "p2": "stop",
    }
    assert output.tables["continuations"].num_rows == 0


def test_what_is_missing_is_said_with_the_remedy(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    feed = Feed(Model.model_validate(MODEL), store, resources(FakeServer()), "near")
    with caplog.at_level(logging.WARNING):
        (answer,) = feed.answers([Ask("/v1/completions", {"prompt": "a b"}, goes_on=True)])
    assert isinstance(answer, Refusal)
    assert "return_token_ids" in answer.detail
    assert "sampling.seed" in answer.detail
    assert "return_token_ids" in caplog.text


def test_what_goes_on_is_kept_under_what_it_was_kept_before() -> None:
    """Trap: a field for the transport in the key would have every continuation of older stores paid again."""
    for teacher in (ChatTeacher.model_validate(TEACHER), CompletionTeacher.model_validate(TEACHER)):
        asked = teacher.ask(Assignment("p", "one"), 0)
        more = teacher.go_on(asked, Reply("<think>a b", "length", 1, 4, token_ids=packed([1], [2])))
        assert more
        assert Ask(asked.route, asked.body).key("w") == asked.key("w")
        assert replace(more, tokens=None, goes_on=False).key("w") == more.key("w")
        assert "return_token_ids" not in {*asked.body, *more.body}


@pytest.mark.parametrize(
    ("begun", "raw", "text"),
    [
        pytest.param("<think>a", " b</think>c", " b</think>c", id="tags stay"),
        pytest.param(
            "<think>a",
            " b<|end|><|start|>assistant<|channel|>final<|message|>c<|return|>",
            " b</think>c",
            id="gpt-oss: the thought ends in the continuation",
        ),
        pytest.param("<think>a", "<|start|>assistant<|channel|>final<|message|>c", "</think>c", id="cut after end"),
        pytest.param("<think>a", "assistant<|channel|>final<|message|>c", "</think>c", id="cut inside the frame"),
        pytest.param("<think>a", "final<|message|>c", "</think>c", id="cut after the channel's mark"),
        pytest.param("<think>a", "<|message|>c", "</think>c", id="cut before the message"),
        pytest.param("", "<|channel|>analysis<|message|>a", "<think>a", id="cut before the thought"),
        pytest.param("", "<|message|>a", "<think>a", id="cut inside the first frame"),
        pytest.param("<think>a</think>b", " c<|return|>", " c", id="cut in the answer"),
        pytest.param("<think>a", " b[/THINK]c", " b</think>c", id="Magistral"),
        pytest.param("", "[THINK]a[/THINK]b", "<think>a</think>b", id="Magistral from the start"),
        pytest.param("<think>a</think>b", "final<|x", "final<|x", id="a word that looks like a frame"),
    ],
)
def test_frames_of_thoughts_become_tags(begun: str, raw: str, text: str) -> None:
    assert as_tags(raw, begun) == text


@given(st.lists(st.integers(0, 2**32 - 1)), st.lists(st.integers(0, 200_000)))
def test_token_numbers_come_back_as_they_were(prompt: list[int], answer: list[int]) -> None:
    assert unpacked(packed(prompt, answer)) == prompt + answer


@pytest.mark.parametrize("tokens", [[-1], [2**40], ["a"], [1.5]], ids=str)
def test_numbers_that_are_none_are_a_fault_of_the_server(tokens: list[Any]) -> None:
    from tracemill.models.wire import ServerFault

    choice = {"message": {"content": "a"}, "finish_reason": "length", "token_ids": tokens}
    with pytest.raises(ServerFault):
        read_reply("/v1/chat/completions", 200, {"choices": [choice], "prompt_token_ids": [1]}, 0.0)


def test_only_a_cut_answer_keeps_its_tokens() -> None:
    for reason, kept in (("length", True), ("stop", False), ("repetition", False)):
        choice = {"message": {"content": "a"}, "finish_reason": reason, "token_ids": [2]}
        answer = read_reply("/v1/chat/completions", 200, {"choices": [choice], "prompt_token_ids": [1]}, 0.0)
        assert isinstance(answer, Reply)
        assert (answer.token_ids is not None) == kept
