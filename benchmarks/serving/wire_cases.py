"""What really comes over the wire, byte for byte on a socket, and what must be made of it. Each is one request's answer
(or several, when it must be asked again) of vLLM, SGLang, TGI, OpenAI, DeepSeek, OpenRouter, Mistral, Anthropic, Gemini
behind proxies, and of proxies themselves, as reported by their users.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake_raw import Sent, answer, chunked, raw_server
from tracemill.models.model import Model
from tracemill.models.request import Ask, Refusal
from tracemill.models.session import Feed

OK = ("<think>a</think>b", "stop")


@dataclass(frozen=True)
class WireCase:
    """`right`: text and finish reason of the answer, or the reason of a refusal, or "RecipeError"; after how many
    requests (a request of another kind, such as the tiny one that tells poison from a broken server, counts too)."""

    name: str
    sent: Sequence[Sent]
    right: tuple[str, str] | str
    requests: int = 1


def chat(message: Any = None, finish: Any = "stop", **more: Any) -> bytes:
    """The JSON of an answer."""
    said = {"role": "assistant", "content": "<think>a</think>b"} if message is None else message
    return json.dumps({"model": "m", "choices": [{"message": said, "finish_reason": finish}], **more}).encode()


def event(delta: Any = None, finish: Any = None, **more: Any) -> bytes:
    """The data of one server-sent event."""
    return json.dumps({"choices": [{"delta": delta or {}, "finish_reason": finish}], **more}).encode()


def stream(*events: bytes, end: bytes = b"\n\n", done: bool = True, before: bytes = b"data: ") -> bytes:
    """Events as they are sent."""
    return b"".join(before + one + end for one in [*events, *([b"[DONE]"] if done else [])])


GOOD = answer(chat())
A, B, STOP = event({"content": "<think>a"}), event({"content": "</think>b"}), event(finish="stop")
SSE = "text/event-stream"
_ZIPPED = gzip.compress(chat())
_GZIP = "Content-Encoding: gzip"
_PARTS = [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}, {"type": "text", "text": "b"}]
_SMILE = event({"content": "<think>😀</think>b"}).decode().encode("ascii")
_RAW_SMILE = json.dumps({"choices": [{"delta": {"content": "<think>😀</think>b"}}]}, ensure_ascii=False).encode()


def error(message: str, **more: Any) -> dict[str, Any]:
    """An error's body as OpenAI and those who repeat it write it."""
    return {"error": {"message": message, **more}}


