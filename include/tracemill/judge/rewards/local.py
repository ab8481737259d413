"""A reward model run in this process through transformers: the class of Decision-Tree-Reward-Llama-3.1-8B.

That model is a language model whose last hidden state at the last token goes through a linear probe W·e + b with five
outputs; its decision tree only compares two responses and is not needed for scores. The tree comes as a pickle, which
could run anything: it is never opened, no code of the model's repository is run, and only safetensors are read.
"""

from __future__ import annotations

import functools
import json
import math
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tracemill.engine.responses import Response
from tracemill.errors import RecipeError
from tracemill.judge.rewards.base import Attributes, RewardModel, attributes
from tracemill.models.request import Refusal
from tracemill.models.session import Feed

_BIAS = ("score.bias", "regression_layer.bias", "v_head.bias")


class LocalRewardModel(RewardModel):
    """Scores in batches of about `batch_tokens` tokens, longest first, on the GPU if there is one.

    A response longer than `max_tokens` with its question is not scored (`too_long`): a cut one would be another answer.
    """

    kind: Literal["local"]
    is_served: ClassVar[bool] = False
    max_tokens: Annotated[int, Field(ge=16)] = 8192
    batch_tokens: Annotated[int, Field(ge=16)] = 16384

    def score(self, responses: Sequence[Response], feed: Feed) -> list[Attributes | Refusal]:
        """Raises RecipeError when the folder holds no model with five outputs in safetensors."""
        probe = _probe(self.model.location(feed.resources), self.model.revision)
        tokens = [probe.tokens(response.messages) for response in responses]
        found: dict[int, Attributes | Refusal] = {
            place: Refusal("too_long", f"{len(t)} tokens, {self.max_tokens} at most")
            for place, t in enumerate(tokens)
            if len(t) > self.max_tokens
        }
        for batch in self._batches([p for p in range(len(tokens)) if p not in found], tokens):
            for place, values in zip(batch, probe.outputs([tokens[p] for p in batch]), strict=True):
                finite = all(map(math.isfinite, values))
                found[place] = attributes(values) if finite else Refusal("unmeasured", f"the model gave {values}")
        return [found[place] for place in range(len(responses))]

    def _batches(self, places: list[int], tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Places in batches of similar lengths, so that little is padding."""
        batch: list[int] = []
        for place in sorted(places, key=lambda p: len(tokens[p]), reverse=True):
            if batch and len(tokens[batch[0]]) * (len(batch) + 1) > self.batch_tokens:
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch


class _Probe:
    """A loaded model: token numbers in, five numbers out."""

    def __init__(self, location: str, revision: str | None) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        pinned = {"revision": revision} if revision and not Path(location).is_dir() else {}
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        kind = torch.bfloat16 if self.device == "cuda" else torch.float32
        self.tokenizer = AutoTokenizer.from_pretrained(location, trust_remote_code=False, **pinned)
        self.network = AutoModelForSequenceClassification.from_pretrained(
            location, trust_remote_code=False, use_safetensors=True, dtype=kind, **pinned
        ).to(self.device)
        self.network.eval()
        if self.network.score.out_features != len(Attributes._fields):
            raise RecipeError(f"{location} has {self.network.score.out_features} outputs; a reward model needs five")
        self.bias = _bias(Path(location)) if Path(location).is_dir() else None

    def tokens(self, messages: list[dict[str, str]]) -> list[int]:
        """The two turns in the model's chat template, as token numbers."""
        text = self.tokenizer.apply_chat_template(messages, tokenize=False)
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def outputs(self, batch: Sequence[Sequence[int]]) -> list[list[float]]:
        """The five numbers at each sequence's last token; padding is on the right and masked."""
        import torch

        width = max(len(tokens) for tokens in batch)
        padded = torch.tensor([[*tokens, *[0] * (width - len(tokens))] for tokens in batch], device=self.device)
        lengths = torch.tensor([len(tokens) for tokens in batch], device=self.device)
        mask = (torch.arange(width, device=self.device)[None, :] < lengths[:, None]).long()
        with torch.inference_mode():
            hidden = self.network.base_model(input_ids=padded, attention_mask=mask).last_hidden_state
            last = hidden[torch.arange(len(batch), device=self.device), lengths - 1]
            scores = self.network.score(last).float().cpu()
        if self.bias is not None:
            scores = scores + self.bias
        result: list[list[float]] = scores.tolist()
        return result


_LOADING = threading.Lock()  # several shards of a task ask at once: without it each of them would load the model


def _probe(location: str, revision: str | None) -> _Probe:
    """The loaded model; kept for the next shard of this process, and loaded once whoever asks."""
    with _LOADING:
        return _loaded(location, revision)


@functools.lru_cache(maxsize=1)
def _loaded(location: str, revision: str | None) -> _Probe:
    try:
        return _Probe(location, revision)
    except (OSError, ValueError, AttributeError) as error:
        raise RecipeError(f"{location} cannot be loaded as a reward model in safetensors: {error}") from error


def _bias(folder: Path) -> Any:
    """The probe's b, which the standard class leaves out; None when the weights have none."""
    from safetensors import safe_open

    index = folder / "model.safetensors.index.json"
    files = (
        sorted({folder / name for name in json.loads(index.read_text())["weight_map"].values()})
        if index.is_file()
        else sorted(folder.glob("*.safetensors"))
    )
    for file in files:
        with safe_open(file, framework="pt") as weights:
            for name in set(_BIAS) & set(weights.keys()):
                return weights.get_tensor(name).float()
    return None
