"""Has the files of a data set of the Hugging Face Hub on this machine: at one pinned commit, fetched once, checked.

`huggingface_hub` downloads them into its cache (resumed after a break, one process at a time, shared by all), our own
readers read them; nothing of a data set is executed. Which files a split has is decided by `datasets`, on a copy of the
repository's names without contents. A `repo` that is a folder on disk (a clone, a mirror) works the same.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tenacity import RetryCallState, retry, retry_if_exception, stop_after_delay

from tracemill.engine.objects import scratch_folder
from tracemill.engine.resources import Resources
from tracemill.engine.store import canonical_digest
from tracemill.errors import SourceError, StoreError, TracemillError
from tracemill.ingest.formats.cache import Cache
from tracemill.ingest.formats.listing import DataFile
from tracemill.ingest.formats.unpacking import content_digest

PATIENCE = 900.0  # seconds that a busy Hub (429, 5xx) is waited for in all
LONGEST_WAIT = 120.0  # seconds between two tries; Retry-After comes before both
FIRST_WAIT = 2.0
LARGE = 10 << 20  # bytes of a file whose download is said
_BUSY = {408, 429, 500, 502, 503, 504}
_T = TypeVar("_T")


@dataclass(frozen=True)
class HubSplit:
    """One split of one configuration of a data set. `folder`: where the repo lies, when it lies on this disk."""

    repo: str
    config: str | None
    split: str
    resources: Resources
    folder: Path | None = None

    @property
    def shown(self) -> str:
        """How plans, provenance and messages name the split; its files' paths come after it."""
        return f"hf://{self.repo}/{self.config or 'default'}/{self.split}"

    def commit(self, wanted: str) -> str:
        """The commit that a branch, tag or commit names now; a folder's is a digest of its files.

        Raises SourceError, or StoreError when the Hub cannot be reached.
        """
        if self.folder is None:
            return str(self._asked(partial(self._api.dataset_info, self.repo, revision=wanted)).sha)
        cache = Cache(self.resources.cache)
        return canonical_digest({n: content_digest(self.folder / n, n, cache) for n in _names(self.folder)})

    def files(self, commit: str) -> list[DataFile]:
        """The split's files at that commit, in its order. Raises SourceError for an unknown config or split."""
        if self.folder is not None:
            names = self._of_split(_names(self.folder), lambda name: (self.folder or Path()) / name)
            return [DataFile(f"{self.shown}/{name}", partial(self.file, name, "")) for name in names]
        found = self._asked(lambda: list(self._api.list_repo_tree(self.repo, recursive=True, **self._at(commit))))
        known = {one.path: one for one in found if hasattr(one, "blob_id")}
        names = self._of_split(sorted(known), lambda name: self._checked(known[name], commit))
        return [DataFile(f"{self.shown}/{n}", partial(self._checked, known[n], commit), commit) for n in names]

    def file(self, name: str, commit: str) -> Path:
        """Where one file of the repository is on this machine, which it is fetched to if need be."""
        if self.folder is not None:
            return self.folder / name
        from huggingface_hub import hf_hub_download

        place = {"cache_dir": self.resources.environment.get("HF_HUB_CACHE"), "endpoint": self._endpoint}
        return Path(self._asked(partial(hf_hub_download, self.repo, name, **self._at(commit), **place)))

    def _checked(self, known: Any, commit: str) -> Path:
        """The fetched file, whose bytes are those that the Hub has. Raises StoreError, and forgets it, when not."""
        if known.size >= LARGE and not self._here(known.path, commit):
            self.resources.tell(f"{self.shown}: fetching {known.path} ({known.size / 1e6:,.0f} MB)")
        path = self.file(known.path, commit)
        right = known.lfs.sha256 if known.lfs else known.blob_id
        found = Cache(self.resources.cache).digest(path) if known.lfs else _git_digest(path)
        if found != right:
            path.resolve().unlink()
            raise StoreError(f"{self.shown}/{known.path}: came with other bytes than the Hub has; retry")
        return path

    def _here(self, name: str, commit: str) -> bool:
        from huggingface_hub import try_to_load_from_cache

        cache = self.resources.environment.get("HF_HUB_CACHE")
        return isinstance(try_to_load_from_cache(self.repo, name, cache_dir=cache, **self._at(commit)), str)

    def _of_split(self, names: list[str], have: Callable[[str], Path]) -> list[str]:
        """Which of a repository's files are the split's: as `datasets` says, of a repository with nothing in it."""
        from datasets import load_dataset_builder

        with scratch_folder(self.shown) as folder, _failures(self.shown):
            for name in names:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                if name in ("README.md", ".huggingface.yaml"):
                    shutil.copyfile(have(name), folder / name)
                elif name != "dataset_infos.json":
                    (folder / name).touch()
            files = load_dataset_builder(str(folder), self.config, cache_dir=str(folder / ".cache")).config.data_files
            if self.split not in (files or {}):
                raise SourceError(
                    f"{self.shown}: there is no split {self.split!r}; there are: {', '.join(files or {})}"
                )
            root = folder.resolve()
            return [Path(str(file)).relative_to(root).as_posix() for file in files[self.split]]

    @property
    def _endpoint(self) -> str | None:
        return self.resources.environment.get("HF_ENDPOINT")

    @property
    def _api(self) -> Any:
        from huggingface_hub import HfApi

        return HfApi(endpoint=self._endpoint)

    def _at(self, commit: str) -> dict[str, str]:
        return {"repo_type": "dataset", "revision": commit}

    def _asked(self, ask: Callable[[], _T]) -> _T:
        """Ask the Hub; one that is busy is waited for, and that is said."""
        patient = retry(
            retry=retry_if_exception(lambda error: _status(error) in _BUSY),
            stop=stop_after_delay(PATIENCE),
            wait=_wait,
            before_sleep=self._say_wait,
            reraise=True,
        )
        with _failures(self.shown):
            return patient(ask)()

    def _say_wait(self, state: RetryCallState) -> None:
        status = _status(state.outcome.exception() if state.outcome else None)
        self.resources.tell(f"{self.shown}: the Hub answers {status}; asking again in {state.upcoming_sleep:.0f} s")


