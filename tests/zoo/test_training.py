"""Packing, the network and the optimiser do what training relies on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from zoo.export import save
from zoo.network import Network, Shape
from zoo.optimisation import Masters, schedule
from zoo.packing import IGNORED, Sample, batches, continuation
from zoo.samples import hardest_level
from zoo.train import loss_of, tokenizer

TINY = Shape(vocabulary=960, hidden=64, layers=2, heads=1, key_value_heads=1, feed_forward=96, context=128)


def _samples(sizes: list[int]) -> Iterator[Sample]:
    for number, size in cycle(enumerate(sizes, 1)):
        yield Sample([number] * size, [number] * size, (float(number),))


def test_a_reply_is_learnt_and_a_prompt_is_not() -> None:
    sample = continuation([5, 6, 7], [8, 9])
    assert sample.ids == [5, 6, 7, 8, 9]
    assert sample.targets == [IGNORED, IGNORED, 8, 9, IGNORED]


def test_rows_are_filled_and_samples_stay_whole() -> None:
    batch = next(batches(_samples([30, 20, 50]), rows=4, length=64))
    assert batch.ids.shape == (4, 64)
    assert batch.tokens >= 0.75 * 4 * 64
    for end, score in zip(batch.ends.tolist(), batch.scores.tolist(), strict=True):
        assert batch.ids.flatten()[end] == score[0]
    seen = [n for n in set(batch.documents.flatten().tolist()) if n]
    assert len(seen) == len(batch.ends)


def test_a_sample_longer_than_a_row_is_left_out() -> None:
    batch = next(batches(_samples([65, 10]), rows=2, length=64))
    assert set(batch.ids.flatten().tolist()) <= {0, 2}


def test_the_schedule_ends_at_zero() -> None:
    assert schedule(0.0) == pytest.approx(0.02)
    assert schedule(0.02) == pytest.approx(1.0)
    assert schedule(1.0) == 0.0


def test_the_curriculum_opens_every_level() -> None:
    assert [hardest_level(p) for p in (0.0, 0.06, 0.13, 0.5)] == [2, 3, 4, 5]


@pytest.mark.parametrize("labels", [0, 5], ids=["language model", "classifier"])
def test_the_exported_model_computes_the_same(tmp_path: Path, labels: int) -> None:
    """The lean network and transformers' Qwen2 agree on a packed row: positions are relative, documents do not mix."""
    torch.manual_seed(1)
    shape = Shape(960, 64, 2, 1, 1, 96, 128, labels)
    network = Network(shape).to(torch.bfloat16).float()
    save({k: v.clone() for k, v in network.state_dict().items()}, shape, tokenizer(), tmp_path)
    auto = AutoModelForSequenceClassification if labels else AutoModelForCausalLM
    model = auto.from_pretrained(tmp_path, dtype=torch.float32).eval()
    ids = torch.randint(5, 900, (1, 24))
    documents = torch.tensor([[1] * 10 + [2] * 14])
    with torch.inference_mode():
        ours, theirs = network(ids, documents)[0], model(input_ids=ids[:, 10:]).logits[0]
    expected = ours[-1] if labels else ours[10:]
    torch.testing.assert_close(expected, theirs, atol=1e-4, rtol=1e-3)
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template == tokenizer().chat_template


def test_a_network_learns_a_constant_and_resumes() -> None:
    torch.manual_seed(0)
    batch = next(batches(_samples([8, 12]), rows=2, length=32))
    batch = type(batch)(batch.ids, batch.documents, batch.targets, batch.ends, torch.tensor([]), batch.tokens)
    network = Network(TINY).bfloat16()
    masters = Masters(network, 0.02, 0.01)
    losses = []
    for _ in range(12):
        loss = loss_of(network, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        masters.step(1.0)
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    other = Network(TINY).bfloat16()
    Masters(other, 0.02, 0.01).restore(masters.state())
    assert loss_of(other, batch).item() == pytest.approx(loss_of(network, batch).item())
