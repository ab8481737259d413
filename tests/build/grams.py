"""Texts of few words, and their n-grams by the plain definition."""

from __future__ import annotations

import numpy as np


def random_texts(seed: int, count: int, words: int) -> list[str]:
    """Texts of up to so many words out of six."""
    draw = np.random.default_rng(seed)
    return [" ".join(f"w{chr(97 + k)}" for k in draw.integers(0, 6, draw.integers(0, words))) for _ in range(count)]


def naive_grams(text: str, n: int) -> set[tuple[str, ...]]:
    """The distinct n-grams of a text; a shorter text is one."""
    words = text.split()
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)} or ({tuple(words)} if words else set())
