"""Embedders: unit rows, the same for the same text, and MiniLM's fast path against its reference."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter

from tracemill.embedders import AnyEmbedder
from tracemill.embedders.base import Embedder
from tracemill.embedders.minilm import MiniLMEmbedder, model_folder
from tracemill.resources import Resources

TEXTS = [
    "If 3 pens cost 6 dollars, what do 5 pens cost?",
    "What do 5 pens cost if 3 pens cost 6 dollars?",
    "Write a function that sorts a list.",
    "求函数的最大值。",
    "Prove it. " * 400,
    "x",
    "",
]


def embedder(**settings: object) -> Embedder:
    made: Embedder = TypeAdapter(AnyEmbedder).validate_python(settings)
    return made


@pytest.mark.parametrize("kind", ["hashing", "minilm"])
def test_rows_are_unit_vectors_that_depend_on_their_own_text_only(kind: str) -> None:
    one = embedder(kind=kind)
    vectors = one.embed(TEXTS, Resources(workers=1))
    assert vectors.shape == (len(TEXTS), 384)
    np.testing.assert_allclose(np.linalg.norm(vectors[:6], axis=1), 1, atol=1e-5)
    turned = one.embed(TEXTS[::-1], Resources(workers=2))[::-1]
    assert (vectors[:6] * turned[:6]).sum(axis=1).min() > 0.9999
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


@pytest.mark.parametrize("kind", ["hashing", "minilm"])
def test_no_texts_give_no_rows(kind: str) -> None:
    assert embedder(kind=kind).embed([], Resources(workers=1)).shape == (0, 384)


def test_the_fast_path_decides_as_the_reference_does() -> None:
    fast = embedder(kind="minilm").embed(TEXTS, Resources(workers=1))
    exact = embedder(kind="minilm", backend="sentence_transformers").embed(TEXTS, Resources(workers=1))
    assert (fast * exact).sum(axis=1).min() > 0.9995
    assert np.abs(fast @ fast.T - exact @ exact.T).max() < 0.005


def test_the_hashing_embedder_ignores_order_and_layout() -> None:
    rows = embedder(kind="hashing").embed(["Add $3$ and 4.", "4 and 3 add"], Resources(workers=1))
    np.testing.assert_array_equal(rows[0], rows[1])


def test_a_space_is_named_by_settings_and_weights() -> None:
    assert embedder(kind="hashing").identity() == embedder(kind="hashing").identity()
    assert embedder(kind="hashing").identity() != embedder(kind="hashing", dimensions=64).identity()
    assert embedder(kind="minilm").identity() != embedder(kind="hashing").identity()
    assert set(MiniLMEmbedder(kind="minilm").material()) == {"model.safetensors", "tokenizer.json"}
    assert (model_folder() / "model.safetensors").is_file()
