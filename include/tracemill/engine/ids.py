"""What rows are called: units, buckets, statuses, and the ids of problems and responses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

Unit = Literal["row", "problem", "generation"]
Bucket = Literal["kept", "rejected", "quarantined"]
VerdictStatus = Literal["pass", "fail", "unverifiable"]
Difficulty = Literal["very easy", "easy", "medium", "hard", "very hard"]  # table 3 of the 1.4M paper (2503.19633)
DIFFICULTIES: tuple[str, ...] = get_args(Difficulty)


def normalised(text: str) -> str:
    """Fold what two spellings of one short answer may differ in: letter case and white space."""
    return " ".join(text.split()).lower()


_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


def canonical(text: str) -> str:
    """The text without what no reader of it can see: line ends are LF, blank lines before and white space after it go.

    Letter case and white space within it stay: they tell 'B' from 'b', and one Python program from another.
    """
    return _BLANK_LINES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).rstrip()


def problem_id(prompt: str, turns: Sequence[Mapping[str, str]] | None = None) -> str:
    """Identify a problem by its canonical text, or its turns where it has several: 'p' and 24 hex digits of SHA-256.

    Equal on every machine. What is merely alike (letter case, spacing, spelling) is for dedup to find.
    """
    digest = hashlib.sha256(b"tracemill problem 2")
    for role, text in [(turn["role"], turn["content"]) for turn in turns] if turns else [("user", prompt)]:
        _update(digest, role)
        _update(digest, canonical(text))
    return "p" + digest.hexdigest()[:24]


def generation_id(problem: str, teacher: str, sample_index: int, text: str, mode: str | None = None) -> str:
    """Identify a response by problem, teacher, sample number and exact text: 'g' and 24 hex digits of SHA-256.

    `mode` names the way in which its teacher was asked; None where there is one way.
    """
    digest = hashlib.sha256()
    for part in (problem, teacher, str(sample_index), text, *([mode] if mode is not None else [])):
        _update(digest, part)
    return "g" + digest.hexdigest()[:24]


def _update(digest: hashlib._Hash, text: str) -> None:
    encoded = text.encode("utf-8", "surrogatepass")
    digest.update(len(encoded).to_bytes(8, "big") + encoded)
