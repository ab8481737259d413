"""Tokenises texts into hashes that are equal where two prints of a problem are: the base of dedup and decontamination.

Kept apart: letters, digits, LaTeX commands and every mark that can change a formula. Made equal: letter case, widths,
white space, `1,000` and `1000`, `2.50` and `2.5`, `two` and `2`, `\\dfrac` and `\\frac`, `{x}` and `x`, `≤` and `\\le`.
Left out: sentence punctuation, `$`, quotes, markdown, hyphens between words, LaTeX spacing. Scripts written without
blanks (Chinese, Japanese, Korean) give one token a character. See docs/design/dedup.md for the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from tracemill.text.folding import buffers, folded_texts, plain_texts
from tracemill.text.jit import I64, U8, U64
from tracemill.text.token_scan import CLASSES, scan, select
from tracemill.text.vocabulary import REPLACEMENTS

# Of text. A token takes 9 bytes of output for each byte of text at worst: arrays below 32 MiB are kept by the C library
# for the next batch, larger ones are mapped anew, page by page, which took a fifth of the time.
BATCH_BYTES = 2 << 20


@dataclass(frozen=True)
class Tokens:
    """Tokens of many texts: text k has `hashes[offsets[k]:offsets[k+1]]`, with kinds as vocabulary.py names them."""

    hashes: U64
    kinds: U8
    offsets: I64

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def only(self, kinds: int) -> Tokens:
        """The tokens whose kind has one of those bits."""
        hashes = np.empty_like(self.hashes)
        kept = np.empty_like(self.kinds)
        offsets = np.empty_like(self.offsets)
        count = select(self.hashes, self.kinds, self.offsets, kinds, hashes, kept, offsets)
        return Tokens(hashes[:count], kept[:count], offsets)


def tokenise(texts: pa.Array | pa.ChunkedArray, *, fold: bool = True) -> Tokens:
    """Tokens of a column of strings; null is an empty text. Memory: 9 bytes a byte of text while it works.

    Without `fold` the look-alikes outside ASCII stay apart (see folding.py): enough within one text, and faster.
    """
    data, offsets = buffers(folded_texts(texts) if fold else plain_texts(texts))
    size = int(offsets[-1] - offsets[0]) if len(offsets) else 0
    hashes = np.empty(size, np.uint64)
    kinds = np.empty(size, np.uint8)
    ends = np.zeros(len(texts) + 1, np.int64)
    count = 0
    if len(texts):
        table = REPLACEMENTS
        count = scan(data, offsets, CLASSES, table.keys, table.values, table.kinds, hashes, kinds, ends)
    return Tokens(hashes[:count].copy(), kinds[:count].copy(), ends)


def token_batches(
    texts: pa.ChunkedArray | pa.Array, limit: int = BATCH_BYTES, *, fold: bool = True
) -> Iterator[tuple[int, Tokens]]:
    """Tokens of consecutive rows, about `limit` bytes of text at a time, with the number of the first row."""
    column = texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts])
    first = 0
    for chunk in column.chunks:
        chunk = chunk.cast(pa.large_string())
        if not len(chunk):
            continue
        sizes = np.diff(np.frombuffer(chunk.buffers()[1], np.int64)[chunk.offset : chunk.offset + len(chunk) + 1])
        part = np.cumsum(sizes) // limit
        cuts = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), len(chunk)]
        for start, stop in pairwise(cuts):
            yield first + start, tokenise(chunk.slice(start, stop - start), fold=fold)
        first += len(chunk)
