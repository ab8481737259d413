"""Continues an answer that was cut: the server is given the very tokens it had, prompt and begun answer, and goes on.

The numbers of the tokens come from the server itself (`return_token_ids`, vLLM 0.10.2 and later) with the cut answer,
and are kept with it. Text is never made into tokens again: a word that was cut in two would become other tokens, and
what a reasoning parser took apart, or a detokeniser left out, could not be put back. The continuation is asked for with
its special tokens, by which models whose thought is framed by them (gpt-oss, Magistral) say where it ends; they become
the tags that every other part of tracemill knows.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Mapping
from typing import Any

BEGUN = "begun"  # the field of an Ask's body that holds the begun answer: part of its key, and never sent
_OF_A_CHAT = {
    "messages",
    BEGUN,
    "chat_template_kwargs",
    "reasoning_effort",
    "add_generation_prompt",
    "continue_final_message",
    "add_special_tokens",
}
UNKNOWN_TOKENS = (
    "the cut answer cannot be continued: no token numbers came with it. The server must know `return_token_ids` (vLLM "
    "0.10.2 and later), and answers stored by an older tracemill hold none: raise sampling.max_tokens, or change "
    "sampling.seed to ask anew"
)
# How models frame a thought other than by <think> tags. The cut may have fallen inside a frame, so that only its end is
# here: such a rest can only stand at the beginning.
_THOUGHT_ENDS = re.compile(r"(?:<\|end\|>)?(?:<\|start\|>assistant)?<\|channel\|>final<\|message\|>|\[/THINK\]")
_CUT_FRAME = re.compile(r"\A(?:<\|start\|>)?(?:assistant)?(?:<\|channel\|>)?(?:final)?<\|message\|>")
_THOUGHT_BEGINS = re.compile(r"(?:<\|start\|>assistant)?<\|channel\|>analysis<\|message\|>|\[THINK\]")
_AT_THE_END = re.compile(r"(?:<\|(?:return|end)\|>)+\Z")


def packed(prompt: list[int], answer: list[int]) -> bytes:
    """The numbers of a prompt's and an answer's tokens. Raises OverflowError or TypeError for what is no token."""
    numbers = array("I", [*prompt, *answer])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def unpacked(tokens: bytes) -> list[int]:
    """The numbers again."""
    numbers = array("I")
    numbers.frombytes(tokens)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def going_on(tokens: bytes, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the request that continues a cut answer with these tokens."""
    rest = {name: value for name, value in body.items() if name not in _OF_A_CHAT}
    return {**rest, "prompt": unpacked(tokens), "skip_special_tokens": False}


def as_tags(text: str, begun: str) -> str:
    """A continuation's text with <think> tags for the frames of thoughts; `begun` is the answer that it continues."""
    text = _AT_THE_END.sub("", _THOUGHT_BEGINS.sub("<think>", text))
    thinks = begun.count("<think>") > begun.count("</think>") or not begun
    if thinks:
        text = _CUT_FRAME.sub("</think>" if begun else "<think>", text)
    return _THOUGHT_ENDS.sub("</think>", text)
