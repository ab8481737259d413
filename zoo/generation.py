"""Batched replies of an exported model through transformers: what the measurements and a quick look need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from zoo.network import native_dtype
from zoo.vocabulary import END

Chat = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """The text of a reply without its end token, its length in tokens, and whether the budget cut it."""

    text: str
    tokens: int
    truncated: bool


def replies(
    folder: Path, chats: Sequence[Chat], budget: int, temperature: float, seed: int, batch: int = 64
) -> list[Reply]:
    """One reply for each chat, in order; temperature 0 is greedy, otherwise top-p is 0.95."""
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=native_dtype()).eval()
    greedy = {"do_sample": False, "temperature": None, "top_p": None}
    sampling = greedy if temperature == 0 else {"do_sample": True, "temperature": temperature, "top_p": 0.95}
    texts = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found: dict[int, Reply] = {}
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        inputs = tokenizer([texts[i] for i in chosen], return_tensors="pt", padding=True, add_special_tokens=False)
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=budget, **sampling)
        for i, row in zip(chosen, output[:, inputs["input_ids"].shape[1] :].tolist(), strict=True):
            found[i] = _reply(tokenizer, row)
    return [found[i] for i in range(len(texts))]


def scores(folder: Path, chats: Sequence[Chat], batch: int = 64) -> list[list[float]]:
    """The outputs of a classifier for each chat, as floats, in order."""
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="right")
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=native_dtype()).eval()
    texts = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
    rows: list[list[float]] = []
    for start in range(0, len(texts), batch):
        inputs = tokenizer(texts[start : start + batch], return_tensors="pt", padding=True, add_special_tokens=False)
        with torch.inference_mode():
            rows += model(**inputs).logits.float().tolist()
    return rows


def _reply(tokenizer: AutoTokenizer, row: list[int]) -> Reply:
    end = tokenizer.convert_tokens_to_ids(END)
    finished = end in row
    ids = row[: row.index(end)] if finished else row
    return Reply(tokenizer.decode(ids), len(ids), not finished)
