"""Compiles the inner loops of `sign` and `rules` before a run needs them: `python -m tracemill.compiling`, as `make
install` does. On twelve rows they are all the time that the two steps take: 17 s of a core.
"""

from __future__ import annotations

import pyarrow as pa

from tracemill.dedup.agreement_key import guards
from tracemill.dedup.minhash import band_marks, sketches
from tracemill.embedders.hashing import HashingEmbedder
from tracemill.engine.resources import Resources
from tracemill.select.repetition import repetition
from tracemill.text.end_tokens import holds_tokens
from tracemill.text.ngrams import ngrams, text_keys
from tracemill.text.tokens import tokenise
from tracemill.text.vocabulary import LEXICAL

_TEXTS = ["What is 2 + 3, and why?", "<think>Two and three. " * 12 + "</think>5<|im_end|>", "1. Is it so?\n" * 20, ""]


def compile_kernels() -> None:
    """Call each of them on a few texts; what was compiled before is taken from the disk."""
    texts = pa.array(_TEXTS)
    tokens = tokenise(texts)
    band_marks(sketches(ngrams(tokens.only(LEXICAL), 3)), guards(tokens))
    text_keys(tokens)
    repetition(texts, 20)
    holds_tokens(texts)
    HashingEmbedder(kind="hashing").embed(_TEXTS, Resources(workers=1))


if __name__ == "__main__":
    compile_kernels()
