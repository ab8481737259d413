"""Keeps a training's checkpoints: each is written beside its place and gets it when whole; a half-written one is none.

    WORK/writing/checkpoint-7           being written; whatever is here when a training begins is removed
    WORK/checkpoints/checkpoint-7       whole, with MARK, which says whose it is and how large each file was

A checkpoint of another training (other rows, weights or settings) is refused: going on from it would be neither. One
that lost a file or a part of one since (a full disk, a copy that ended early) is none, and the one before it is taken.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from tracemill.train.inside.job import Told

WRITING = "writing"
WHOLE = "checkpoints"
MARK = "tracemill-checkpoint.json"
_KEPT = 2  # the last one, and the one before


def newest(work: Path, identity: str) -> Path | None:
    """The last whole checkpoint of this training; None where there is none yet. Raises Told for another training's."""
    for place in sorted((work / WHOLE).glob("checkpoint-*"), key=_step, reverse=True):
        mark = _mark(place)
        owner = mark.get("identity")
        if owner != identity:
            raise Told(
                f"{place} is a checkpoint of another training ({owner or 'it has no mark'}), not of this one "
                f"({identity}): remove {work / WHOLE}, or train in another folder"
            )
        known = mark.get("files")  # of a mark of an earlier tracemill nothing is known
        if known is None or {name: size for name, size in _files(place).items() if name in known} == known:
            return place
    return None


def forget_halves(work: Path) -> None:
    """Remove what a training that was killed was writing."""
    shutil.rmtree(work / WRITING, ignore_errors=True)


def complete(work: Path, step: int, identity: str) -> Path:
    """Give the checkpoint of this step its place, now that it is whole, and remove those before the last two."""
    written = work / WRITING / f"checkpoint-{step}"
    mark = {"identity": identity, "step": step, "files": _files(written)}
    (written / MARK).write_text(json.dumps(mark), encoding="utf-8")
    place = work / WHOLE / written.name
    place.parent.mkdir(exist_ok=True)
    flush(written)
    before = [place] if place.exists() else []  # of this same step, from before a kill: the two are alike
    for old in before:
        _take_away(work, old)
    written.rename(place)
    for old in sorted(place.parent.glob("checkpoint-*"), key=_step)[:-_KEPT]:
        _take_away(work, old)
    return place


def _take_away(work: Path, old: Path) -> None:
    """Remove a checkpoint at once for whoever looks, so that a kill leaves none without its mark."""
    aside = work / WRITING / f"old-{old.name}"
    shutil.rmtree(aside, ignore_errors=True)
    old.rename(aside)
    shutil.rmtree(aside)


def flush(folder: Path) -> None:
    """Put all files of a folder on the disk itself, so that its name does not outlive them when the power fails."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _mark(place: Path) -> dict[str, Any]:
    """What a checkpoint says of itself; nothing where it cannot be read."""
    try:
        found = json.loads((place / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _files(folder: Path) -> dict[str, int]:
    """The size of every file below, by its path."""
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])
