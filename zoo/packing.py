"""Samples packed into rows of one fixed length, so that no step computes padding and torch.compile sees one shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IGNORED = -100


@dataclass(frozen=True, slots=True)
class Sample:
    """Token ids; `targets` holds, for each position, the next token to learn or -100."""

    ids: list[int]
    targets: list[int]
    scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows (B, T): ids, document numbers, targets; for classifiers the last position and scores of each sample."""

    ids: Tensor
    documents: Tensor
    targets: Tensor
    ends: Tensor
    scores: Tensor
    tokens: int


def continuation(prompt: list[int], reply: list[int]) -> Sample:
    """A sample that learns `reply` (which holds the end token) after `prompt`."""
    ids = prompt + reply
    return Sample(ids, [IGNORED] * (len(prompt) - 1) + reply + [IGNORED])


def batches(samples: Iterator[Sample], rows: int, length: int) -> Iterator[Batch]:
    """Batches of `rows` rows of `length` tokens, packed first-fit; samples longer than a row are left out."""
    while True:
        yield _pack(samples, rows, length)


def _pack(samples: Iterator[Sample], rows: int, length: int) -> Batch:
    ids: NDArray[np.int64] = np.zeros((rows, length), dtype=np.int64)
    documents: NDArray[np.int64] = np.zeros((rows, length), dtype=np.int64)
    targets: NDArray[np.int64] = np.full((rows, length), IGNORED, dtype=np.int64)
    used = [0] * rows
    ends: list[int] = []
    scores: list[tuple[float, ...]] = []
    misses = number = 0
    while misses < rows:
        sample = next(samples)
        size = len(sample.ids)
        row = next((r for r in range(rows) if used[r] + size <= length), None)
        if row is None:
            misses += 1
            continue
        number += 1
        span = slice(used[row], used[row] + size)
        ids[row, span], documents[row, span], targets[row, span] = sample.ids, number, sample.targets
        used[row] += size
        ends.append(row * length + used[row] - 1)
        scores.append(sample.scores)
    return Batch(
        torch.from_numpy(ids),
        torch.from_numpy(documents),
        torch.from_numpy(targets),
        torch.tensor(ends),
        torch.tensor(scores),
        sum(used),
    )
