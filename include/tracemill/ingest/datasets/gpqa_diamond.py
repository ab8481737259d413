"""GPQA-Diamond (arXiv 2311.12022): 198 questions by experts, with four choices each, on the Hub behind its terms."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from tracemill.engine.days import Day
from tracemill.engine.resources import Resources
from tracemill.ingest.columns import own_id, text
from tracemill.ingest.datasets.benchmark import Benchmark
from tracemill.ingest.formats.cache import Cache
from tracemill.ingest.formats.listing import DataFile
from tracemill.ingest.formats.unpacking import content_digest
from tracemill.ingest.source import RowError, Slice, SourceRow

CHOICE = "multiple choice"
_ROWS = ".rows"
_RIGHT = "Correct Answer"
_COLUMNS = (_RIGHT, "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
# simple-evals' prompt, which the papers use.
INSTRUCTION = (
    "Answer the following multiple choice question. The last line of your response should be of the following format: "
    "'Answer: $LETTER' (without quotes) where LETTER is one of ABCD. Think step by step before answering."
)


class GpqaDiamond(Benchmark):
    """The choices stand in the order of a hash of the question's id and their text: the same for every mirror and run.

    Its file on the Hub is a table of text (CSV), which is read here and nowhere else.
    """

    kind: Literal["gpqa_diamond"]
    repo: str = "Idavidrein/gpqa"
    config: str | None = "gpqa_diamond"  # the configuration of the data set
    license: str | None = "cc-by-4.0"
    published: Day | None = "2023-11-20"

    documented: ClassVar[tuple[str, ...]] = ("Question", *_COLUMNS)
    title: ClassVar[str] = "GPQA-Diamond"
    whole: ClassVar[int | None] = 198

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one item; its gold is the letter of the right choice. Raises RowError for blank or equal choices."""
        question = text(value, "Question").strip()
        choices = [text(value, name).strip() for name in _COLUMNS]
        if not all(choices):
            raise RowError("bad_value", f"a choice is blank: {choices}")
        if len(set(choices)) < len(choices):
            raise RowError("bad_value", f"two of its choices are one text: {sorted(choices)}")
        identity = own_id(value, "Record ID") or question
        order = sorted(choices, key=lambda choice: hashlib.sha256(f"{identity}\0{choice}".encode()).digest())
        lines = "\n".join(f"{letter}) {choice}" for letter, choice in zip("ABCD", order, strict=True))
        return SourceRow(
            native_id=own_id(value, "Record ID"),
            prompt=f"{INSTRUCTION}\n\n{question}\n\n{lines}",
            category=self.category or CHOICE,
            reference_answer="ABCD"[order.index(choices[0])],
        )

    def files(self, resources: Resources) -> list[DataFile]:
        """The split's files, tables of text as JSON Lines (and called so: NAME.csv.rows)."""
        cache = Cache(resources.cache)
        return [
            replace(file, shown=f"{file.shown}{_ROWS}", have=partial(_rows_of, file, cache))
            if file.shown.lower().endswith(".csv")
            else file
            for file in super().files(resources)
        ]

    def file_of(self, resources: Resources, part: Slice) -> Path:
        """A slice's file, at the commit that was planned; a table of text as JSON Lines."""
        if self.path or not part.file.endswith(_ROWS):
            return super().file_of(resources, part)
        table = part.model_copy(update={"file": part.file.removesuffix(_ROWS)})
        return _as_rows(super().file_of(resources, table), table.file, Cache(resources.cache))


def _rows_of(file: DataFile, cache: Cache) -> Path:
    return _as_rows(file.have(), file.shown, cache)


def _as_rows(path: Path, shown: str, cache: Cache) -> Path:
    """The table as JSON Lines, made once a machine."""
    return cache.made(f"tables/{content_digest(path, shown, cache)}.jsonl", partial(_write, path))


def _write(path: Path, target: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="") as table, target.open("w", encoding="utf-8") as out:
        for row in csv.DictReader(table):
            out.write(json.dumps({str(name): item for name, item in row.items()}, ensure_ascii=False) + "\n")
