"""The word n-grams of a shard's living responses, a batch of texts at a time: chain and answer apart."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.step import Inputs
from tracemill.text.jit import U64
from tracemill.text.ngrams import Grams, ngrams
from tracemill.text.tokens import Tokens, token_batches, tokenise
from tracemill.text.vocabulary import LEXICAL

PARTS = ("think_content", "answer_content")


def words(texts: pa.Array | pa.ChunkedArray) -> Tokens:
    """The words, numbers and commands of texts; letter case, spacing and sentence marks are none (text/tokens.py)."""
    return tokenise(texts, fold=False).only(LEXICAL)


def grams_of(tokens: Tokens, n: int) -> Grams:
    """Every n-gram of each text in its order, as often as it stands there."""
    return ngrams(tokens, n, short=False, distinct=False)


def shard_grams(inputs: Inputs, shard: int, n: int) -> Iterator[U64]:
    """The n-grams of the shard's living responses; some megabytes of text at a time are held."""
    alive = inputs.alive("generation", shard)
    for batch in inputs.batches("generations", ["id", *PARTS], shard):
        living = batch.filter(pc.is_in(batch["id"], value_set=alive))
        for part in PARTS:
            for _, tokens in token_batches(living[part], fold=False):
                yield grams_of(tokens.only(LEXICAL), n).hashes
