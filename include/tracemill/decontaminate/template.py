"""Abstracts what a mutant changes: numbers and names become placeholders, so that both versions are the same text."""

from __future__ import annotations

import numpy as np

from tracemill.text.tokens import Tokens
from tracemill.text.vocabulary import NAME, NUMBER

_ANY_NUMBER = np.uint64(1)
_ANY_NAME = np.uint64(2)


def abstracted(tokens: Tokens) -> Tokens:
    """The tokens with every number and every name (a capitalised word within a sentence) replaced by a placeholder."""
    hashes = tokens.hashes.copy()
    hashes[(tokens.kinds & NAME) != 0] = _ANY_NAME
    hashes[(tokens.kinds & NUMBER) != 0] = _ANY_NUMBER
    return Tokens(hashes, tokens.kinds, tokens.offsets)
