"""A store that lies upon another: what it lacks is read from there, and nothing is ever written there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow.parquet as pq

from tracemill.engine.store import Store, StoredFile


class Overlay(Store):
    """The shards of `under` as they are, and those that were sealed here instead of them.

    So a pipeline of which some steps are other ones runs on what an earlier run has made: what is not touched by the
    change has its fingerprint still and is found sealed.
    """

    def __init__(self, under: Store, root: str) -> None:
        super().__init__(under.fs, root)
        self.under = under

    @classmethod
    def below(cls, under: Store, folder: str) -> Overlay:
        """The overlay in a folder of the store; made when there is none."""
        found = cls(under, f"{under.root}/{folder}")
        Store(under.fs, found.root).opened(create=True)
        return found

    def read_bytes(self, key: str) -> bytes:
        """The object's bytes, from here or below. Raises FileNotFoundError when it is at neither place."""
        try:
            return super().read_bytes(key)
        except FileNotFoundError:
            return self.under.read_bytes(key)

    def chunks(self, key: str) -> Iterator[bytes]:
        """The object's bytes, a chunk at a time, from here or below."""
        return super().chunks(key) if self._has(key) else self.under.chunks(key)

    def names(self, folder: str = "") -> set[str]:
        """The names directly below a folder, here and below."""
        return super().names(folder) | self.under.names(folder)

    @contextmanager
    def _parquet(self, stored: StoredFile) -> Iterator[pq.ParquetFile]:
        with super()._parquet(stored) if self._has(stored.key) else self.under._parquet(stored) as file:
            yield file

    def _has(self, key: str) -> bool:
        return self.size(key) is not None
