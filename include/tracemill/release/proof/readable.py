"""Says what the tokens of a row do not say of its words: characters that are lost, and words that are read as control.

A rendered text may be whole and its tokens not: a vocabulary without a script has one token for all of it, or none; and
a trace that speaks of <|im_end|> would teach a student to end its turn in the middle of a thought.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

from tracemill.release.proof.masks import Tokens
from tracemill.release.proof.rendering import Span
from tracemill.release.proof.templates import Template

Misread = Literal["unreadable", "control_inside"]


def misread(template: Template, tokens: Tokens, text: str, span: Span) -> Iterator[tuple[Misread, str]]:
    """What a span of a rendered row is read as instead, with what there is to say about it."""
    first, last = tokens.span(span)
    here = tokens.ids[first:last]
    lost = _lost(template, here, text[slice(*span)])
    if lost is not None:
        yield "unreadable", f"the tokenizer has no token for {lost!r}"
    inside = next((template.controls[one] for one in here if one in template.controls), None)
    if inside is not None and inside != template.tokenizer.unk_token:
        yield "control_inside", f"{inside!r} is read as a control token"


def _lost(template: Template, here: Sequence[int], words: str) -> str | None:
    """A character that the tokens do not say; None where there is none. What a tokenizer composes anew is not lost."""
    said = template.tokenizer.backend_tokenizer.decode(here, skip_special_tokens=False)
    unknown = template.tokenizer.unk_token_id
    if unknown not in here and words in said:
        return None
    known = frozenset(_folded(said.replace(template.tokenizer.unk_token or "", "") if unknown in here else said))
    lost = next((one for one in _folded(words) if one not in known and not one.isspace()), None)
    if lost is None and unknown in here:
        return str(template.tokenizer.unk_token)
    return "\n" if lost is None and said.count("\n") < words.count("\n") else lost


def _folded(words: str) -> str:
    return unicodedata.normalize("NFKC", words).casefold()
