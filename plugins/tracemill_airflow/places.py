"""Where a run's recipe and store lie, by its form; opened with the credentials of the connection in their URL.

`s3://CONNECTION@bucket/prefix` is how Airflow names a place behind a connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml
from airflow.sdk import ObjectStoragePath
from fsspec.core import url_to_fs

from tracemill.engine.connections import open_urls_with
from tracemill.engine.trial import trial_root
from tracemill.recipe_places import with_rows

if TYPE_CHECKING:
    from tracemill.engine.store import Store


def place_at(url: str) -> tuple[Any, str]:
    """The file system of an Airflow object storage URL, and the path there."""
    path = ObjectStoragePath(url)
    return path.fs, path.path


def _by_connection(url: str) -> tuple[Any, str]:
    """`s3://CONNECTION@bucket/prefix` by that connection; any other URL as it is."""
    return place_at(url) if "://" in url and "@" in url else url_to_fs(url, use_listings_cache=False)


open_urls_with(_by_connection)  # recipes and paid answers lie behind connections, too


def store_at(url: str, *, create: bool = False) -> Store:
    """The store at such a URL. Raises StoreError when there is none and `create` is false."""
    from tracemill.engine.store import Store

    return Store(*place_at(url)).opened(create=create)


def recipe_of(params: Mapping[str, Any]) -> str:
    """What the form's fields name as the recipe, for `load_recipe`: a pasted text comes before a name."""
    pasted = str(params.get("recipe_yaml") or "").strip()
    return with_rows(f"{pasted}\n" if pasted else str(params["recipe"]), int(params.get("rows") or 0))


def store_of(params: Mapping[str, Any]) -> str:
    """The root of the release that the form's fields mean, of a trial a root of its own: STORE/RECIPE/RELEASE."""
    root = f"{str(params['store']).rstrip('/')}/{_name_of(params)}/{params['release']}"
    return trial_root(root, int(params.get("rows") or 0) or None)


def _name_of(params: Mapping[str, Any]) -> str:
    """The recipe's name. A pasted text that names none is refused by the first task, before anything is opened."""
    pasted = str(params.get("recipe_yaml") or "").strip()
    if not pasted:
        return str(params["recipe"])
    try:
        data = yaml.safe_load(pasted)
    except yaml.YAMLError:
        return "pasted"
    return str(data.get("name") or "pasted") if isinstance(data, dict) else "pasted"


MACROS = {"recipe_of": recipe_of, "store_of": store_of}  # what the operators' templates call
