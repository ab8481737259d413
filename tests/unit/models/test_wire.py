"""What servers send back: which of it is an answer, a row's own refusal, the recipe's fault, or to be asked again."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemill.errors import RecipeError
from tracemill.models.messages import with_tags
from tracemill.models.payload import decoded, encoded
from tracemill.models.request import Refusal, Reply
from tracemill.models.streaming import Assembly
from tracemill.models.wire import ServerFault, read_reply

CHAT = "/v1/chat/completions"
TWO = {"type": "text", "text": "2"}
HALF = b'{"choices": [{"message": {"content": "a\\ud83d b"}, "finish_reason": "stop"}]}'
ERROR = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: {"error": {"message": "boom"}}\n\n'


def chat(finish: Any = "stop", content: Any = "text", **message: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **message}, "finish_reason": finish}], "usage": None}


@pytest.mark.parametrize("reason", ["abort", "error", "insufficient_system_resource", "overloaded_error", "ERROR"])
def test_an_answer_that_was_broken_off_is_asked_again_though_the_status_is_200(reason: str) -> None:
    with pytest.raises(ServerFault, match="broken off"):
        read_reply(CHAT, 200, chat(reason), 0.0)


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("stop", "stop"),
        ("end_turn", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("repetition", "repetition"),
        ("content_filter", "content_filter"),
        pytest.param("model_was_tired", "model_was_tired", id="a word that nobody knows is no stop"),
        pytest.param(None, "unknown", id="null is no stop"),
    ],
)
def test_finish_reasons_have_one_name(reason: str | None, name: str) -> None:
    found = read_reply(CHAT, 200, chat(reason), 0.0)
    assert isinstance(found, Reply)
    assert found.finish_reason == name


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "a"}, "a"),
        ({"content": "a", "reasoning": "t"}, "<think>t</think>a"),
        ({"content": "a", "reasoning_content": "t"}, "<think>t</think>a"),
        ({"content": None, "reasoning": "t"}, "<think>t"),
        (
            {"content": [{"type": "thinking", "thinking": "one"}, {"type": "text", "text": "two"}]},
            "<think>one</think>two",
        ),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "1"}]},
                    {"type": "text", "text": "2"},
                ]
            },
            "<think>1</think>2",
        ),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab"),
    ],
)
def test_thinking_and_text_become_one_text(message: dict[str, Any], text: str) -> None:
    assert with_tags(message) == text


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize(
    ("thought", "content", "text"),
    [
        pytest.param("Two.\nFour.", "<think>\nTwo. Four.\n</think>\n\n4", None, id="but for blank space"),
        pytest.param("Two.", "\n<think>Two.</think>4", None, id="word for word"),
        pytest.param("Two.", "Two.\n</think>\n\n4", None, id="opened by the template"),
        pytest.param("I write </think> here.", "<think>I write </think> here.</think>4", None, id="it quotes its end"),
        pytest.param("Two and", "<think>\nTwo and", None, id="cut inside it"),
        pytest.param("Two.", "[THINK] Two. [/THINK] 4", "<think>Two.</think> 4", id="in Magistral's frame"),
        pytest.param("Two.", "◁think▷Two.◁/think▷4", "<think>Two.</think>4", id="in Kimi's frame"),
        pytest.param("Two.", "<thinking>\nTwo.", "<think>Two.", id="cut in another frame"),
        pytest.param("Two.", "<think>Three.</think>4", "<think>Two.</think><think>Three.</think>4", id="another one"),
        pytest.param("Two.", "<think>Two. Four.</think>4", "<think>Two.</think><think>Two. Four.</think>4", id="more"),
        pytest.param("Two.", "Two. It is 4", "<think>Two.</think>Two. It is 4", id="an answer that repeats it"),
        pytest.param("Two.", "4 <think>Two.</think>", "<think>Two.</think>4 <think>Two.</think>", id="not at its head"),
    ],
)
def test_a_thought_that_came_twice_is_one_thought(name: str, thought: str, content: str, text: str | None) -> None:
    assert with_tags({"content": content, name: thought}) == (text or content)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_thought_that_was_streamed_twice_is_one_thought(size: int) -> None:
    assembly = Assembly()
    for delta in ({"reasoning_content": "Two."}, {"content": "<think>Tw"}, {"content": "o.</think>4"}):
        sent = b"data: " + encoded({"choices": [{"delta": delta}]}) + b"\n\n"
        for start in range(0, len(sent), size):
            assembly.feed(sent[start : start + size])
    assert assembly.whole()["choices"][0]["message"]["content"] == "<think>Two.</think>4"
    assert with_tags(assembly.whole()["choices"][0]["message"]) == "<think>Two.</think>4"


@given(st.text(), st.text(alphabet=" \n\t", max_size=3), st.text())
def test_whatever_is_thought_and_said_twice_is_kept_once(thought: str, blank: str, said: str) -> None:
    content = f"<think>{blank}{thought}{blank}</think>{said}"
    for name in ("reasoning", "reasoning_content"):
        assert with_tags({"content": content, name: thought}) == content


@pytest.mark.parametrize(
    "content", [[{"type": "image_url", "image_url": {}}], ["text"], 7, {"text": "a"}, [{"type": "text", "text": None}]]
)
def test_content_in_a_form_nobody_reads_is_a_fault_and_never_its_repr(content: Any) -> None:
    with pytest.raises(ServerFault, match="without the documented fields"):
        read_reply(CHAT, 200, chat(content=content), 0.0)


def test_half_a_character_becomes_the_replacement_character() -> None:
    found = read_reply(
        CHAT, 200, decoded(b'{"choices": [{"message": {"content": "a\\ud83d b"}, "finish_reason": "stop"}]}'), 0
    )
    assert isinstance(found, Reply)
    assert found.text == "a\ufffd b"
    assert found.text.encode()


def test_half_a_character_in_a_prompt_can_be_sent() -> None:
    assert decoded(encoded({"prompt": "a\ud83d"})) == {"prompt": "a\ufffd"}


@pytest.mark.parametrize("bad", ["NaN", "-Infinity", "Infinity"])
def test_log_probabilities_that_are_no_numbers_measure_nothing(bad: str) -> None:
    data = decoded(
        b'{"choices": [{"text": "", "finish_reason": "length", "prompt_logprobs": [null, {"7": {"logprob": -1}},'
        b' {"8": {"logprob": %s}}]}]}' % bad.encode()
    )
    found = read_reply("/v1/completions", 200, data, 0.0)
    assert isinstance(found, Reply)
    assert math.isnan(found.values[0])


@pytest.mark.parametrize(
    ("status", "remedy"), [(401, "key"), (402, "top it up"), (403, "key"), (405, "base URL"), (501, "does not offer")]
)
def test_what_will_never_be_answered_ends_at_once_with_the_remedy(status: int, remedy: str) -> None:
    with pytest.raises(RecipeError, match=remedy):
        read_reply(CHAT, status, {"error": {"message": "no"}}, 0.0)


@pytest.mark.parametrize(("status", "alive"), [(500, True), (502, True), (429, False)])
def test_a_server_that_answers_an_error_may_mean_this_request(status: int, alive: bool) -> None:
    with pytest.raises(ServerFault) as caught:
        read_reply(CHAT, status, "", 0.0)
    assert caught.value.alive is alive
    assert caught.value.throttled is (status == 429)


def test_a_prompt_that_is_too_long_is_its_rows_own_affair() -> None:
    said = {"error": {"message": "This model's maximum context length is 10 tokens"}}
    assert read_reply(CHAT, 400, said, 0.0) == Refusal("too_long", "This model's maximum context length is 10 tokens")


EVENTS = (
    b": OPENROUTER PROCESSING\n\n"
    b'data: {"model": "r1", "choices": [{"delta": {"role": "assistant", "reasoning_content": "hm"}}]}\r\n\r\n'
    b'data: {"choices": [{"delta": {"content": "4\\u20ac"}}]}\n\n'
    b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
    b'data: {"choices": [], "usage": {"completion_tokens": 3}}\n\ndata: [DONE]\n\n'
)


@pytest.mark.parametrize("size", [1, 3, 50, 10_000])
def test_a_stream_cut_anywhere_is_the_whole_response(size: int) -> None:
    assembly = Assembly()
    for start in range(0, len(EVENTS), size):
        assembly.feed(EVENTS[start : start + size])
    found = read_reply(CHAT, 200, assembly.whole(), 0.0)
    assert isinstance(found, Reply)
    assert (found.text, found.finish_reason, found.completion_tokens) == ("<think>hm</think>4€", "stop", 3)
    assert found.served_model == "r1"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(EVENTS[: EVENTS.index(b"finish_reason") - 30], id="no finish reason"),
        pytest.param(ERROR, id="error"),
        pytest.param(b"data: <html>\n\n", id="no event at all"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_stream_that_was_broken_off_is_no_answer(sent: bytes) -> None:
    assembly = Assembly()
    assembly.feed(sent)
    with pytest.raises(ServerFault):
        read_reply(CHAT, 200, assembly.whole(), 0.0)


@given(cut=st.integers(0, len(EVENTS)), lost=st.integers(0, 40))
def test_no_part_of_a_stream_is_ever_a_whole_answer(cut: int, lost: int) -> None:
    """Trap: a connection that closes in good order in the middle of an answer."""
    assembly = Assembly()
    assembly.feed(EVENTS[: max(0, cut - lost)])
    try:
        found = read_reply(CHAT, 200, assembly.whole(), 0.0)
    except ServerFault:
        return
    assert isinstance(found, Reply)
    assert (found.text, found.finish_reason) == ("<think>hm</think>4€", "stop")


def used(prompt: Any, completion: Any, total: Any = None, **details: dict[str, int]) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total, **details}


THOUGHT = {"reasoning_tokens": 94}
CACHED = {"cached_tokens": 30}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param(used(32, 9, 41), (32, 9), id="OpenAI"),
        pytest.param(used(32, 103, 135, completion_tokens_details=THOUGHT), (32, 103), id="OpenAI counts the thought"),
        pytest.param(used(32, 9, 135, completion_tokens_details=THOUGHT), (32, 103), id="xAI counts it apart"),
        pytest.param(used(32, 9, 135), (32, 103), id="Gemini has it in the total alone"),
        pytest.param(used(32, 0, 92), (32, 60), id="nothing but a thought"),
        pytest.param(used(32, 9, 41, prompt_tokens_details=CACHED), (32, 9), id="the cache is part of the prompt"),
        pytest.param(used(2, 9, 41, prompt_tokens_details=CACHED), (32, 9), id="the cache stands beside the prompt"),
        pytest.param(used(32, 9, 5), (32, 9), id="a total that is none"),
        pytest.param(used(32, 9), (32, 9), id="no total"),
        pytest.param(used(0, 0, 0), (None, None), id="zeros: nobody counted"),
        pytest.param(used(-1, -1, -1), (None, None), id="less than nothing"),
        pytest.param(used(12.5, True), (None, None), id="no whole numbers"),
        pytest.param({}, (None, None), id="nothing"),
    ],
)
def test_tokens_are_those_that_are_paid_for(usage: dict[str, Any], expected: tuple[int | None, int | None]) -> None:
    """Trap: a thought that a provider counts apart cost nothing, and a limit of money was overshot tenfold."""
    found = read_reply(CHAT, 200, {**chat(), "usage": usage}, 0.0)
    assert isinstance(found, Reply)
    assert (found.prompt_tokens, found.completion_tokens) == expected


def test_an_answer_without_a_word_may_have_taken_no_token() -> None:
    found = read_reply(CHAT, 200, {**chat(content=""), "usage": used(32, 0, 32)}, 0.0)
    assert isinstance(found, Reply)
    assert (found.prompt_tokens, found.completion_tokens) == (32, 0)


@pytest.mark.parametrize(
    ("logprobs", "expected"),
    [
        pytest.param([-1.0, -2.0], (-3.0, 2.0), id="a first token without"),
        pytest.param([], (0.0, 0.0), id="one token"),
        pytest.param([-1.0] * 1000 + [-9999.0], (math.nan, 1001.0), id="vLLM's word for an impossible one"),
        pytest.param([-1.0, -math.inf], (math.nan, 2.0), id="an impossible one"),
        pytest.param([math.nan, -1.0], (math.nan, 2.0), id="no number"),
    ],
)
def test_an_impossible_token_of_a_prompt_makes_no_mean(logprobs: list[float], expected: tuple[float, float]) -> None:
    """Trap: among thousands of tokens the word for an impossible one is a perplexity like any other."""
    told = [None, *({"7": {"logprob": one}} for one in logprobs)]
    data = {"choices": [{"text": "x", "finish_reason": "length", "prompt_logprobs": told}]}
    found = read_reply("/v1/completions", 200, data, 0.0)
    assert isinstance(found, Reply)
    assert found.values == pytest.approx(expected, nan_ok=True)
