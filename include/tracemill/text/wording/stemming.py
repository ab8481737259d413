"""Brings the forms of an English word to one stem, by its commonest endings."""

from __future__ import annotations

from functools import lru_cache

_ENDINGS = ("ies", "ing", "ed", "es", "s")


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The word without the commonest English endings; both forms of a word need only come out the same."""
    word = word.lower().removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "slz":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word
