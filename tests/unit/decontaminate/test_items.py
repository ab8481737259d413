"""The n-gram index of benchmark items against its plain definition."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.build.grams import naive_grams, random_texts
from tracemill.decontaminate.ngram_index import contained, gram_index
from tracemill.text.ngrams import ngrams
from tracemill.text.tokens import tokenise


def naive_share(text: str, items: list[str], item: int, n: int) -> float:
    """Weight of the item's n-grams that the text has, each 1 / (items that have it), over the weight of all of them."""
    sets = [naive_grams(other, n) if len(other.split()) >= n else set() for other in items]
    weight = {gram: 1 / sum(gram in other for other in sets) for gram in sets[item]}
    held = naive_grams(text, n)
    return sum(w for gram, w in weight.items() if gram in held) / sum(weight.values())


@pytest.mark.parametrize("n", [2, 4])
def test_shares_are_those_of_the_definition(n: int) -> None:
    items, texts = random_texts(1, 12, 20), random_texts(2, 80, 60)
    index = gram_index(ngrams(tokenise(pa.array(items)), n, short=False), n)
    rows, owners, shares = contained(tokenise(pa.array(texts)), index)
    found = dict(zip(zip(rows.tolist(), owners.tolist(), strict=True), shares.tolist(), strict=True))
    for row, text in enumerate(texts):
        for item, question in enumerate(items):
            shared = len(question.split()) >= n and len(text.split()) >= n
            expected = naive_share(text, items, item, n) if shared else 0
            assert found.get((row, item), 0) == pytest.approx(expected, abs=1e-5)


def test_an_item_shorter_than_n_matches_nothing() -> None:
    index = gram_index(ngrams(tokenise(pa.array(["a b", ""])), 8, short=False), 8)
    rows, _, _ = contained(tokenise(pa.array(["a b", "x a b c d e f g h i"])), index)
    assert len(rows) == 0


def test_no_text_is_confused_with_the_one_before() -> None:
    index = gram_index(ngrams(tokenise(pa.array(["a b c d", "c d e f"])), 3, short=False), 3)
    rows, owners, shares = contained(tokenise(pa.array(["a b c d", "x", "a b c", "a b c a b c"])), index)
    assert [*zip(rows.tolist(), owners.tolist(), np.round(shares, 2).tolist(), strict=True)] == [
        (0, 0, 1.0),
        (2, 0, 0.5),
        (3, 0, 0.5),
    ]
