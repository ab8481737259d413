"""The store of format 1 that the last code which wrote it has made, unpacked, with the machine that reads it."""

from __future__ import annotations

import json
import shutil
import tarfile
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.migration.migrating import Migrated, migrate
from tracemill.models.fake import FakeServer
from tracemill.recipe import Recipe, load_recipe
from tracemill.versions.refresh import Refreshed, refresh

FIXTURE = Path(__file__).parents[1] / "fixtures/store_format_1"
ENDPOINTS = json.dumps({"tiny": [{"url": "http://fake", "model": "tiny"}]})


@dataclass
class Old:
    """A copy of the store in `folder`, and a fake server that counts what it is asked."""

    folder: Path
    fixture: Path = FIXTURE
    server: FakeServer = field(default_factory=FakeServer)

    @property
    def root(self) -> str:
        return str(self.folder / "store")

    @property
    def store(self) -> Store:
        return Store.at(self.root, old=True)

    @property
    def recipe(self) -> Recipe:
        return load_recipe(str(self.fixture / "recipe.yaml"))

    @property
    def environment(self) -> dict[str, str]:
        return {"FIXTURE": str(self.folder / "sources"), "TRACEMILL_ENDPOINTS": ENDPOINTS}

    @property
    def machine(self) -> Resources:
        return Resources(workers=1, environment=self.environment, transport=self.server)

    def migrated(self, store: Store | None = None) -> Migrated:
        return migrate(self.recipe, store or self.store, self.machine, lambda line: None)

    def refreshed(self, anyway: bool = False) -> Refreshed:
        return refresh(self.recipe, self.root, self.machine, Console(file=StringIO()), anyway)

    def add(self, source: str, *rows: dict[str, Any]) -> None:
        """Rows of a new file of a source."""
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (self.folder / "sources" / f"{source}-9.jsonl").write_text(text, encoding="utf-8")


def unpacked(folder: Path, fixture: Path = FIXTURE) -> Old:
    """The store and its sources, copied into the folder."""
    with tarfile.open(fixture / "store.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    (folder / "sources").mkdir()
    for path in fixture.glob("*.jsonl"):
        shutil.copy(path, folder / "sources")
    return Old(folder, fixture)
