"""Keeps what a question about a selection added up, so that the next one about the same store is told at once.

Adding up millions of responses takes seconds, of which their files alone take most. What the rule looks at is a row for
each problem as one model saw it, and many rows are alike (algorithm1.sql, `alike`). They lie beside other things that
are dear to make again (`Resources.cache`), never in the store, and hold as long as no manifest that the step reads
was written since: like an index of git they are known by the inode, time and size of every one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tracemill.engine.pipeline import PLAN
from tracemill.engine.resources import Resources
from tracemill.engine.runner import steps_read
from tracemill.engine.store import Store
from tracemill.recipe import Recipe

KEEP_FROM = 1_000_000  # responses: fewer are added up anew before anybody notices
_VERSION = 1  # of the columns and of what they mean
_UNDONE = ".part"
_TABLE = "table"  # the file that names the table which was read
_ABANDONED = 86_400.0  # seconds after which nobody goes on writing
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptGroups:
    """The groups of one store, step and state, in a folder of `place`."""

    place: Path
    state: str

    @classmethod
    def of(cls, recipe: Recipe, store: Store, name: str, machine: Resources) -> Self | None:
        """Those of step `name`; None for a store that is not on this machine's disk."""
        if not store.on_disk:
            return None
        which = hashlib.sha256(f"{store.root}\n{name}".encode()).hexdigest()[:20]
        mapped, gathered = steps_read(recipe, name)
        own = json.dumps([_VERSION, recipe.step(name).model_dump(mode="json")], sort_keys=True)
        known = hashlib.sha256(own.encode())
        for step in (*mapped, *gathered, name, PLAN):
            for file in _manifests(Path(store.path(step))):
                known.update(f"{step}/{file}\n".encode())
        return cls(machine.cache / "selection" / which, known.hexdigest()[:40])

    @property
    def folder(self) -> Path:
        """Where the files of this state lie."""
        return self.place / self.state

    @property
    def is_there(self) -> bool:
        """Whether groups of this state were kept."""
        return (self.folder / _TABLE).exists()

    @property
    def read(self) -> str:
        """Which table the groups were added up from."""
        return (self.folder / _TABLE).read_text(encoding="utf-8")

    @contextmanager
    def making(self, table: str) -> Iterator[Path | None]:
        """A folder for the files, which become those of this state when all is done; those of older states go.

        None where nothing can be kept: the question is answered all the same.
        """
        part = self.place / f"{uuid.uuid4().hex}{_UNDONE}"
        try:
            part.mkdir(parents=True)
            (part / _TABLE).write_text(table, encoding="utf-8")
        except OSError as error:
            _log.warning("nothing is kept for the next question: %s", error)
            yield None
            return
        try:
            yield part
            for older in self.place.iterdir():
                if older.suffix != _UNDONE or time.time() - older.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(older, ignore_errors=True)
            part.replace(self.folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _manifests(folder: Path) -> list[str]:
    """Name, inode, time and size of each manifest of a step; every write makes a new inode."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as found:
        stats = [(one.name, one.stat()) for one in found if one.name.endswith(".json")]
    return sorted(f"{name} {stat.st_ino} {stat.st_mtime_ns} {stat.st_size}" for name, stat in stats)
