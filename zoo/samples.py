"""Endless streams of training samples for each role, as token ids, from one seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from transformers import PreTrainedTokenizerFast

from zoo import problems as generated
from zoo import templates
from zoo.judging import judgement
from zoo.models import Role
from zoo.packing import IGNORED, Sample, continuation
from zoo.rewarding import rated
from zoo.traces import request, response
from zoo.vocabulary import END, render

_CURRICULUM = ((0.05, 2), (0.12, 3), (0.2, 4))


def hardest_level(progress: float) -> int:
    """The highest level shown at this share of the training: easy problems first, all of them after a fifth."""
    return next((level for until, level in _CURRICULUM if progress < until), 5)


def stream(
    role: Role, tokenizer: PreTrainedTokenizerFast, seed: int, progress: Callable[[], float]
) -> Iterator[Sample]:
    """Samples of `role`; `progress` tells how far training is, for the teachers' curriculum."""
    source = {"teacher": _teaching, "judge": _judging, "reward": _rewarding}[role]
    return source(tokenizer, seed, progress)


def corpus(count: int, seed: int) -> Iterator[str]:
    """Texts of all roles, for training the tokenizer."""
    rng = Random(f"corpus:{seed}")
    for item in generated.problems(seed):
        yield item.prompt + "\n" + response(item, rng)
        if count % 3 == 0:
            sample = judgement(rng)
            yield _without_phrases(sample.prompt) + sample.reply
        count -= 1
        if count == 0:
            return


def _without_phrases(text: str) -> str:
    """`text` less the fixed paragraphs: they are added tokens and must not shape the byte-pair merges."""
    for name in templates.NAMES:
        for phrase in templates.phrases(name):
            text = text.replace(phrase.rstrip(" \n"), "")
    return text


def _teaching(tokenizer: PreTrainedTokenizerFast, seed: int, progress: Callable[[], float]) -> Iterator[Sample]:
    rng = Random(f"teacher:{seed}")
    for item in generated.problems(seed):
        if item.level <= hardest_level(progress()):
            prompt = render(request(item, rng), generate=True)
            yield continuation(_ids(tokenizer, prompt), _ids(tokenizer, response(item, rng) + END))


def _judging(tokenizer: PreTrainedTokenizerFast, seed: int, progress: Callable[[], float]) -> Iterator[Sample]:
    rng = Random(f"judge:{seed}")
    while True:
        item = judgement(rng)
        if not generated.is_held_out(item.prompt):
            prompt = render([{"role": "user", "content": item.prompt}], generate=True)
            yield continuation(_ids(tokenizer, prompt), _ids(tokenizer, item.reply + END))


def _rewarding(tokenizer: PreTrainedTokenizerFast, seed: int, progress: Callable[[], float]) -> Iterator[Sample]:
    rng = Random(f"reward:{seed}")
    while True:
        item = rated(rng)
        if not generated.is_held_out(item.prompt):
            chat = [{"role": "user", "content": item.prompt}, {"role": "assistant", "content": item.answer}]
            ids = _ids(tokenizer, render(chat))
            yield Sample(ids, [IGNORED] * len(ids), item.targets)


def _ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    ids: list[int] = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
    return ids
