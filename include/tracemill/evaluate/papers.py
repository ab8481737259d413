"""The scores that the papers publish, with how they were sampled: what a student's own score is put beside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_MATHS = "the training's system prompt; maths: \"Let's think step by step and output the final answer within \\box{}.\""
_TRAINED = "the training's system prompt"
_UNSAID = "not said"


class Published(NamedTuple):
    """One published score in per cent, of `samples` an item cut at `tokens` (None: not said), with the `prompt`."""

    benchmark: str
    model: str
    score: float
    samples: int | None
    tokens: int
    prompt: str
    paper: str


def _rows(paper: str, tokens: int, prompt: str, sampled: dict[str, int | None], table: str) -> Iterator[Published]:
    """A paper's table: one model a line, its scores in the order of `sampled`; "-" for none."""
    for line in table.strip().splitlines():
        model, *scores = line.split()
        for (benchmark, samples), score in zip(sampled.items(), scores, strict=True):
            if score != "-":
                yield Published(benchmark, model, float(score), samples, tokens, prompt, paper)


PUBLISHED: tuple[Published, ...] = (
    *_rows(
        "arXiv 2503.19633",
        32_768,
        _TRAINED,
        {"AIME 2024": 16, "MATH-500": 4, "GPQA-Diamond": 4, "LiveCodeBench 2024-08-01 to 2025-01-31": 4},
        """
        AM-Distill-Qwen-32B 72.7 96.2 64.3 59.1
        AM-Distill-Qwen-72B 76.5 97.0 65.9 59.7
        DeepSeek-R1-Distill-Qwen-32B 72.6 94.3 62.1 57.2
        DeepSeek-R1-Distill-Llama-70B 70.0 94.5 65.2 57.5
        """,
    ),
    *_rows(
        "arXiv 2504.17565",
        32_768,
        _UNSAID,
        {"AIME 2024": None, "GPQA-Diamond": None, "LiveCodeBench": None},
        """
        DeepDistill-32B 75.8 66.3 64.2
        DeepDistill-72B 79.2 65.7 63.8
        DeepDistill-32B-stage-II 77.9 66.9 61.7
        QwQ-32B 79.5 65.9 63.4
        DeepSeek-R1 79.8 71.5 65.9
        """,
    ),
    *_rows(
        "arXiv 2505.14464",
        49_152,
        _MATHS,
        {"AIME 2024": 64, "AIME 2025": 64, "MATH-500": 4, "LiveCodeBench 2024-10-01 to 2025-02-28": 16},
        """
        student-of-AM-Thinking-v1 84.3 72.2 98.4 65.9
        student-of-Qwen3-235B-A22B 79.4 62.2 93.9 59.6
        student-of-DeepSeek-R1 70.9 52.8 95.8 57.0
        """,
    ),
)


def beside(title: str) -> list[Published]:
    """The published scores on the benchmark that reports call so; LiveCodeBench's of every window, which they name."""
    first = title.split(" ")[0]
    return [
        row for row in PUBLISHED if row.benchmark == title or (first == "LiveCodeBench" == row.benchmark.split()[0])
    ]
