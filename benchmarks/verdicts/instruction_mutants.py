"""Checks of one instruction each, made from published prompts and responses by mutation; the same from the same files.

Reads `ifeval_prompts.jsonl` and `ifeval_gpt4_responses.jsonl` of a folder and needs nothing but the standard library,
so that the official checkers can be run on the very same checks in an environment of their own.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

COUNT = 5_600
_COUNTED = {  # thresholds that are moved to where the response stands
    "num_words": lambda text: len(re.findall(r"\w+", text)),
    "num_sentences": lambda text: len(re.findall(r"[.!?]+(?:\s|$)", text)),
    "num_bullets": lambda text: len(re.findall(r"^\s*(?:\*[^*]|-)", text, re.MULTILINE)),
    "num_placeholders": lambda text: text.count("["),
    "num_highlights": lambda text: text.count("*") // 2,
    "num_paragraphs": lambda text: text.count("***") + 1,
    "capital_frequency": lambda text: sum(word.isupper() for word in text.split()),
    "let_frequency": lambda text: text.lower().count("e"),
    "frequency": lambda text: 2,
}  # fmt: skip
_PIECES = (
    ". ", "! ", "?\" ", "...", " Mr. X. ", " e.g. ", " U.S. ", "\n\n", "\n", "\n* ", "\n- ", "\n***\n", "******",
    " *b* ", "**c** ", "[name]", "[a\nb]", " I ", " I'VE ", " NASA's ", "ÜBER ", "<<T>>", "<< >>", '"', "P.S. ",
    "p. s. ", "P.P.S ", ",", "，", "SECTION 1", "Section 2\n", "```", "{}", " état ", " 你好 ", " – ", "—", "\u00a0",
    "\u200b", "_", "3.5", " a.m. ", "PARAGRAPH 3", "A-B ", "(C)", "’s ",
)  # fmt: skip


class Check(NamedTuple):
    """One instruction with its arguments, and a response to it."""

    name: str
    arguments: dict[str, Any]
    response: str


def checks(folder: Path, count: int = COUNT, seed: int = 1) -> Iterator[Check]:
    """So many checks: the instruction of the response's own prompt or of another, the response as it is or changed."""
    rng = random.Random(f"instructions:{seed}")
    prompts = {row["prompt"]: row for row in _rows(folder / "ifeval_prompts.jsonl")}
    responses = [row for row in _rows(folder / "ifeval_gpt4_responses.jsonl") if row["prompt"] in prompts]
    every = [pair for row in prompts.values() for pair in _instructions(row)]
    for _ in range(count):
        row = rng.choice(responses)
        own = list(_instructions(prompts[row["prompt"]]))
        name, arguments = rng.choice(own) if rng.random() < 0.6 else rng.choice(every)
        text = row["response"]
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            text = rng.choice(_CHANGES)(text, rng)
        yield Check(name, _moved(arguments, text, rng), text)


def digest(found: list[Check]) -> str:
    """SHA-256 (hex) of the checks: what a file of verdicts was made for."""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _instructions(row: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, arguments in zip(row["instruction_id_list"], row["kwargs"], strict=True):
        given = {key: value for key, value in arguments.items() if value is not None}
        random_letter = name == "keywords:letter_frequency" and not re.fullmatch("[a-zA-Z]", given.get("letter", ""))
        if not random_letter:  # the official checker then draws a letter
            yield name, given


def _moved(arguments: dict[str, Any], text: str, rng: random.Random) -> dict[str, Any]:
    moved = dict(arguments)
    for key, count in _COUNTED.items():
        if key in moved and rng.random() < 0.6:
            moved[key] = max(1, count(text) + rng.randrange(-2, 3))
    for key in ("relation", "capital_relation", "let_relation"):
        if key in moved and rng.random() < 0.3:
            moved[key] = rng.choice(("at least", "less than"))
    if "first_word" in moved and rng.random() < 0.5 and (words := text.split()):
        moved["first_word"] = rng.choice(words).strip(".,!?'\"").lower() or "x"
    if "end_phrase" in moved and rng.random() < 0.5:
        moved["end_phrase"] = text.strip()[-rng.randrange(3, 20) :].strip() or "x"
    return moved


def _insert(text: str, rng: random.Random) -> str:
    for _ in range(rng.randrange(1, 8)):
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice(_PIECES) + text[place:]
    return text


def _lines(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    rng.shuffle(lines)
    return "\n".join(lines[: rng.randrange(1, len(lines) + 1)])


_CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    _insert,
    _insert,
    _insert,
    _lines,
    lambda text, rng: text.lower(),
    lambda text, rng: text.upper(),
    lambda text, rng: text.title(),
    lambda text, rng: text.replace(",", ""),
    lambda text, rng: text[: rng.randrange(len(text) + 1)],
    lambda text, rng: text[rng.randrange(len(text) + 1) :],
    lambda text, rng: rng.choice(("", " \n", "\t", "\u3000", ".", "!", "\u200b")),
    lambda text, rng: f'"{text.strip()}"',
    lambda text, rng: f"```json\n{text}\n```",
    lambda text, rng: json.dumps({"answer": text}),
    lambda text, rng: f"Sure, here it is:\n{text}\nI hope this helps!",
    lambda text, rng: f"{text}\n******\n{text[: rng.randrange(len(text) + 1)]}",
    lambda text, rng: text.replace("\n\n", "\n***\n"),
    lambda text, rng: text.replace("\n", "\n* "),
    lambda text, rng: f"{text}\n\nP.S. {text[:40]}",
)
