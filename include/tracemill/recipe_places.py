"""Finds recipes: those that come with tracemill, and those in the folder or store prefix that TRACEMILL_RECIPES names.

A recipe is named in one of four ways: by its file's name without .yaml (the own folder comes first), by a path, by any
fsspec URL of a file, or by its whole text, which is told by its line ends. A last line `#rows=50` (for a name: an end)
asks for a trial on so many rows. One that says `like: ANOTHER` is that one with the keys that it gives itself.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tracemill.engine.connections import open_url
from tracemill.engine.objects import ObjectStore, store_io
from tracemill.engine.resources import SHIPPED
from tracemill.errors import RecipeError
from tracemill.text.spelling import nearest
from tracemill.text.unique_keys import read_yaml

OWN = "TRACEMILL_RECIPES"
LIKE = "like"  # the key of a recipe that is another one but for what it says itself
_ENDS = (".yaml", ".yml")
_SAYS_LIKE = re.compile(r"""^\s*\{|^["']?like["']?\s*:""", re.MULTILINE)  # parsing costs what a DAG file may not
_ROWS = re.compile(r"\s*#rows=(\d+)\s*\Z")


class Written(NamedTuple):
    """A recipe's text; `where` names it in messages, `folder` is where its relative paths start (a path, or a URL)."""

    text: str
    where: str
    folder: str


def _open_url(url: str) -> tuple[Any, str]:
    fs, path = open_url(url)
    fs.invalidate_cache()
    return fs, path


def with_rows(reference: str, rows: int | None) -> str:
    """The same recipe, tried on so many rows (None or 0: the whole)."""
    found = _ROWS.search(reference)
    bare = reference[: found.start()] if found else reference
    if not rows:
        return bare
    return f"{bare.rstrip()}\n#rows={rows}" if _is_text(bare) else f"{bare}#rows={rows}"


def _is_text(reference: str) -> bool:
    return "\n" in reference or reference.lstrip().startswith("{")


def split_rows(reference: str) -> tuple[str, int | None]:
    """A reference without its last line, and the number of rows in it."""
    found = _ROWS.search(reference)
    return (reference[: found.start()], int(found[1]) or None) if found else (reference, None)


def find_recipe(reference: str) -> Written:
    """The whole text that a reference names (see `whole`). Raises RecipeError naming the nearest recipe there is,
    StoreError for a store that cannot be read just now.
    """
    return whole(_found(reference))


def whole(written: Written, after: tuple[str, ...] = ()) -> Written:
    """The same recipe with what the one that it is `like` says beside it, and that key gone; others as they are.

    Keys of one mapping are laid over the other's, at any depth; anything else is replaced, lists too. Steps stand in
    the order of the other recipe, new ones behind. Relative paths of both start at this recipe's folder. Raises
    RecipeError for one without a name of its own, for recipes that are like each other, and for one like what cannot be
    read.
    """
    data = _loaded(written.text) if _SAYS_LIKE.search(written.text) else None
    if not isinstance(data, dict) or LIKE not in data:
        return written
    named = str(data.pop(LIKE))
    if not named.endswith(_ENDS) or "://" in named or Path(named).is_absolute():
        place = named
    else:
        place = f"{written.folder}/{named}"
    if place in after:
        raise RecipeError(f"{written.where}: like {named!r}: these recipes are like each other: {', '.join(after)}")
    if "name" not in data:
        raise RecipeError(f"{written.where}: like {named!r}: give it a `name` of its own, which names its store")
    found = whole(_found(place), (*after, place))
    other = _loaded(found.text)
    if not isinstance(other, dict):
        raise RecipeError(
            f"{written.where}: like {named!r}: {found.where} cannot be read: `tracemill run` it to see why"
        )
    merged = yaml.safe_dump(_over(other, data), sort_keys=False, allow_unicode=True, width=1000)
    return written._replace(text=merged)


def _loaded(text: str) -> Any:
    """The data of a text; None for what is no YAML, which whoever reads the recipe will say."""
    try:
        return read_yaml(text)
    except yaml.YAMLError:
        return None


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`below` with the keys of `above`."""
    both = {k: _over(below[k], v) for k, v in above.items() if isinstance(v, dict) and isinstance(below.get(k), dict)}
    return {**below, **above, **both}


def _found(reference: str) -> Written:
    """The text that a reference names, as it lies there."""
    if _is_text(reference):
        return Written(reference, "the recipe given as text", own_folder() or str(SHIPPED))
    if not reference.endswith(_ENDS):
        known = recipe_files()
        if reference not in known:
            raise RecipeError(f"there is no recipe {reference!r}{nearest(reference, known)}")
        reference = known[reference]
    reference = reference.removeprefix("file://")
    if "://" in reference:
        return Written(_fetched(reference), reference, reference.rsplit("/", 1)[0])
    try:
        return Written(Path(reference).read_text(encoding="utf-8"), reference, str(Path(reference).resolve().parent))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{reference}: cannot be read as YAML: {error}") from error


def own_folder() -> str | None:
    """What TRACEMILL_RECIPES names: a folder's absolute path, or a URL; None when it is not set."""
    named = os.environ.get(OWN, "").rstrip("/")
    if not named:
        return None
    local = named.removeprefix("file://")
    return local if "://" in local else str(Path(local).resolve())


def recipe_files() -> dict[str, str]:
    """Each recipe's place, by name: the shipped ones, and over them those of TRACEMILL_RECIPES.

    Raises RecipeError for a folder that is not there, StoreError for a store that cannot be read.
    """
    shipped = {path.stem: str(path) for path in SHIPPED.glob("*.yaml")}
    own = own_folder()
    if own is None:
        return dict(sorted(shipped.items()))
    listed = _below(own) if "://" in own else _in_folder(own)
    return dict(sorted({**shipped, **{place.rsplit("/", 1)[-1].rsplit(".", 1)[0]: place for place in listed}}.items()))


def _in_folder(folder: str) -> list[str]:
    if not Path(folder).is_dir():
        raise RecipeError(f"{OWN} names {folder}, which is no folder: make it, or unset {OWN}")
    return sorted(str(path) for path in Path(folder).iterdir() if path.suffix in _ENDS and path.name[0] != ".")


def _below(prefix: str) -> list[str]:
    with store_io(f"cannot list the recipes below {prefix}"):
        fs, root = _open_url(prefix)
        names = [path.rsplit("/", 1)[-1] for path in fs.ls(root, detail=False)] if fs.exists(root) else []
    return sorted(f"{prefix}/{name}" for name in names if name.endswith(_ENDS) and name[0] != ".")


def _fetched(url: str) -> str:
    try:
        with store_io(f"cannot read {url}", absent=True):
            fs, path = _open_url(url)
            return str(fs.cat_file(path), "utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise RecipeError(f"{url}: cannot be read as YAML: {error}") from error


# Settings that are gone, with the default that an older tracemill wrote out where the recipe said nothing.
_RETIRED: dict[str, dict[str, Any]] = {"serve": {"timeout": 3600.0}}


def without_retired(data: Any, name: str = "") -> Any:
    """A stored recipe without settings that nobody wrote and nobody knows any more; what somebody wrote stays."""
    if isinstance(data, list):
        return [without_retired(item) for item in data]
    if not isinstance(data, dict):
        return data
    gone = {key for key, default in _RETIRED.get(name, {}).items() if data.get(key) == default}
    return {key: without_retired(item, key) for key, item in data.items() if key not in gone}


def stored_text(store: ObjectStore, key: str) -> bytes:
    """What a store holds under that key; nothing where there is none."""
    try:
        return store.read_bytes(key)
    except FileNotFoundError:
        return b""


def said_in(text: bytes) -> dict[str, Any]:
    """A stored recipe's data, also of one that an older tracemill wrote with other keys; {} for none."""
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
