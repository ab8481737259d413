"""Opens what Airflow calls by a URL, with the credentials of the connection in it: `s3://CONNECTION@bucket/prefix`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import ObjectStoragePath

if TYPE_CHECKING:
    from tracemill.engine.store import Store


def place_at(url: str) -> tuple[Any, str]:
    """The file system of an Airflow object storage URL, and the path there."""
    path = ObjectStoragePath(url)
    return path.fs, path.path


def store_at(url: str, *, create: bool = False) -> Store:
    """The store at such a URL. Raises StoreError when there is none and `create` is false."""
    from tracemill.engine.store import Store

    return Store(*place_at(url)).opened(create=create)
