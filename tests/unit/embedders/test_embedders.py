"""Embedders: unit rows, the same for the same text, and MiniLM's fast path against its reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from tracemill.embedders import AnyEmbedder
from tracemill.embedders.base import Embedder
from tracemill.embedders.minilm import MiniLMEmbedder, model_folder
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.endpoints import Endpoint, with_endpoints
from tracemill.models.fake import BASE, FakeServer

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


@pytest.mark.parametrize("kind", ["hashing", "minilm", "multilingual"])
def test_rows_are_unit_vectors_that_depend_on_their_own_text_only(kind: str) -> None:
    one = embedder(kind=kind)
    vectors = one.embed(TEXTS, Resources(workers=1))
    assert vectors.shape == (len(TEXTS), 512 if kind == "multilingual" else 384)
    np.testing.assert_allclose(np.linalg.norm(vectors[:6], axis=1), 1, atol=1e-5)
    turned = one.embed(TEXTS[::-1], Resources(workers=2))[::-1]
    assert (vectors[:6] * turned[:6]).sum(axis=1).min() > 0.9999
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


@pytest.mark.parametrize("kind", ["hashing", "minilm", "multilingual"])
def test_no_texts_give_no_rows(kind: str) -> None:
    assert embedder(kind=kind).embed([], Resources(workers=1)).shape == (0, 512 if kind == "multilingual" else 384)


def test_the_multilingual_space_holds_a_translation_together_and_chinese_questions_apart() -> None:
    limits = embedder(kind="multilingual").limits()
    texts = [
        "The radius of a circle is 7. Find its area.",
        "圆的半径是7，求它的面积。",
        "解释什么是光合作用。",
        "解释什么是通货膨胀。",
    ]
    rows = embedder(kind="multilingual").embed(texts, Resources(workers=1))
    assert limits.across is not None
    assert rows[0] @ rows[1] > limits.across
    assert rows[2] @ rows[3] < limits.semantic


UNCALIBRATED: dict[str, dict[str, object]] = {
    "sentence_transformer": {"model": "./models/own"},
    "served": {"model": {"name": "embedder", "weights": "BAAI/bge-m3", "revision": "abc", "serve": {"replicas": 0}}},
}


@pytest.mark.parametrize(("kind", "settings"), UNCALIBRATED.items(), ids=UNCALIBRATED)
def test_thresholds_belong_to_the_embedder_and_without_them_it_is_refused(
    kind: str, settings: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="nobody has calibrated"):
        embedder(kind=kind, **settings)
    given = embedder(kind=kind, **settings, thresholds={"semantic": 0.85, "across": 0.8})
    assert given.limits().semantic == 0.85


def test_thresholds_are_no_part_of_the_space() -> None:
    plain, other = embedder(kind="hashing"), embedder(kind="hashing", thresholds={"semantic": 0.5})
    assert plain.identity() == other.identity()
    assert other.limits().across is None


def of_folder(**settings: object) -> Embedder:
    folder = str(model_folder())
    return embedder(kind="sentence_transformer", model=folder, thresholds={"semantic": 0.9}, **settings)


@pytest.mark.slow
def test_any_folder_of_sentence_transformers_can_be_the_embedder() -> None:
    own = of_folder(characters=256).embed(TEXTS, Resources(workers=1))
    exact = embedder(kind="minilm", backend="sentence_transformers").embed(TEXTS, Resources(workers=1))
    assert (own[:6] * exact[:6]).sum(axis=1).min() > 0.9999
    assert of_folder(characters=256).identity() == of_folder().identity()
    assert of_folder(max_tokens=16).identity() != of_folder().identity()


def test_a_hub_model_must_be_pinned_and_a_folder_must_hold_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pin its revision"):
        embedder(kind="sentence_transformer", model="BAAI/bge-m3", thresholds={"semantic": 0.9})
    empty = embedder(kind="sentence_transformer", model=str(tmp_path), thresholds={"semantic": 0.9})
    with pytest.raises(RecipeError, match="holds no model"):
        empty.embed(["x"], Resources(workers=1))


def served() -> Embedder:
    return embedder(kind="served", **UNCALIBRATED["served"], thresholds={"semantic": 0.9})


def test_a_served_model_embeds_through_the_client_of_all_models(tmp_path: Path) -> None:
    named = with_endpoints({}, "embedder", [Endpoint(url=BASE, model="bge")])
    server = FakeServer(faults={2: 500})
    resources = Resources(workers=1, environment=named, transport=server, scratch=tmp_path)
    texts = [f"{'a' * (1 + k % 3)}{'b' * (1 + k % 5)}" for k in range(70)]
    rows = served().embed(texts, resources)
    assert rows.shape == (70, 16)
    for text, row in zip(texts, rows, strict=True):
        assert row[0] / row[1] == pytest.approx(text.count("a") / text.count("b"))
    assert {request["path"] for request in server.requests} == {"/v1/embeddings"}
    assert served().embed([], resources).shape == (0, 1)


def test_a_served_model_without_a_server_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no server is named for model 'embedder'"):
        served().embed(["x"], Resources(workers=1, environment={}, scratch=tmp_path))


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
