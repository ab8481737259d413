"""A model that is sometimes right, and the rows that sampling it gave."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

RIGHT = 7


def sometimes(share: float) -> Callable[[str, int], str]:
    """A model that is right in such a share of its samples."""

    def say(prompt: str, seed: int) -> str:
        lot = int(hashlib.sha256(f"{prompt}{seed}".encode()).hexdigest()[:8], 16) / 16**8
        return f"<think>\nhm {seed}\n</think>\n<answer>\\boxed{{{RIGHT if lot < share else 99}}}</answer>"

    return say


def rows(output: Any) -> list[tuple[str, int, str]]:
    """Problem, sample and answer of each trace."""
    found = output.tables["generations"].to_pylist()
    return [(row["problem_id"], row["sample_index"], row["answer_content"]) for row in found]
