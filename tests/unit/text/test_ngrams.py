"""N-grams and repetition against their plain definitions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.build.grams import naive_grams, random_texts
from tracemill.select.repetition import repetition
from tracemill.text.ngrams import ngrams
from tracemill.text.tokens import tokenise


@pytest.mark.parametrize("n", [1, 3, 8])
def test_distinct_ngrams_are_those_of_the_definition(n: int) -> None:
    texts = random_texts(n, 200, 30)
    grams = ngrams(tokenise(pa.array(texts)), n)
    expected = [naive_grams(text, n) for text in texts]
    assert [len(grams.row(k)) for k in range(len(grams))] == [len(e) for e in expected]
    for a in range(0, 200, 7):
        for b in range(1, 200, 11):
            shared = np.intersect1d(grams.row(a), grams.row(b))
            assert len(shared) == len(expected[a] & expected[b])


def test_a_text_shorter_than_n_has_no_ngram_unless_asked() -> None:
    tokens = tokenise(pa.array(["a b", ""]))
    assert np.diff(ngrams(tokens, 5, short=False).offsets).tolist() == [0, 0]
    assert np.diff(ngrams(tokens, 5).offsets).tolist() == [1, 0]


def naive_loop(words: list[str]) -> tuple[int, int]:
    """Copies and words of the longest stretch with a period of at most 64 that holds at least two copies."""
    best = (0, 0)
    for period in range(1, 65):
        start = 0
        while start + period < len(words):
            stop = start + period
            while stop < len(words) and words[stop] == words[stop - period]:
                stop += 1
            if stop - start >= 2 * period and stop - start > best[1]:
                best = ((stop - start) // period, stop - start)
            start += 1
    return best


def test_loops_are_those_of_the_definition() -> None:
    texts = random_texts(5, 150, 40)
    found = repetition(pa.array(texts), 3)
    expected = [naive_loop(text.split()) for text in texts]
    assert list(zip(found.copies.tolist(), found.words.tolist(), strict=True)) == expected


def test_the_share_of_repeated_ngrams_is_that_of_the_definition() -> None:
    texts = random_texts(6, 150, 40)
    found = repetition(pa.array(texts), 3)
    for text, share in zip(texts, found.share.tolist(), strict=True):
        count = len(text.split()) - 2
        expected = 1 - len(naive_grams(text, 3)) / count if count > 0 else 0
        assert share == pytest.approx(expected, abs=1e-6)


LOOPS = {
    "words": ("wait " * 50, 50, 50),
    "phrase": ("let me check again. " * 12 + "done", 12, 48),
    "with a start": ("first " + "a b c " * 10, 10, 30),
    "numbers only": ("0, " * 200, 0, 0),
    "counted lines": ("\n".join(f"Step {k}: wait" for k in range(30)), 0, 0),
    "no repetition": ("every word here is another one", 0, 0),
    "chinese": ("再想想" * 20, 20, 60),
    "empty": ("", 0, 0),
}


@pytest.mark.parametrize(("text", "copies", "words"), LOOPS.values(), ids=LOOPS)
def test_a_loop_is_one_block_again_and_again(text: str, copies: int, words: int) -> None:
    found = repetition(pa.array([text]), 20)
    assert (int(found.copies[0]), int(found.words[0])) == (copies, words)


def test_long_columns_are_measured_in_batches() -> None:
    texts = ["a b " * 3, "x y z " * 400_000, None, "again " * 9]
    found = repetition(
        pa.chunked_array([pa.array(texts[:2], pa.large_string()), pa.array(texts[2:], pa.large_string())]), 20
    )
    assert found.copies.tolist() == [3, 400_000, 0, 9]