_CONTEXT = "This model's maximum context length is 4096 tokens. However, you requested"
_FILTER = {"innererror": {"code": "ResponsibleAIPolicyViolation"}}
# The same fault comes with many statuses, and the same status for many faults: name, status, body, what it is.
REFUSALS: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "no room: vLLM",
        "400 Bad",
        error(
            f"'max_tokens' or 'max_completion_tokens' is too large: 4096. {_CONTEXT[:52]} "
            "and your request has 60 input tokens (4096 > 4096 - 60)."
        ),
        "RecipeError",
    ),
    (
        "no room: output tokens",
        "400 Bad",
        error(
            f"{_CONTEXT} 4000 output tokens and your prompt contains at least 97 "
            "input tokens, for a total of at least 4097 tokens."
        ),
        "RecipeError",
    ),
    (
        "no room: in the completion",
        "400 Bad",
        error(f"{_CONTEXT} 4105 tokens (9 in the messages, 4096 in the completion). Please reduce the length."),
        "RecipeError",
    ),
    (
        "no room: SGLang",
        "400 Bad",
        {
            "message": "Requested token count exceeds the model's maximum context length of "
            "4096 tokens. You requested a total of 4105 tokens: 9 tokens from the input messages and 4096 tokens for "
            "the completion."
        },
        "RecipeError",
    ),
    (
        "no room: TGI",
        "422 No",
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. "
            "Given: 60 `inputs` tokens and 4096 `max_new_tokens`"
        },
        "RecipeError",
    ),
    (
        "no room: OpenAI",
        "400 Bad",
        error(
            "max_tokens is too large: 32768. This model supports at most 16384 completion "
            "tokens, whereas you provided 32768."
        ),
        "RecipeError",
    ),
    (
        "no room: Anthropic",
        "400 Bad",
        error("max_tokens: 32768 > 8192, which is the maximum allowed number of output tokens for this model"),
        "RecipeError",
    ),
    (
        "no room: DeepSeek",
        "400 Bad",
        error("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"),
        "RecipeError",
    ),
    ("no room: Groq", "400 Bad", error("`max_tokens` must be less than or equal to `8192`"), "RecipeError"),
    ("no room: exceeds the maximum", "400 Bad", error("max_tokens exceeds the maximum of 8192"), "RecipeError"),
    (
        "a long prompt: vLLM",
        "400 Bad",
        error(f"{_CONTEXT} 5000 tokens (4900 in the messages, 100 in the completion)."),
        "too_long",
    ),
    (
        "a long prompt: input tokens",
        "400 Bad",
        error(f"{_CONTEXT} 512 output tokens and your prompt contains at least 3585 input tokens."),
        "too_long",
    ),
    (
        "a long prompt: Anthropic's sum",
        "400 Bad",
        error(
            "input length and `max_tokens` exceed context limit: "
            "190000 + 20000 > 200000, decrease input length or `max_tokens`"
        ),
        "too_long",
    ),
    ("a long prompt: Anthropic", "400 Bad", error("prompt is too long: 210000 tokens > 200000 maximum"), "too_long"),
    (
        "a long prompt: llama.cpp",
        "400 Bad",
        error("the request exceeds the available context size, try increasing it", type="exceed_context_size_error"),
        "too_long",
    ),
    (
        "a long prompt: Mistral",
        "400 Bad",
        error("Prompt contains 40000 tokens, too large for model with 32768 maximum context length"),
        "too_long",
    ),
    ("a bare exceed is no length", "400 Bad", error("temperature exceeds 1.5"), "refused"),
    (
        "no money: Anthropic's 400",
        "400 Bad",
        error(
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
            type="invalid_request_error",
        ),
        "RecipeError",
    ),
    (
        "no money: Anthropic's own limit",
        "400 Bad",
        error("You have reached your specified API usage limits. You will regain access on 2026-12-01."),
        "RecipeError",
    ),
    (
        "no money: OpenAI's 429",
        "429 No",
        error(
            "You exceeded your current quota, please check your plan and billing details.",
            type="insufficient_quota",
            code="insufficient_quota",
        ),
        "RecipeError",
    ),
    (
        "no money: xAI's 403",
        "403 No",
        {
            "code": "x",
            "error": "Your team has either used all available credits or reached its monthly spending limit.",
        },
        "RecipeError",
    ),
    ("no money: OpenRouter's 403", "403 No", error("Key limit exceeded (total limit)", code=403), "RecipeError"),
    ("no money: Alibaba's 400", "400 Bad", error("Access denied", code="Arrearage"), "RecipeError"),
    ("no money: HTTP 200", "200 OK", error("Insufficient credits", code=402), "RecipeError"),
    (
        "a filter: OpenRouter's 403",
        "403 No",
        error(
            "Your chosen model requires moderation and your input was flagged",
            code=403,
            metadata={"reasons": ["violence"]},
        ),
        "content_filter",
    ),
    (
        "a filter: reasons alone",
        "403 No",
        error("Provider returned error", metadata={"reasons": ["x"]}),
        "content_filter",
    ),
    (
        "a filter: Azure's 400",
        "400 Bad",
        error("The response was filtered", code="content_filter", **_FILTER),
        "content_filter",
    ),
    (
        "a filter: DeepSeek's 400",
        "400 Bad",
        error("Content Exists Risk", type="invalid_request_error"),
        "content_filter",
    ),
    (
        "a filter: Alibaba's 400",
        "400 Bad",
        error("Input data may contain inappropriate content.", code="data_inspection_failed"),
        "content_filter",
    ),
    (
        "a filter: Moonshot's 400",
        "400 Bad",
        error("The request was rejected because it was considered high risk", type="content_filter"),
        "content_filter",
    ),
]

