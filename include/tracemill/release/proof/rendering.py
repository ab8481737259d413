"""Renders a row as transformers does (in its sandbox), and finds each of the row's texts in what came out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2

from tracemill.release.proof.example import Example
from tracemill.release.proof.templates import Template

Span = tuple[int, int]
# What a template may raise: its own words, and what Python says of what it does to a row.
_OF_TEMPLATES = (
    jinja2.TemplateError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
_NAME = re.compile("\ue000(\\d+)\ue001")  # private use: no row's text is read for them


class Refused(Exception):
    """The template would not render this row; the text is the template's own reason."""


@dataclass(frozen=True)
class Rendered:
    """A row as text. `written`: the spans of characters that the template marks as the assistant's.

    `alone`: the prompt as it is rendered without its completion, for rows that have one.
    """

    text: str
    written: Sequence[Span]
    alone: str | None


def rendered(template: Template, given: Example) -> Rendered:
    """The row as the trainer renders it. Raises Refused where the template raises."""
    text, written = _render(template, given.messages, asking=False, marks=given.loss == "assistant")
    if given.prompt is None:
        return Rendered(text, written, None)
    return Rendered(text, written, _render(template, given.messages[: given.prompt], asking=True, marks=False)[0])


def _render(
    template: Template, messages: Sequence[dict[str, object]], asking: bool, marks: bool
) -> tuple[str, list[Span]]:
    from transformers.utils.chat_template_utils import render_jinja_template

    try:
        texts, spans = render_jinja_template(
            [list(messages)],
            chat_template=template.text,
            return_assistant_tokens_mask=marks,
            add_generation_prompt=asking,
            **template.special,
        )
    except _OF_TEMPLATES as error:
        raise Refused(str(error).strip() or type(error).__name__) from error
    return texts[0], spans[0] if spans else []


def name_of(number: int) -> str:
    """What stands for a row's text number `number` in the rendering of its shape."""
    return f"\ue000{number}\ue001"


def pieces(text: str) -> list[str | int]:
    """A rendering of names as literal texts and numbers, in turn: text, number, text, ..., text."""
    return [int(part) if place % 2 else part for place, part in enumerate(_NAME.split(text))]


def matched(text: str, shape: Sequence[str | int], said: Sequence[str]) -> dict[int, list[Span]] | None:
    """Where each text of a row is in its rendering, given the pieces of its shape; white space at edges may differ.

    None when the rendering is not the shape with the row's texts in it: the template looked at the words.
    """
    found: dict[int, list[Span]] = {number: [] for number in range(len(said))}
    place = 0
    for part in shape:
        body = (said[part] if isinstance(part, int) else part).strip()
        start = _past_space(text, place)
        if not body:
            continue
        if not text.startswith(body, start):
            return None
        place = start + len(body)
        if isinstance(part, int):
            found[part].append((start, place))
    return found if not text[place:].strip() else None


def _past_space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place
