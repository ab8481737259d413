"""The names of the papers' categories of problems, which sources spell in their own ways."""

from __future__ import annotations

from collections.abc import Mapping

INSTRUCTION = "instruction following"
_SPELLED: Mapping[str, str] = {
    "maths": "math",
    "mathematics": "math",
    "coding": "code",
    "programming": "code",
    "if": INSTRUCTION,
    "ifeval": INSTRUCTION,
    "instruction": INSTRUCTION,
    "instruction follow": INSTRUCTION,
    "multi turn": "multi-turn",
    "multiturn": "multi-turn",
    "chat": "other",
    "general chat": "other",
    "general": "other",
}


def named(category: str) -> str:
    """The one name of a category; unknown ones keep their own, in small letters."""
    folded = " ".join(category.lower().replace("_", " ").replace("-", " ").split())
    return _SPELLED.get(folded, folded)
