"""A benchmark that no training problem may give away: named file, one question a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field

from tracemill.engine.resources import Resources
from tracemill.engine.store import file_digest
from tracemill.errors import SourceError


class Benchmark(BaseModel):
    """Settings of one benchmark: a JSON Lines or JSON file at `path` whose rows have the question in `field`.

    `strip`: texts to cut out of every question before matching (an instruction that the file repeats in each row would
    match every problem that carries it). `id_field` names the items; without it they are numbered from 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]  # what reports call it
    path: str
    field: str
    id_field: str | None = None
    strip: tuple[str, ...] = ()

    def digest(self, resources: Resources) -> str:
        """SHA-256 of the file. Raises SourceError when there is none."""
        return file_digest(self._file(resources))

    def questions(self, resources: Resources) -> dict[str, str]:
        """Item name → question. Raises SourceError naming file and row when a row has no such question."""
        path = self._file(resources)
        found: dict[str, str] = {}
        for number, row in enumerate(_rows(path)):
            question = row.get(self.field) if isinstance(row, dict) else None
            if not isinstance(question, str) or not question.strip():
                raise SourceError(f"benchmark {self.name!r}: {path}, row {number}: no text in field {self.field!r}")
            for text in self.strip:
                question = question.replace(text, " ")
            named = row.get(self.id_field, number) if self.id_field and isinstance(row, dict) else number
            if (item := str(named)) in found:
                raise SourceError(f"benchmark {self.name!r}: {path}, row {number}: two items are called {item!r}")
            found[item] = question.strip()
        if not found:
            raise SourceError(f"benchmark {self.name!r}: {path} has no rows")
        return found

    def _file(self, resources: Resources) -> Path:
        path = resources.path(self.path)
        if not path.is_file():
            raise SourceError(f"benchmark {self.name!r}: {path} is not a file; correct `path` in the recipe")
        return path


def _rows(path: Path) -> list[object]:
    """The rows of a JSON Lines file, or of a JSON file that is one list."""
    text = path.read_bytes()
    try:
        if text.lstrip()[:1] == b"[":
            return list(orjson.loads(text))
        return [orjson.loads(line) for line in text.splitlines() if line.strip()]
    except json.JSONDecodeError as error:
        raise SourceError(f"benchmark file {path} is not JSON Lines: {error}") from error
