"""What rows are called: units, buckets, statuses, and the ids of problems and responses."""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

Unit = Literal["row", "problem", "generation"]
Bucket = Literal["kept", "rejected", "quarantined"]
VerdictStatus = Literal["pass", "fail", "unverifiable"]
Difficulty = Literal["very easy", "easy", "medium", "hard", "very hard"]  # table 3 of the 1.4M paper (2503.19633)
DIFFICULTIES: tuple[str, ...] = get_args(Difficulty)


def normalised(text: str) -> str:
    """Fold what two copies of one text may differ in: letter case and white space. Numbers and symbols stay."""
    return " ".join(text.split()).lower()


def problem_id(prompt: str) -> str:
    """Identify a problem by its normalised text: 'p' and 24 hex digits of SHA-256; equal on every machine."""
    return "p" + hashlib.sha256(normalised(prompt).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def generation_id(problem: str, teacher: str, sample_index: int, text: str) -> str:
    """Identify a response by its problem, teacher, sample number and exact text: 'g' and 24 hex digits of SHA-256."""
    digest = hashlib.sha256()
    for part in (problem, teacher, str(sample_index), text):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return "g" + digest.hexdigest()[:24]
