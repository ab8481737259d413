"""Writes what a run cost as Parquet, for programs: one file a table."""

from __future__ import annotations

from pathlib import Path

from tracemill.engine.objects import store_io
from tracemill.report.cost import Cost


def write(found: Cost, folder: Path) -> list[Path]:
    """Write {servers,stages,traces}.parquet; traces are left out while they are not known. Returns their paths.

    Raises StoreError where the folder cannot be written.
    """
    frames = {"servers": found.servers, "stages": found.stages, "traces": found.traces}
    known = {folder / f"{name}.parquet": frame for name, frame in frames.items() if frame is not None}
    with store_io(f"cannot write {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        for path, frame in known.items():
            frame.write_parquet(path)
    return list(known)
