"""A shard that was sealed before a column was documented is read with nulls in it, alone and beside newer shards."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.build.tables import inputs_of, sealed_rows
from tracemill.engine.step import Inputs
from tracemill.engine.store import Counts, Manifest
from tracemill.engine.tables import columns_of

COUNTS = Counts(entered=0, kept=0, rejected={}, quarantined={})


def older(folder: Path, newer: bool) -> Inputs:
    """A shard whose responses were stored without `mode`, and, if asked, others by a later step with it."""
    store = inputs_of(folder, {}).store
    schema = columns_of("generations")
    rows = pa.Table.from_pylist([{"id": "old", "problem_id": "p"}], schema.remove(schema.get_field_index("mode")))
    pq.write_table(rows, folder / "old.parquet")
    stored = store.put_content(folder / "old.parquet", "ingest/00000/generations", ".parquet")
    made = {"generations": stored.model_copy(update={"rows": 1})}
    first = Manifest(step="ingest", index=0, fingerprint="f" * 40, unit="row", counts=COUNTS, tables=made)
    then = [sealed_rows(store, 0, {"generations": [{"id": "new", "mode": "low"}]}, "distill")] if newer else []
    return Inputs(store, 0, {0: [first, *then]}, [], 1)


@pytest.mark.parametrize("columns", [None, ["mode", "id"]], ids=["whole", "some-columns"])
@pytest.mark.parametrize(("newer", "modes"), [(False, [None]), (True, [None, "low"])], ids=["alone", "beside-newer"])
def test_a_column_that_came_later_is_null(
    tmp_path: Path, newer: bool, modes: list[str | None], columns: list[str] | None
) -> None:
    table = older(tmp_path, newer).table("generations", columns)
    assert table["mode"].to_pylist() == modes
    assert table.column_names == (columns or columns_of("generations").names)
