"""Looks at somebody's problems before there is a recipe: which rows there are, and whether the data set is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError, SourceError
from tracemill.ingest.datasets.huggingface import HuggingfaceSource
from tracemill.ingest.formats.files import FileSource
from tracemill.ingest.mapped import Columns, JsonlSource
from tracemill.ingest.sources import AnySource

LOOKED_AT = 100  # rows
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_TO_LINES = "python -c 'import csv, json, sys; [print(json.dumps(row)) for row in csv.DictReader(sys.stdin{})]'"
_TABLE = "a table of text is not read; make JSON Lines of it, with every value as it is written: {} < {} > rows.jsonl"
_REMEDIES = {
    ".csv": _TABLE.format(_TO_LINES.format(""), "rows.csv"),
    ".tsv": _TABLE.format(_TO_LINES.format(', delimiter="\\t"'), "rows.tsv"),
    ".txt": 'where a problem ends is not to be told in plain text: write one object a line, {"problem": "..."}',
}


@dataclass(frozen=True)
class Look:
    """What was given, whether it is on the Hub, the kind of source that documents it (None: map the columns), and its
    first readable rows.
    """

    given: str
    is_hub: bool
    known: str | None
    rows: tuple[Mapping[str, Any], ...]

    @property
    def columns(self) -> list[str]:
        """All columns that the rows have, in their order."""
        return list(dict.fromkeys(str(name) for row in self.rows for name in row))

    def example(self, column: str) -> Any:
        """The first value of that column which says anything."""
        return next((row[column] for row in self.rows if row.get(column) not in (None, "", [], {})), None)


def look(given: str, resources: Resources) -> Look:
    """Read the first rows of a file, a folder, wildcards, or a data set of the Hub.

    Raises SourceError for what is missing, empty or no rows at all, RecipeError for what is neither a path nor an id.
    """
    here = Path(given).expanduser()
    if here.is_file() and (remedy := _REMEDIES.get(here.suffix.lower())):
        raise RecipeError(f"{given}: {remedy}")
    if here.exists() or any(mark in given for mark in "*?["):
        place = str(here.resolve()) if here.exists() else str(Path.cwd() / here)
        local = JsonlSource(kind="jsonl", name="problems", path=place.replace("$", "$$"), columns=Columns())
        return Look(given, False, None, _first_rows(local, resources))
    if not _HUB_ID.fullmatch(given):
        raise RecipeError(f"{given}: there is no such file, and it is no data set of the Hub either (OWNER/NAME)")
    hub = HuggingfaceSource(kind="huggingface", name="problems", repo=given, columns=Columns())
    return Look(given, True, _documented().get(given.lower()), _first_rows(hub, resources))


def _first_rows(source: FileSource, resources: Resources) -> tuple[Mapping[str, Any], ...]:
    limited = source.model_copy(update={"limit": LOOKED_AT})
    slices = limited.plan(resources, LOOKED_AT)
    found = [raw.value for part in slices for raw in limited.read(resources, part) if raw.error is None]
    if not found:
        raise SourceError(f"{slices[0].file}: none of its first rows can be read")
    return tuple(row for row in found if isinstance(row, Mapping))


@lru_cache(maxsize=1)
def _documented() -> dict[str, str]:
    """The kind of source of each data set that has one of its own, by its id on the Hub in small letters."""
    kinds = get_args(get_args(AnySource)[0])
    fields = ((kind.model_fields["kind"], kind.model_fields.get("repo")) for kind in kinds)
    return {
        str(repo.default).lower(): get_args(kind.annotation)[0]
        for kind, repo in fields
        if repo is not None and isinstance(repo.default, str)
    }
