"""Sources that are published data sets: read from the Hub at a pinned revision, or from local files of the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from tracemill.errors import SourceError
from tracemill.resources import Resources
from tracemill.shards import canonical_digest
from tracemill.sources.base import RawRow, Response, Slice, SourceRow
from tracemill.sources.files import CHECKED, FileSource, made_slices
from tracemill.sources.hub import HubSplit
from tracemill.sources.parquet_rows import cut_rows, decoded_row, run_digest
from tracemill.text.think import split as split_text

FOLDER_MARKS = ("/", ".", "$")  # how a repo that is a folder begins


class DatasetSource(FileSource):
    """One split of a data set. `path` "" reads `repo` from the Hub; else local JSON Lines, JSON or Parquet files.

    `revision`: a branch, tag or commit; the plan pins the commit that it names, and shards are read at that commit.
    `responses`: "reasoned" leaves out existing responses without a chain of thought, "none" leaves out all.
    """

    path: str = ""
    repo: str
    config: str | None = None
    split: str = "train"
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
        return HubSplit(self.repo, self.config, self.split, folder)

    def state(self, resources: Resources) -> str:
        """The commit that `revision` names now, or a digest of the local files."""
        return super().state(resources) if self.path else self.hub(resources).revision(self.revision)

    def plan(self, resources: Resources, rows_per_shard: int, earlier: Sequence[Slice] = ()) -> list[Slice]:
        """Cut the split by row numbers; see Source.plan."""
        if self.path:
            return super().plan(resources, rows_per_shard, earlier)
        hub = self.hub(resources)
        commit = hub.revision(self.revision)
        total = hub.count(commit)
        head = [decoded_row(i, row, self.longest_row) for i, row in enumerate(hub.rows(commit, 0, min(CHECKED, total)))]
        self.check_head(f"{hub.shown} at {commit}", head)
        known = {part.start: part for part in earlier if part.file == hub.shown}
        stops = sorted(part.stop for part in known.values())
        rows = total if self.limit is None else min(total, self.limit)
        cuts = cut_rows(rows, rows_per_shard, stops, self._identity(commit))
        return made_slices(self.name, hub.shown, cuts, commit, known)

    def read(self, resources: Resources, part: Slice) -> Iterator[RawRow]:
        """The rows of one slice, at the commit that was planned."""
        if self.path:
            yield from super().read(resources, part)
            return
        hub = self.hub(resources)
        commit = part.revision
        if hub.folder is not None and hub.revision(self.revision) != commit:
            raise SourceError(f"{hub.shown}: the folder changed since it was planned; run `plan` again")
        if run_digest(self._identity(commit), part.start, part.stop) != part.sha256:
            raise SourceError(f"{hub.shown}: was planned with another repo, config or split; run `plan` again")
        for row, value in enumerate(hub.rows(commit, part.start, part.stop), start=part.start):
            yield decoded_row(row, value, self.longest_row)

    def _identity(self, commit: str) -> str:
        return canonical_digest({"repo": self.repo, "config": self.config, "split": self.split, "commit": commit})
