"""Difficulty and category of a problem, by tables 3 and 4 of the 1.4M paper (arXiv 2503.19633, appendix B).

Table 4 prints seven tags, but the paper's figure 5 counts others: the printed prompt is a cut version of Magpie's,
which has twelve. Both tag sets can be asked for, and every tag has its topic, the name that figure 5 uses.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from tracemill.judge.asker import Asker
from tracemill.judge.prompts import prompt_digest

TAGS: dict[str, tuple[str, ...]] = {
    "paper": ("Logic", "Information", "Editing", "Coding", "Math", "Brainstorming", "Others"),
    "magpie": (
        *("Information seeking", "Reasoning", "Planning", "Editing", "Coding & Debugging", "Math", "Role playing"),
        *("Data analysis", "Creative writing", "Advice seeking", "Brainstorming", "Others"),
    ),
}
TOPICS = {
    "logic": "Reasoning",
    "reasoning": "Reasoning",
    "information": "Information Seeking",
    "information seeking": "Information Seeking",
    "coding": "Coding",
    "coding & debugging": "Coding",
    "math": "Math",
    "planning": "Planning",
    "creative writing": "Creative Writing",
}
_DIFFICULTY = re.compile(
    r"""["']?difficulty["']?\s*[:=]\s*["'<\[\s]*(very\s+easy|very\s+hard|easy|medium|hard)\b""", re.I
)
_PRIMARY = re.compile(r"""["']primary_tag["']\s*:\s*["']([^"'\n]*)["']""", re.I)
_OTHERS = re.compile(r"""["']other_tags["']\s*:\s*(\[[^\]]*\])""", re.I)


@dataclass(frozen=True)
class Tags:
    """A primary tag and the other tags that apply, spelt as the tag set spells them."""

    primary: str
    others: tuple[str, ...]

    @property
    def topic(self) -> str:
        """The primary tag under the name of the paper's figure 5; "other" for what it does not show."""
        return TOPICS.get(self.primary.lower(), "other")


class Labeller(Asker):
    """Labels problems. `tags` chooses table 4's seven tags ("paper") or Magpie's twelve."""

    difficulty_prompt: str = "difficulty.v1"  # its file below prompts/, without .txt
    tags: Literal["paper", "magpie"] = "paper"

    @property
    def category_prompt(self) -> str:
        """The prompt file of the tag set."""
        return {"paper": "category.v1", "magpie": "category_magpie.v1"}[self.tags]

    def material(self) -> str:
        """What besides the settings decides a label: the prompts' texts."""
        return prompt_digest(self.difficulty_prompt) + prompt_digest(self.category_prompt)

    def parse_tags(self, said: str) -> Tags | None:
        """The tags in an answer; None when the primary one is not of the tag set."""
        found = _PRIMARY.search(said)
        primary = self._spelt(found[1]) if found else None
        if primary is None:
            return None
        others = [self._spelt(tag) for tag in _listed(_OTHERS.search(said))]
        return Tags(primary, tuple(dict.fromkeys(tag for tag in others if tag and tag != primary)))

    def _spelt(self, tag: str) -> str | None:
        """A tag in the set's own spelling; brackets copied from the prompt's places do not count."""
        bare = tag.strip().strip("<>[]").strip().lower()
        return next((known for known in TAGS[self.tags] if known.lower() == bare), None)


def parse_difficulty(said: str) -> str | None:
    """The difficulty in an answer, one of records.DIFFICULTIES; brackets copied from the prompt do not count."""
    found = _DIFFICULTY.search(said)
    if found is None or re.match(r"\s*/", said[found.end() :]):
        return None  # nothing, or the prompt's own list of choices
    return " ".join(found[1].lower().split())


def _listed(found: re.Match[str] | None) -> list[str]:
    """The strings of a JSON list; none when it is no JSON (an ellipsis copied from the prompt, say)."""
    try:
        values = json.loads(found[1]) if found else []
    except ValueError:
        return []
    return [value for value in values if isinstance(value, str)]
