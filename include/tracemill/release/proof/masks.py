"""Says which characters and which tokens of a rendered row are in the loss, by the rules of trl and transformers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracemill.release.proof.rendering import Rendered, Span
from tracemill.release.proof.templates import Template

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Tokens:
    """A rendered row as tokens. `encoding`: a fast tokenizer's; `loss`: which tokens are in it, before any cut."""

    encoding: Any
    loss: Mask

    @cached_property
    def ids(self) -> list[int]:
        """The number of each token."""
        found: list[int] = self.encoding.ids
        return found

    def span(self, characters: Span) -> Span:
        """The tokens that hold these characters, from the first to past the last; (0, 0) where no token holds any."""
        start, end = characters
        first = next((token for place in range(start, end) if (token := self._at(place)) is not None), None)
        if first is None:
            return 0, 0
        last = next(token for place in range(end - 1, start - 1, -1) if (token := self._at(place)) is not None)
        while (after := self.encoding.token_to_chars(last + 1)) and after[0] < end:  # one character, several tokens
            last += 1
        return first, last + 1

    def _at(self, place: int) -> int | None:
        token: int | None = self.encoding.char_to_token(place)
        return token


def encoded_all(template: Template, rows: Sequence[Rendered]) -> list[Tokens]:
    """The tokens of many rendered rows, by the template's own tokenizer, which adds no special tokens to a template."""
    cut = template.tokenizer.backend_tokenizer
    cut.no_truncation()
    cut.no_padding()
    whole = cut.encode_batch([row.text for row in rows], add_special_tokens=False)
    alone = cut.encode_batch([row.alone or "" for row in rows], add_special_tokens=False)
    pairs = zip(rows, whole, alone, strict=True)
    return [tokens(row, encoding, prompt.ids if row.alone is not None else None) for row, encoding, prompt in pairs]


def tokens(row: Rendered, encoding: Any, alone: Sequence[int] | None) -> Tokens:
    """The row's tokens with its loss. `alone`: the tokens of its prompt by itself, for a row that has one.

    A completion begins where those two part (trl, `common_prefix_length`); otherwise the loss is what the template
    marks, each mark from the token of its first character to that of its last (transformers, `apply_chat_template`).
    """
    loss = np.zeros(len(encoding.ids), dtype=bool)
    if alone is not None:
        loss[_common(encoding.ids, alone) :] = True
        return Tokens(encoding, loss)
    for start, end in row.written:
        first = encoding.char_to_token(start)
        last = encoding.char_to_token(end - 1)
        if first is None:
            break
        loss[first : last + 1 if last else len(loss)] = True
    return Tokens(encoding, loss)


def characters(row: Rendered) -> list[Span]:
    """The spans of characters in the loss, where no tokenizer is known."""
    if row.alone is not None:
        return [(_alike(row.text, row.alone), len(row.text))]
    return list(row.written)


def _common(ids: Sequence[int], others: Sequence[int]) -> int:
    shorter = min(len(ids), len(others))
    parted = np.flatnonzero(np.asarray(ids[:shorter]) != np.asarray(others[:shorter]))
    return int(parted[0]) if parted.size else shorter


def _alike(text: str, other: str) -> int:
    """How many characters the two have in common from their beginning on."""
    least = 0
    most = min(len(text), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if text.startswith(other[least:middle], least):
            least = middle
        else:
            most = middle - 1
    return least
