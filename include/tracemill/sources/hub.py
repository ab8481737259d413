"""Reads data sets of the Hugging Face Hub row by row, at one pinned revision, through `datasets` (streaming).

Nothing of a data set is executed: `datasets` of this version runs no loading scripts. A `repo` that is a folder on disk
(a clone, or a mirror without network) works the same; its revision is the digest of its files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracemill.errors import SourceError, StoreError, TracemillError
from tracemill.shards import file_digest


@dataclass(frozen=True)
class HubSplit:
    """One split of one configuration of a data set. `folder`: where the repo lies, when it lies on this disk."""

    repo: str
    config: str | None
    split: str
    folder: Path | None = None

    @property
    def shown(self) -> str:
        """How plans, provenance and messages name the split, at any revision."""
        return f"hf://{self.repo}/{self.config or 'default'}/{self.split}"

    def revision(self, wanted: str) -> str:
        """The commit that a branch, tag or commit names now. Raises SourceError, or StoreError when offline."""
        if self.folder is not None:
            return _folder_digest(self.folder)
        from huggingface_hub import HfApi

        with _hub(self):
            return str(HfApi().dataset_info(self.repo, revision=wanted).sha)

    def count(self, revision: str) -> int:
        """How many rows the split has: as its card says, else counted by reading them once."""
        from datasets import load_dataset_builder

        with _hub(self):
            splits = load_dataset_builder(self._path, self.config, revision=self._at(revision)).info.splits or {}
            known = splits[self.split].num_examples if self.split in splits else None
            return int(known) if known else sum(1 for _ in self._stream(revision))

    def rows(self, revision: str, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """Rows `start` to `stop` (exclusive), in the split's order."""
        with _hub(self):
            yield from self._stream(revision).skip(start).take(stop - start)

    def _stream(self, revision: str) -> Any:
        from datasets import load_dataset

        return load_dataset(self._path, self.config, split=self.split, revision=self._at(revision), streaming=True)

    @property
    def _path(self) -> str:
        return str(self.folder) if self.folder is not None else self.repo

    def _at(self, revision: str) -> str | None:
        return None if self.folder is not None else revision


@contextmanager
def _hub(split: HubSplit) -> Iterator[None]:
    """The one boundary where failures of `datasets` and the Hub become ours; they share no base class."""
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

    remedy = "check repo, config, split and revision in the recipe, log in if it is gated, or set `path` to local files"
    wrong = (DatasetsError, RepositoryNotFoundError, RevisionNotFoundError, EntryNotFoundError, ValueError, KeyError)
    try:
        yield
    except (TracemillError, GeneratorExit):
        raise
    except wrong as error:
        raise SourceError(f"{split.shown}: {_first_line(error)} ({remedy})") from error
    except Exception as error:
        raise StoreError(f"{split.shown}: {type(error).__name__}: {_first_line(error)} (retry, or {remedy})") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _folder_digest(folder: Path) -> str:
    if not folder.is_dir():
        raise SourceError(f"{folder}: there is no such folder; check `repo` in the recipe")
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{file_digest(file)}\n".encode())
    return digest.hexdigest()
