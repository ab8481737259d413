"""Lays a sealed student out as a folder that servers and trainers load."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

from tracemill.engine.objects import store_io
from tracemill.engine.resources import Resources
from tracemill.engine.step import Step
from tracemill.engine.store import Manifest, Store
from tracemill.errors import StoreError
from tracemill.release.trainers.folder import replaceable
from tracemill.train.laid import brought
from tracemill.train.train import Train

MARK = "tracemill-student.json"  # whose student it is; also marks the folder as ours


def lay_student(store: Store, student: Manifest, folder: Path) -> bool:
    """Copy the student to `folder`, which it takes when whole; an earlier student there is replaced.

    False where this very student is there already. Raises StoreError for a folder of other files.
    """
    mark = {"identity": student.fingerprint, "files": sorted(student.files)}
    with store_io(f"cannot write {folder}"):
        folder = require_place(folder)
        if _known(folder) == mark and all((folder / name).is_file() for name in student.files):
            return False
    new = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    try:
        brought(store, student.files, new)
        with store_io(f"cannot write {folder}"):
            (new / MARK).write_text(json.dumps(mark) + "\n", encoding="utf-8")
            if folder.exists():
                shutil.rmtree(folder)
            new.replace(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return True


def require_place(folder: Path) -> Path:
    """Where a student's folder really lies. Raises StoreError for a folder of other files: ask before training."""
    folder = replaceable(folder)
    if _known(folder) is None and folder.exists() and any(folder.iterdir()):
        raise StoreError(f"{folder} holds other files: lay the student out in a new or empty folder")
    return folder


def lay_out(step: Step, name: str, store: Store, resources: Resources) -> Path | None:
    """Lay a sealed student out in the folder that its step names; None where it names none."""
    student = store.manifest(name, 0)
    if not isinstance(step, Train) or step.folder is None or student is None:
        return None
    folder = resources.path(step.folder)
    lay_student(store, student, folder)
    return folder


def _known(folder: Path) -> dict[str, object] | None:
    """What the mark of a folder says; None without one, {} for one that cannot be read."""
    try:
        found = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
