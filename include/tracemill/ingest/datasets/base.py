"""Sources that are published data sets: read from the Hub at a pinned revision, or from local files of the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from tracemill.engine.resources import Resources
from tracemill.errors import SourceError
from tracemill.ingest.formats.files import FileSource
from tracemill.ingest.formats.hub import HubSplit
from tracemill.ingest.formats.listing import DataFile
from tracemill.ingest.source import Response, Slice, SourceRow
from tracemill.text.think import split as split_text

FOLDER_MARKS = ("/", ".", "$")  # how a repo that is a folder begins


class DatasetSource(FileSource):
    """One split of a data set. `path` "" reads `repo` from the Hub; else local JSON Lines, JSON or Parquet files.

    `revision`: a branch, tag or commit; the plan pins the commit that it names, and shards are read at that commit.
    `responses`: "reasoned" leaves out existing responses without a chain of thought, "none" leaves out all.
    """

    path: str = ""
    repo: str
    config: str | None = None  # the configuration of the data set; null: its only one
    split: str = "train"  # the split of the data set that is read
    revision: str = "main"
    responses: Literal["all", "reasoned", "none"] = "all"

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one native row, with all of its responses. Raises RowError for a row that is not as documented."""
        raise NotImplementedError  # abstract

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """Map one native row, with the responses that the recipe wants."""
        row = self.mapped(value)
        return row.model_copy(update={"responses": tuple(r for r in row.responses if self._wanted(r))})

    def _wanted(self, response: Response) -> bool:
        if self.responses == "reasoned":
            return response.thinking is not None or split_text(response.text).think is not None
        return self.responses == "all"

    def hub(self, resources: Resources) -> HubSplit:
        """The split on the Hub, or in a folder when `repo` is one."""
        folder = resources.path(self.repo) if self.repo.startswith(FOLDER_MARKS) else None
        return HubSplit(self.repo, self.config, self.split, resources, folder)

    def state(self, resources: Resources) -> str:
        """The commit that `revision` names now, or a digest of the local files."""
        return super().state(resources) if self.path else self.hub(resources).commit(self.revision)

    def files(self, resources: Resources) -> list[DataFile]:
        """The split's files at the commit that `revision` names now, or the local files."""
        if self.path:
            return super().files(resources)
        hub = self.hub(resources)
        return hub.files(hub.commit(self.revision))

    def file_of(self, resources: Resources, part: Slice) -> Path:
        """A slice's file, at the commit that was planned."""
        if self.path:
            return super().file_of(resources, part)
        hub = self.hub(resources)
        if not part.file.startswith(f"{hub.shown}/"):
            raise SourceError(f"{part.file}: was planned with another repo, config or split; run `plan` again")
        return hub.file(part.file.removeprefix(f"{hub.shown}/"), part.revision)
