"""The reward model in the stage's own process: the same numbers as transformers gives, and no pickle is ever opened."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForSequenceClassification

from tracemill.engine.resources import Resources
from tracemill.engine.responses import Response
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.judge.rewards.base import Attributes
from tracemill.judge.rewards.local import LocalRewardModel
from tracemill.models.model import Model
from tracemill.models.request import Refusal
from tracemill.models.session import Feed

TEMPLATE = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}\n{% endfor %}"
SAID = [("2 + 2?", "4"), ("2 + 2?\n", "it is four, because two and two are four\n"), ("?", "!")]
RESPONSES = [Response("g", "p", prompt, None, None, "hm", answer) for prompt, answer in SAID]


class Bomb:
    """Unpickling this writes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.target, "boom")


def build(folder: Path, outputs: int = 5, bias: list[float] | None = None) -> Qwen2ForSequenceClassification:
    """A random reward model with a byte tokenizer."""
    torch.manual_seed(7)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=alphabet[0])
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Qwen2Config(vocab_size=256, num_key_value_heads=1, num_labels=outputs, pad_token_id=0, **shape)
    network = Qwen2ForSequenceClassification(config).eval()
    with torch.no_grad():
        network.score.weight.mul_(20)
    network.save_pretrained(folder)
    if bias:
        weights = load_file(folder / "model.safetensors")
        save_file({**weights, "score.bias": torch.tensor(bias)}, folder / "model.safetensors", {"format": "pt"})
    return network


def scored(folder: Path, tmp_path: Path, **settings: Any) -> list[Attributes | Refusal]:
    model = Model(name="rm", weights=str(folder))
    feed = Feed(model, Store.at(str(tmp_path / "store"), create=True), Resources(), "near")
    return LocalRewardModel(kind="local", model=model, **settings).score(RESPONSES, feed)


def expected(network: Qwen2ForSequenceClassification, response: Response, bias: float = 0.0) -> list[float]:
    text = "".join(f"[{m['role']}]{m['content']}\n" for m in response.messages)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    tokens = [alphabet.index(c) for piece, _ in pieces for c in piece]
    with torch.inference_mode():
        hidden = network.model(torch.tensor([tokens])).last_hidden_state[:, -1]
        return [min(max(float(v) + bias, 0.0), 4.0) for v in network.score(hidden)[0]]


@pytest.mark.parametrize("batch_tokens", [16, 16384], ids=["one by one", "one padded batch"])
def test_scores_are_the_probe_at_the_last_token(tmp_path: Path, batch_tokens: int) -> None:
    network = build(tmp_path / f"rm{batch_tokens}", bias=[1.5] * 5)
    (tmp_path / f"rm{batch_tokens}" / "decision_tree.pkl").write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    found = scored(tmp_path / f"rm{batch_tokens}", tmp_path, batch_tokens=batch_tokens)
    for response, attributes in zip(RESPONSES, found, strict=True):
        assert isinstance(attributes, Attributes)
        assert list(attributes) == pytest.approx(expected(network, response, bias=1.5), abs=1e-3)
    assert len({tuple(a) for a in found if isinstance(a, Attributes)}) == 3
    assert not (tmp_path / "boom").exists()


def test_an_exchange_that_is_too_long_is_one_refusal(tmp_path: Path) -> None:
    build(tmp_path / "rm")
    found = scored(tmp_path / "rm", tmp_path, max_tokens=40)
    assert [type(one) for one in found] == [Attributes, Refusal, Attributes]


def test_a_model_with_another_number_of_outputs_is_refused(tmp_path: Path) -> None:
    build(tmp_path / "rm", outputs=2)
    with pytest.raises(RecipeError, match="needs five"):
        scored(tmp_path / "rm", tmp_path)


def test_pickled_weights_are_not_loaded(tmp_path: Path) -> None:
    build(tmp_path / "rm")
    weights = load_file(tmp_path / "rm" / "model.safetensors")
    torch.save(weights, tmp_path / "rm" / "pytorch_model.bin")
    (tmp_path / "rm" / "model.safetensors").unlink()
    with pytest.raises(RecipeError, match="in safetensors"):
        scored(tmp_path / "rm", tmp_path)
