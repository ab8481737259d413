"""An invented language: words with the frequencies of a natural one, names, and problems of four categories."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

TEMPLATES, WORDS, NAMES, MARKS = 3000, 20_000, 400, 3000
MEDIAN_WORDS = {"maths": 32, "code": 45, "chat": 28, "chinese": 40}
SYLLABLES = [a + b for a in "bdfgklmnprst" for b in "aeiou"]


class Language:
    """Makes problems. Maths comes in families that differ only in numbers and names: the trap for dedup."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        made = list(dict.fromkeys("".join(self.draw.choice(SYLLABLES, n)) for n in self.draw.integers(1, 5, 3 * WORDS)))
        self.words = np.array(made[:WORDS])
        self.names = [word.capitalize() for word in made[WORDS : WORDS + NAMES] if len(word) > 2]
        rank = np.arange(1, len(self.words) + 1)
        self.cumulative = np.cumsum(1 / rank) / np.sum(1 / rank)
        marks = np.arange(1, MARKS + 1) ** -0.8  # the commonest Chinese character is about 4 % of a text
        self.cumulative_marks = np.cumsum(marks) / np.sum(marks)
        self.templates = [self._template() for _ in range(TEMPLATES)]

    def some_words(self, count: int) -> list[str]:
        """Words by their frequency."""
        places = np.searchsorted(self.cumulative, self.draw.random(count))
        found: list[str] = self.words[np.minimum(places, len(self.words) - 1)].tolist()
        return found

    def problem(self, category: str) -> str:
        """A new problem of that category."""
        if category == "maths":
            return sentences(self._filled(self.templates[int(self.draw.integers(TEMPLATES))]))
        if category == "chinese":
            places = np.searchsorted(self.cumulative_marks, self.draw.random(self._length(category)))
            marks = [chr(0x4E00 + place) for place in np.minimum(places, MARKS - 1).tolist()]
            return "".join(mark + ("。" if k % 12 == 11 else "") for k, mark in enumerate(marks)) + "。"
        words = self.some_words(self._length(category))
        asked = f"Write a function {words[0]}_{words[1]} in the usual way. " if category == "code" else ""
        return asked + sentences(words)

    def item(self, category: str) -> str:
        """A new benchmark item: maths has a template that no problem has."""
        return sentences(self._filled(self._template())) if category == "maths" else self.problem(category)

    def _length(self, category: str) -> int:
        return int(np.clip(self.draw.lognormal(np.log(MEDIAN_WORDS[category]), 0.45), 12, 400))

    def _template(self) -> list[str]:
        words = self.some_words(self._length("maths"))
        slots = self.draw.choice(np.arange(1, len(words)), 5, replace=False).tolist()
        for slot in slots[:4]:
            words[slot] = "#"
        words[slots[4]] = "@"
        return words

    def _filled(self, template: list[str]) -> list[str]:
        numbers = self.draw.integers(2, 2000, len(template)).tolist()
        name = self.names[int(self.draw.integers(len(self.names)))]
        return [str(numbers[k]) if word == "#" else name if word == "@" else word for k, word in enumerate(template)]


def sentences(words: list[str]) -> str:
    """The words as sentences of eight; a short rest joins the last one."""
    cuts = [*range(0, max(1, len(words) - 3), 8), len(words)]
    parts = [" ".join(words[start:stop]) for start, stop in pairwise(cuts)]
    return " ".join(part[:1].upper() + part[1:] + "." for part in parts)