WIRE_CASES = [
    # whole answers in JSON
    WireCase("usage absent", [GOOD], OK),
    WireCase("usage null", [answer(chat(usage=None))], OK),
    WireCase("usage with words for numbers", [answer(chat(usage={"prompt_tokens": "7"}))], OK),
    WireCase("finish_reason null", [answer(chat(finish=None))], (OK[0], "unknown")),
    WireCase("finish_reason absent", [answer(b'{"choices":[{"message":{"content":"x"}}]}')], ("x", "unknown")),
    WireCase("finish_reason of TGI", [answer(chat(finish="eos_token"))], OK),
    WireCase("finish_reason of Gemini", [answer(chat(finish="STOP"))], OK),
    WireCase("finish_reason of Gemini, cut", [answer(chat(finish="MAX_TOKENS"))], (OK[0], "length")),
    WireCase("finish_reason of Gemini's filter", [answer(chat(finish="SAFETY"))], (OK[0], "content_filter")),
    WireCase("finish_reason of Anthropic's filter", [answer(chat(finish="refusal"))], (OK[0], "content_filter")),
    WireCase("finish_reason nobody knows", [answer(chat(finish="moon"))], (OK[0], "moon")),
    WireCase("finish_reason a number", [answer(chat(finish=3)), GOOD], OK, 2),
    WireCase("reasoning", [answer(chat({"reasoning": "a", "content": "b"}))], OK),
    WireCase("reasoning_content", [answer(chat({"reasoning_content": "a", "content": "b"}))], OK),
    WireCase(
        "reasoning in both fields", [answer(chat({"reasoning_content": "a", "reasoning": "a", "content": "b"}))], OK
    ),
    WireCase(
        "reasoning in details alone",
        [answer(chat({"reasoning_details": [{"type": "reasoning.text", "text": "a"}], "content": "b"}))],
        OK,
    ),
    WireCase("the thought twice", [answer(chat({"reasoning_content": "a", "content": "<think>a</think>b"}))], OK),
    WireCase("content in parts", [answer(chat({"content": _PARTS}))], OK),
    WireCase("content in parts nobody knows", [answer(chat({"content": [{"type": "image"}]})), GOOD], OK, 2),
    WireCase("thought alone", [answer(chat({"content": None, "reasoning": "a"}))], ("<think>a", "stop")),
    WireCase(
        "half a character",
        [answer(b'{"choices":[{"message":{"content":"x\\ud83d"},"finish_reason":"stop"}]}')],
        ("x\ufffd", "stop"),
    ),
    WireCase("a byte order mark", [answer(b"\xef\xbb\xbf" + chat())], OK),
    WireCase(
        "blank lines before it, as DeepSeek waits", [[*chunked([b"\n", b"\n\n", chat()], "application/json")]], OK
    ),
    WireCase("NaN in it", [answer(chat(logprobs=float("nan")))], OK),
    WireCase("gzip", [answer(_ZIPPED, "200 OK", "application/json", _GZIP)], OK),
    # answers that are none
    WireCase("choices empty", [answer(b'{"choices":[]}'), GOOD], OK, 2),
    WireCase("choices null", [answer(b'{"choices":null}'), GOOD], OK, 2),
    WireCase("message null", [answer(b'{"choices":[{"message":null,"finish_reason":"stop"}]}'), GOOD], OK, 2),
    WireCase("an error with HTTP 200", [answer(b'{"error":{"message":"overloaded","code":502}}'), GOOD], OK, 2),
    WireCase("a list for an answer", [answer(b"[]"), GOOD], OK, 2),
    WireCase("null for an answer", [answer(b"null"), GOOD], OK, 2),
    WireCase("nothing for an answer", [answer(b""), GOOD], OK, 2),
    WireCase("an HTML page with HTTP 200", [answer(b"<html>hi</html>", "200 OK", "text/html"), GOOD], OK, 2),
    WireCase("a login page for ever", [answer(b"<html>log in</html>", "200 OK", "text/html")], "RecipeError", 5),
    WireCase("JSON that is nobody's answer", [answer(b'{"status":"ok"}')], "RecipeError", 5),
    WireCase("half of a JSON", [answer(chat()[:-9]), GOOD], OK, 2),
    WireCase("half of a gzip", [answer(_ZIPPED[:-12], "200 OK", "application/json", _GZIP), GOOD], OK, 2),
    WireCase("no gzip under its name", [answer(chat(), "200 OK", "application/json", _GZIP), GOOD], OK, 2),
    WireCase("fewer bytes than said", [[GOOD[:-20], b""], GOOD], OK, 2),
    WireCase("closed without a word", [b"", GOOD], OK, 2),
    WireCase("no HTTP at all", [b"\x16\x03\x01\x00\x00rubbish\r\n\r\n", GOOD], OK, 2),
    WireCase("broken off: abort", [answer(chat(finish="abort")), GOOD], OK, 2),
    WireCase("broken off: error", [answer(chat(finish="error")), GOOD], OK, 2),
    WireCase("HTTP 502", [answer(b"<html>", "502 Bad Gateway", "text/html"), GOOD], OK, 2),
    WireCase("HTTP 529", [answer(b"{}", "529 Overloaded"), GOOD], OK, 2),
    WireCase("HTTP 500 without a body", [answer(b"", "500 Oops"), GOOD], OK, 2),
    WireCase("HTTP 429", [answer(b"{}", "429 Slow", "application/json", "Retry-After: 0"), GOOD], OK, 2),
    WireCase(
        "a quota a minute in the words of an empty account",
        [
            answer(
                json.dumps(
                    error("You exceeded your current quota. Please retry in 0.1s", status="RESOURCE_EXHAUSTED")
                ).encode(),
                "429 Slow",
                "application/json",
                "Retry-After: 0",
            ),
            GOOD,
        ],
        OK,
        2,
    ),
    WireCase("HTTP 503 with a wait", [answer(b"{}", "503 Busy", "application/json", "Retry-After: 0"), GOOD], OK, 2),
    WireCase("HTTP 408", [answer(b"{}", "408 Request Timeout"), GOOD], OK, 2),
    # refusals
    WireCase(
        "too long, OpenAI",
        [answer(b'{"error":{"message":"maximum context length is 9 tokens"}}', "400 Bad")],
        "too_long",
    ),
    WireCase(
        "too long, SGLang",
        [answer(b'{"message":"The input (9 tokens) is longer than the model\'s context"}', "400 Bad")],
        "too_long",
    ),
    WireCase("too long, a proxy", [answer(b"", "413 Payload Too Large")], "too_long"),
    WireCase("refused", [answer(b'{"detail":"no"}', "422 Unprocessable")], "refused"),
    WireCase(
        "no balance", [answer(b'{"error":{"message":"Insufficient Balance"}}', "402 Payment Required")], "RecipeError"
    ),
    WireCase("wrong key", [answer(b"{}", "401 Unauthorized")], "RecipeError"),
    WireCase("no such model", [answer(b'{"error":{"message":"no such model"}}', "404 Not Found")], "RecipeError"),
    WireCase("not a chat address", [answer(b"", "405 Method Not Allowed")], "RecipeError"),
    *[WireCase(name, [answer(json.dumps(said).encode(), status)], right) for name, status, said, right in REFUSALS],
    # streams
    WireCase("a stream", [answer(stream(A, B, STOP), kind=SSE)], OK),
    WireCase(
        "a stream, one byte a time",
        [chunked([stream(A, B, STOP)[n : n + 1] for n in range(len(stream(A, B, STOP)))])],
        OK,
    ),
    WireCase(
        "comments between",
        [answer(b": OPENROUTER PROCESSING\n\n" + stream(A) + b":\n\n" + stream(B, STOP), kind=SSE)],
        ("<think>a", "unknown"),
    ),
    WireCase(
        "comments all along",
        [answer(b": hi\n\n" + stream(A, done=False) + b":\n\n: x\n\n" + stream(B, STOP), kind=SSE)],
        OK,
    ),
    WireCase("no new line at its end", [answer(stream(A, B, STOP).rstrip(b"\n"), kind=SSE)], OK),
    WireCase("line ends of Windows", [answer(stream(A, B, STOP, end=b"\r\n\r\n"), kind=SSE)], OK),
    WireCase("no blank after the colon", [answer(stream(A, B, STOP, before=b"data:"), kind=SSE)], OK),
    WireCase(
        "names of events", [answer(stream(A, B, STOP, before=b"id: 1\nevent: x\nretry: 5\ndata: "), kind=SSE)], OK
    ),
    WireCase("[DONE] twice", [answer(stream(A, B, STOP) + stream(), kind=SSE)], OK),
    WireCase("events after [DONE]", [answer(stream(A, B, STOP) + stream(B), kind=SSE)], OK),
    WireCase("no [DONE]", [answer(stream(A, B, STOP, done=False), kind=SSE)], OK),
    WireCase(
        "usage after the end",
        [answer(stream(A, B, STOP, b'{"choices":[],"usage":{"completion_tokens":3}}'), kind=SSE)],
        OK,
    ),
    WireCase("empty choices first", [answer(stream(b'{"choices":[]}', A, B, STOP), kind=SSE)], OK),
    WireCase("null delta", [answer(stream(b'{"choices":[{"delta":null}]}', A, B, STOP), kind=SSE)], OK),
    WireCase(
        "reasoning by pieces", [answer(stream(event({"reasoning": "a"}), event({"content": "b"}), STOP), kind=SSE)], OK
    ),
    WireCase(
        "reasoning_content by pieces",
        [answer(stream(event({"reasoning_content": "a", "content": None}), event({"content": "b"}), STOP), kind=SSE)],
        OK,
    ),
    WireCase(
        "a character cut in two",
        [chunked([b"data: " + _RAW_SMILE[:32], _RAW_SMILE[32:34], _RAW_SMILE[34:] + b"\n\n" + stream(STOP)])],
        ("<think>😀</think>b", "stop"),
    ),
    WireCase("an escaped character", [answer(stream(_SMILE, STOP), kind=SSE)], ("<think>😀</think>b", "stop")),
    WireCase("a stream under another name", [answer(stream(A, B, STOP), kind="text/plain")], OK),
    WireCase("a stream called JSON", [answer(b": x\n\n" + stream(A, B, STOP))], OK),
    WireCase("an answer in one piece though a stream was asked", [GOOD], OK),
    WireCase("whole messages for deltas", [answer(stream(chat()), kind=SSE)], OK),
    WireCase("deltas, then the whole message again", [answer(stream(A, B, chat()), kind=SSE)], OK),
    WireCase(
        "a stream of contents in parts",
        [answer(stream(event({"content": [_PARTS[0]]}), event({"content": "b"}), STOP), kind=SSE)],
        OK,
    ),
    WireCase(
        "parts nobody knows in a stream",
        [answer(stream(event({"content": [{"type": "x"}]}), STOP), kind=SSE), GOOD],
        OK,
        2,
    ),
    WireCase("the thought twice by pieces", [answer(stream(event({"reasoning": "a"}), A, B, STOP), kind=SSE)], OK),
    WireCase(
        "reasoning in details by pieces",
        [answer(stream(event({"reasoning_details": [{"text": "a"}]}), event({"content": "b"}), STOP), kind=SSE)],
        OK,
    ),
    WireCase(
        "reasoning and its details",
        [
            answer(
                stream(event({"reasoning": "a", "reasoning_details": [{"text": "a"}]}), event({"content": "b"}), STOP),
                kind=SSE,
            )
        ],
        OK,
    ),
    WireCase(
        "a refusal in a field of its own", [answer(chat({"content": None, "refusal": "no"}))], ("", "content_filter")
    ),
    WireCase(
        "a refusal by pieces",
        [answer(stream(event({"refusal": "n"}), event({"refusal": "o"}), STOP), kind=SSE)],
        ("", "content_filter"),
    ),
    WireCase("content that is a number", [answer(chat({"content": 4})), GOOD], OK, 2),
    WireCase("a stream that ends early", [answer(stream(A, done=False), kind=SSE), GOOD], OK, 2),
    WireCase("a stream that never ends its chunks", [chunked([stream(A, done=False)], whole=False), GOOD], OK, 2),
    WireCase("a stream without a word", [answer(b"", kind=SSE), GOOD], OK, 2),
    WireCase("an error inside a stream", [answer(stream(A, b'{"error":{"message":"died"}}'), kind=SSE), GOOD], OK, 2),
    WireCase("an error for a finish reason", [answer(stream(A, event(finish="error")), kind=SSE), GOOD], OK, 2),
    WireCase("rubbish inside a stream", [answer(stream(A, b"<html>"), kind=SSE), GOOD], OK, 2),
    WireCase("a stream that was cut", [answer(stream(A, event(finish="length")), kind=SSE)], ("<think>a", "length")),
]


