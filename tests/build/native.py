"""The published data sets' fixtures, as their sources read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tracemill.engine.resources import Resources
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import SourceRow
from tracemill.ingest.sources import AnySource

FIXTURES = Path(__file__).parents[1] / "fixtures/sources"
ADAPTER: TypeAdapter[Any] = TypeAdapter(AnySource)


def source(kind: str, **settings: Any) -> DatasetSource:
    """A source of that kind; by default over its fixture."""
    given = {"kind": kind, "name": "s", "path": str(FIXTURES / f"{kind}.jsonl"), **settings}
    made: DatasetSource = ADAPTER.validate_python(given)
    return made


def rows_of(made: DatasetSource, rows_per_shard: int = 100) -> list[SourceRow]:
    """All rows of a source, planned and read."""
    parts = made.plan(Resources(), rows_per_shard)
    return [made.understand(raw.value) for part in parts for raw in made.read(Resources(), part)]
