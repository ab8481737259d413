"""Finds what ends a response: where it stands in a rendered row, and the token by which a server will know it.

A student stops where it learned to, and a server stops where the tokenizer's `eos_token` says. Base models name another
token there than their chat template writes (Qwen2.5: <|endoftext|>, where turns end with <|im_end|>), so that a student
of theirs would never be stopped.
"""

from __future__ import annotations

import pyarrow as pa

from tracemill.release.layout import SCHEMA, published_row, response_text
from tracemill.release.proof.example import Example, example
from tracemill.release.proof.masks import encoded_all
from tracemill.release.proof.rendering import Refused, rendered
from tracemill.release.proof.templates import Template
from tracemill.release.trainers.layouts import LayoutName, laid_out
from tracemill.release.writer import METADATA

_THINKING = ("reasoning_content", "thinking")
_CLOSED = response_text("", "").rpartition(">\n<answer>")[2]  # what the layout itself writes behind an answer
_ANSWER = "It is four."


def end_of(text: str, given: Example, after: int) -> int | None:
    """Where in a rendered row the end of its response stands, which is behind the answer (`after`: where that ends).

    None where nothing but white space is there.
    """
    tail = text[after:].lstrip()
    if not any(field in given.messages[-1] for field in _THINKING):
        tail = tail.removeprefix(_CLOSED).lstrip()
    return len(text) - len(tail) if tail else None


def ending(template: Template, layout: LayoutName) -> str | None:
    """The token that ends a response of this template. None where nothing does, or no token of its own, or no tokenizer
    is known.
    """
    if template.folder is None:
        return None
    problem = {"source": "s", "prompt": "What is 2 + 2?", "messages": None, "reference_answer": None, "test_case": None}
    row = published_row(problem, {"teacher": "t", "think_content": "Two and two.", "answer_content": _ANSWER})
    about = {"generation_id": "g", "verdicts": [], "measurements": [], "teacher": "t"}
    rows = laid_out(pa.Table.from_pylist([row], SCHEMA), pa.Table.from_pylist([about], METADATA), layout)
    given = example(rows.to_pylist()[0])
    try:
        made = rendered(template, given)
    except Refused:
        return None
    at = made.text.rfind(_ANSWER)
    place = end_of(made.text, given, at + len(_ANSWER)) if at >= 0 else None
    if place is None:
        return None
    (tokens,) = encoded_all(template, [made])
    return template.stops.get(tokens.ids[tokens.span((place, place + 1))[0]])
