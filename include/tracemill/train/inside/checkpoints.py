"""Keeps a training's checkpoints: each is written beside its place and gets it when whole; a half-written one is none.

    WORK/writing/checkpoint-7           being written; whatever is here when a training begins is removed
    WORK/checkpoints/checkpoint-7       whole, with MARK, which says whose it is

A checkpoint of another training (other rows, weights or settings) is refused: going on from it would be neither.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from tracemill.train.inside.job import Told

WRITING = "writing"
WHOLE = "checkpoints"
MARK = "tracemill-checkpoint.json"
_KEPT = 2  # the last one, and the one before


def newest(work: Path, identity: str) -> Path | None:
    """The last whole checkpoint of this training; None where there is none yet. Raises Told for another training's."""
    found = sorted((work / WHOLE).glob("checkpoint-*"), key=_step)
    if not found:
        return None
    try:
        owner = json.loads((found[-1] / MARK).read_text(encoding="utf-8"))["identity"]
    except (OSError, ValueError, KeyError, TypeError):
        owner = None
    if owner != identity:
        raise Told(
            f"{found[-1]} is a checkpoint of another training ({owner or 'it has no mark'}), not of this one "
            f"({identity}): remove {work / WHOLE}, or train in another folder"
        )
    return found[-1]


def forget_halves(work: Path) -> None:
    """Remove what a training that was killed was writing."""
    shutil.rmtree(work / WRITING, ignore_errors=True)


def complete(work: Path, step: int, identity: str) -> Path:
    """Give the checkpoint of this step its place, now that it is whole, and remove those before the last two."""
    written = work / WRITING / f"checkpoint-{step}"
    (written / MARK).write_text(json.dumps({"identity": identity, "step": step}), encoding="utf-8")
    place = work / WHOLE / written.name
    place.parent.mkdir(exist_ok=True)
    flush(written)
    if place.exists():  # of this same step, from before a kill: the two are alike
        shutil.rmtree(place)
    written.rename(place)
    for old in sorted(place.parent.glob("checkpoint-*"), key=_step)[:-_KEPT]:
        shutil.rmtree(old)
    return place


def flush(folder: Path) -> None:
    """Put all files of a folder on the disk itself, so that its name does not outlive them when the power fails."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])