def made_of(case: WireCase) -> tuple[tuple[str, str | None] | str, int]:
    """What the product makes of a case, and after how many requests."""
    with raw_server(case.sent) as (url, asked), tempfile.TemporaryDirectory() as folder:
        model = Model.model_validate({"name": "m", "weights": "org/m", "revision": "1", "serve": {"patience": 20}})
        named = json.dumps({"m": [{"url": url, "model": "m"}]})
        feed = Feed(model, Store.at(folder, create=True), Resources(workers=1, environment={ENDPOINTS: named}), "near")
        body = {"messages": [{"role": "user", "content": "?"}], "max_tokens": 9}
        try:
            (found,) = feed.answers([Ask("/v1/chat/completions", body)])
        except RecipeError:
            return "RecipeError", asked[0]
        stored = list(Path(folder, "samples").rglob("*-*.parquet"))
    if isinstance(found, Refusal):
        return found.reason, asked[0]
    if not stored:
        return "not stored", asked[0]
    return (found.text, found.finish_reason), asked[0]


def wrong_cases() -> Iterator[str]:
    """The names of the cases of which something else is made, with what."""
    for case in WIRE_CASES:
        found = made_of(case)
        if found != (case.right, case.requests):
            yield f"{case.name}: {found}, not {(case.right, case.requests)}"
