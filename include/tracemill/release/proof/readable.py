"""Says what the tokens of a row do not say of its words: what is lost or read as something else, or as control.

A rendered text may be whole and its tokens not: a vocabulary without a script has one token for all of it, or none; and
a trace that speaks of <|im_end|> would teach a student to end its turn in the middle of a thought.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
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
        yield "unreadable", f"the tokenizer {lost}"
    inside = next((template.controls[one] for one in here if one in template.controls), None)
    if inside is not None and inside != template.tokenizer.unk_token:
        yield "control_inside", f"{inside!r} is read as a control token"


def _lost(template: Template, here: Sequence[int], words: str) -> str | None:
    """What the tokens do not say of the words; None where they say all. What a tokenizer composes anew is not lost.

    Characters are counted, white space too: a tokenizer that reads x² as x2, or two spaces as one (and so code without
    its indentation), says other words, though none of its tokens is unknown.
    """
    said = template.tokenizer.backend_tokenizer.decode(here, skip_special_tokens=False)
    unknown = template.tokenizer.unk_token_id
    if unknown not in here and words in said:
        return None
    told = said.replace(template.tokenizer.unk_token or "", "") if unknown in here else said
    known = Counter(unicodedata.normalize("NFC", told))
    needed = Counter(unicodedata.normalize("NFC", words))
    lost = next((one for one, times in needed.items() if known[one] < times), None)
    if lost is None:
        return f"has no token for {template.tokenizer.unk_token!r}" if unknown in here else None
    return f"forgets some {lost!r}" if known[lost] else f"has no token for {lost!r}"