def _response(error: BaseException | None) -> Any:
    """What the Hub answered; a failed download names it as its cause."""
    while error is not None and getattr(error, "response", None) is None:
        error = error.__cause__
    return getattr(error, "response", None)


def _status(error: BaseException | None) -> int | None:
    status = getattr(_response(error), "status_code", None)
    return int(status) if status is not None else None


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = getattr(_response(error), "headers", {}).get("retry-after", "")
    return min(float(asked) if asked.isdigit() else FIRST_WAIT * 2 ** (state.attempt_number - 1), LONGEST_WAIT)


@contextmanager
def _failures(shown: str) -> Iterator[None]:
    """The one boundary where failures of `datasets` and the Hub become ours; they share no base class."""
    from datasets.exceptions import DatasetsError
    from huggingface_hub import errors

    wrong = (
        DatasetsError,
        errors.RevisionNotFoundError,
        errors.RemoteEntryNotFoundError,
        errors.HFValidationError,
        ValueError,
        KeyError,
    )
    try:
        yield
    except (TracemillError, GeneratorExit):
        raise
    except errors.GatedRepoError as error:
        raise SourceError(
            f"{shown}: the data set is gated: accept its terms on its page, then set HF_TOKEN (or log in with `hf auth "
            f"login`) as the user who did ({_first_line(error)})"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise SourceError(
            f"{shown}: there is no such data set, or it is private: check `repo`, or set HF_TOKEN "
            f"({_first_line(error)})"
        ) from error
    except wrong as error:
        raise SourceError(
            f"{shown}: {_first_line(error)} (check repo, config, split and revision in the recipe, or set `path` to "
            "local files)"
        ) from error
    except Exception as error:
        if _status(error) in (401, 403):
            raise SourceError(
                f"{shown}: the Hub refuses the token: set HF_TOKEN anew ({_first_line(error)})"
            ) from error
        raise StoreError(
            f"{shown}: {type(error).__name__}: {_first_line(error)} (check the network and retry; what was fetched is "
            "kept)"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _names(folder: Path) -> list[str]:
    """The files of a repository that is a folder."""
    if not folder.is_dir():
        raise SourceError(f"{folder}: there is no such folder; check `repo` in the recipe")
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(name.as_posix() for name in files if ".git" not in name.parts and ".cache" not in name.parts)


def _git_digest(path: Path) -> str:
    """What git calls a file's content."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
