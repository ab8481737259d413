"""Writes an invented corpus with the shape of the real one, and says for every row what was planted there.

Shape: 30 % maths, 24 % code, 40 % chat, 6 % Chinese; log-normal lengths with a mean of about 240 bytes. Of all rows 20
% are duplicates of four kinds in equal parts, and 0.2 % give away an item of an invented benchmark in one of four ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from benchmarks.data.language import Language

DUPLICATES = ("exact", "reformatted", "edited", "reworded")
CONTAMINATIONS = ("copied", "wrapped", "partly_changed", "renumbered")
DUPLICATE_SHARE, CONTAMINATED_SHARE = 0.2, 0.002
CATEGORIES, SHARES = ("maths", "code", "chat", "chinese"), (0.30, 0.24, 0.40, 0.06)
ITEMS, SOURCES, BLOCK = 400, 4, 20_000
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Corpus:
    """What was written: one file per source, the benchmark's file, and the truth by row number over all files.

    Rows of one `cluster` are duplicates of each other; `planted` is "", a kind of duplicate or of contamination.
    """

    folder: Path
    rows: int
    cluster: np.ndarray[tuple[int], np.dtype[np.int64]]
    planted: np.ndarray[tuple[int], np.dtype[np.str_]]

    def source(self, number: int) -> Path:
        return self.folder / f"source{number}.jsonl"

    @property
    def benchmark(self) -> Path:
        return self.folder / "benchmark.jsonl"


def written(folder: Path, rows: int, seed: int = 1) -> Corpus:
    """Write the corpus below `folder`, in memory for a block of rows only. The same arguments give the same bytes."""
    language = Language(seed)
    items = [language.item("maths" if k % 2 else "chat") for k in range(ITEMS)]
    corpus = Corpus(folder, rows, np.zeros(rows, np.int64), np.zeros(rows, "U14"))
    lines = [orjson.dumps({"id": number, "q": question}) + b"\n" for number, question in enumerate(items)]
    corpus.benchmark.write_bytes(b"".join(lines))
    files = [corpus.source(k).open("wb") for k in range(SOURCES)]
    for number, (text, cluster, planted) in enumerate(_rows(language, items, rows)):
        corpus.cluster[number], corpus.planted[number] = cluster, planted
        hard = number % 3 == 0
        known = {"answer": str(cluster) if hard else None, "level": "hard" if hard else "easy"}
        row = {"id": number, "prompt": text, **known}
        files[number * SOURCES // rows].write(orjson.dumps(row) + b"\n")
    for file in files:
        file.close()
    return corpus


def _rows(language: Language, items: list[str], rows: int) -> Iterator[tuple[str, int, str]]:
    """Text, cluster and what was planted; duplicates are of rows of the last block of originals."""
    draw = np.random.default_rng(language.draw.integers(1 << 62))
    originals: list[tuple[str, int]] = []
    for number in range(rows):
        chance = draw.random()
        if chance < CONTAMINATED_SHARE:
            kind = CONTAMINATIONS[int(draw.integers(4))]
            item = int(draw.integers(ITEMS)) | (kind == "renumbered")  # items with odd numbers are the maths ones
            yield contaminated(items[item], kind, language), -1 - item, kind
        elif chance < CONTAMINATED_SHARE + DUPLICATE_SHARE and len(originals) > 1000:
            text, cluster = originals[int(draw.integers(len(originals)))]
            kind = DUPLICATES[int(draw.integers(4))]
            yield duplicate(text, kind, language), cluster, kind
        else:
            text = language.problem(CATEGORIES[int(np.searchsorted(np.cumsum(SHARES), draw.random()))])
            place = number if len(originals) < BLOCK else int(draw.integers(BLOCK))
            originals[place : place + 1] = [(text, number)]
            yield text, number, ""


def duplicate(text: str, kind: str, language: Language) -> str:
    """Another row with the same problem."""
    if kind == "exact":
        return text
    if kind == "reformatted":
        marked = _NUMBER.sub(lambda found: f"${int(found[0]):,}$", text)
        return (marked.upper() if language.draw.random() < 0.3 else marked).replace(". ", ".\n\n  ")
    if kind == "edited":
        return _changed(text, 0.04, language)
    parts = re.findall(r"[^.。]+[.。]", text)
    order = language.draw.permutation(len(parts)).tolist()
    return _changed(" ".join(parts[k].strip() for k in order), 0.02, language)


def contaminated(item: str, kind: str, language: Language) -> str:
    """A row that gives the benchmark item away."""
    if kind == "copied":
        return item.lower()
    if kind == "wrapped":
        return f"Solve this problem step by step. {item} Explain each step and box the result."
    if kind == "partly_changed":
        return _changed(item, 0.05, language)
    return _NUMBER.sub(lambda found: str(int(found[0]) + int(language.draw.integers(1, 50))), item)


def _changed(text: str, share: float, language: Language) -> str:
    """The text with that share of its plain words (at least one) replaced; numbers and names stay."""
    if not text.isascii():
        places = [k for k, mark in enumerate(text) if mark not in "。 "]
        marks = list(text)
        for k in language.draw.choice(places, max(1, int(share * len(places))), replace=False).tolist():
            marks[k] = chr(0x4E00 + int(language.draw.integers(3000, 6000)))
        return "".join(marks)
    words = text.split(" ")
    plain = [k for k, word in enumerate(words) if word.islower() and word.isalpha()]
    for k in language.draw.choice(plain, min(len(plain), max(1, int(share * len(words)))), replace=False).tolist():
        words[k] = language.some_words(1)[0]
    return " ".join(words)
