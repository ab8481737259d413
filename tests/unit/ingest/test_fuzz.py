"""A few hundred files of every shape, whole and broken, through plan and ingest: no row is lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rows.reading import tried
from benchmarks.rows.shapes import Shape, written


@pytest.mark.parametrize("part", range(4))
def test_every_row_of_any_file_is_accounted_for_or_the_file_is_named(tmp_path: Path, part: int) -> None:
    for seed in range(part * 25, part * 25 + 25):
        folder = tmp_path / str(seed)
        folder.mkdir()
        shape = written(folder, seed)
        assert tried(shape, folder) in ("accounted", "refused"), f"seed {seed} ({shape.said})"


@given(st.binary(max_size=200), st.sampled_from(["rows.jsonl", "rows.json", "rows.parquet", "rows.gz", "rows"]))
@settings(max_examples=100, deadline=None)
def test_any_bytes_at_all_are_rows_or_one_error(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        shape = Shape(path, "parquet" if name.endswith("parquet") else "jsonl", None, "any bytes")
        assert tried(shape, Path(folder)) in ("accounted", "refused")
