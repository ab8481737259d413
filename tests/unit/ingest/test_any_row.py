"""Whatever a row holds, a source understands it or says why it does not; nothing else is ever raised."""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import TypeAdapter

from benchmarks.rows.shapes import value
from tracemill.engine.tables import columns_of
from tracemill.ingest.ingested import generation_rows, problem_row
from tracemill.ingest.source import RowError
from tracemill.ingest.sources import AnySource

FIXTURES = Path(__file__).parents[2] / "fixtures/sources"
ADAPTER: TypeAdapter[Any] = TypeAdapter(AnySource)
ODD: list[Callable[[], Any]] = [
    lambda: b"\xff\x00",
    lambda: datetime.date(2024, 1, 1),
    lambda: Decimal("1.50"),
    lambda: float("nan"),
    lambda: [("k", 1)],
    lambda: {"role": "user", "content": None},
    lambda: 10**5000,
]


def changed(rng: random.Random, native: Any, share: float) -> Any:
    """The value with some parts replaced by anything, or gone."""
    if rng.random() < share:
        return rng.choice(ODD)() if rng.random() < 0.4 else whole(value(rng))
    if isinstance(native, dict):
        made = {key: changed(rng, item, share) for key, item in native.items()}
        if made and rng.random() < share:
            made.pop(rng.choice(list(made)))
        return made
    return [changed(rng, item, share) for item in native] if isinstance(native, list) else native


def whole(found: Any) -> Any:
    """The value without half surrogate pairs, which no reader lets through."""
    if isinstance(found, str):
        return found.encode("utf-8", "replace").decode()
    if isinstance(found, dict):
        return {whole(key): whole(item) for key, item in found.items()}
    return [whole(item) for item in found] if isinstance(found, list) else found


@pytest.mark.parametrize("kind", sorted(file.stem for file in FIXTURES.glob("*.jsonl")))
def test_any_row_is_understood_or_refused_with_a_reason(kind: str) -> None:
    made = ADAPTER.validate_python({"kind": kind, "name": "s", "path": "x"})
    rows = [json.loads(line) for line in (FIXTURES / f"{kind}.jsonl").read_text().splitlines() if line]
    for seed in range(60):
        rng = random.Random(seed)
        row = changed(rng, rng.choice(rows), rng.choice([0.05, 0.15, 0.4]))
        if not isinstance(row, dict):
            continue
        try:
            found = made.understand(row)
            problem, responses = problem_row("p", found, made, None), generation_rows("p", made, found.responses)
        except RowError:
            continue
        pa.Table.from_pylist([problem], schema=columns_of("problems"))
        pa.Table.from_pylist(responses, schema=columns_of("generations"))
