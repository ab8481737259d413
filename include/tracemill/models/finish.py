"""Says what a finish reason means: a whole answer, a cut one, or a fault of the server that must not be kept.

The list of reasons is open: every server may invent one. So the table is closed the other way round: what it does not
know counts as cut, and nothing but "stop" ever counts as a whole answer.
"""

from __future__ import annotations

from typing import Literal

Ending = Literal["done", "cut", "fault"]
# vLLM 0.32 (v1/engine FINISH_REASON_STRINGS: stop, length, abort, error, repetition), SGLang (abort, matched stops),
# OpenAI (stop, length, content_filter, tool_calls), DeepSeek (insufficient_system_resource), OpenRouter (error),
# Anthropic's own words behind proxies (end_turn, stop_sequence, max_tokens, refusal), TGI (eos_token), Gemini behind
# proxies (STOP, MAX_TOKENS, SAFETY, RECITATION, ...), Mistral (model_length), Zhipu (sensitive).
_ENDINGS: dict[str, Ending] = {
    "stop": "done",
    "end_turn": "done",
    "stop_sequence": "done",
    "eos": "done",
    "eos_token": "done",
    "length": "cut",
    "max_tokens": "cut",
    "repetition": "cut",
    "content_filter": "cut",
    "abort": "fault",
    "aborted": "fault",
    "cancelled": "fault",
    "error": "fault",
    "insufficient_system_resource": "fault",
    "overloaded": "fault",
    "overloaded_error": "fault",
    "timeout": "fault",
}
_ONE_NAME = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "blocklist": "content_filter",
    "refusal": "content_filter",
    "sensitive": "content_filter",
}
_OF_TOOLS = {"tool_calls", "tool_use", "function_call"}
UNKNOWN = "unknown"


def ending(reason: str | None) -> Ending:
    """What a server's finish reason says about the text. Null and unknown reasons count as cut."""
    return _ENDINGS.get((reason or UNKNOWN).lower(), "cut")


def is_known(reason: str | None) -> bool:
    """Whether a reason tells anything at all: tools, which nobody asked for, are one too."""
    word = (reason or UNKNOWN).lower()
    return word in _ENDINGS or word in _ONE_NAME or word in _OF_TOOLS


def named(reason: str | None) -> str:
    """The one name of a reason that servers call differently; "unknown" for none at all."""
    word = (reason or UNKNOWN).lower()
    return _ONE_NAME.get(word, word)
