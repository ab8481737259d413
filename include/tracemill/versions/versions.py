"""Decides when a release is published as a version: sealed, whole, made from what is sealed now, and not the last one.

Below the store's root, and only ever added to:

    versions/00002.json                     version 2: the commit point, written last, and by one of several at once
    versions/changes-DIGEST.parquet         the ids that a version added and removed, and why
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.engine.pipeline import first_of
from tracemill.engine.resources import Resources
from tracemill.engine.runner import fingerprint_of, inputs_for
from tracemill.engine.store import Manifest, Store, StoredFile, canonical_digest
from tracemill.errors import CorruptShard, MissingInput, StoreError
from tracemill.recipe import Recipe
from tracemill.versions.diff import Totals, changes_between, store_changes, totals

FOLDER = "versions"
METADATA = "metadata.parquet"
_ATTEMPTS = 20
_NAME = re.compile(r"(\d{5,})\.json")
Cause = Literal["refresh", "recall", "publish"]


class Version(BaseModel):
    """A published release. `content` is the digest of its files; `changes` lists ids against the version before."""

    model_config = ConfigDict(frozen=True)
    number: int
    cause: Cause
    content: str
    release: str
    rows: int
    totals: Totals
    files: dict[str, StoredFile]
    changes: StoredFile

    @property
    def name(self) -> str:
        """v1, v2, ..."""
        return f"v{self.number}"


@dataclass(frozen=True)
class Published:
    """The version that the release is; `fresh` when it was made just now."""

    version: Version
    fresh: bool


def version_numbers(store: Store) -> list[int]:
    """The numbers of all versions, in order."""
    return sorted(int(match[1]) for name in store.names(FOLDER) if (match := _NAME.fullmatch(name)))


def version(store: Store, number: int) -> Version:
    """One version. Raises MissingInput when there is none of that number, CorruptShard when it cannot be read."""
    key = _key(number)
    try:
        return Version.model_validate_json(store.read_bytes(key))
    except FileNotFoundError:
        raise MissingInput(f"{store.root} has no version {number}; it has {version_numbers(store)}") from None
    except ValidationError as error:
        raise CorruptShard(f"{store.root}/{key} is not a version: restore it from a copy ({error})") from error


def latest(store: Store) -> Version | None:
    """The last version, or None before the first."""
    numbers = version_numbers(store)
    return version(store, numbers[-1]) if numbers else None


def seal_version(recipe: Recipe, store: Store, resources: Resources, cause: Cause) -> Published:
    """Publish the sealed release as the next version, unless it is the last version's content.

    Raises MissingInput when a shard or the release itself is not sealed for what is sealed before it (a half release is
    never published), CorruptShard when a file of it is gone or is not what its manifest says.
    """
    manifest = current_release(recipe, store, resources)
    content = canonical_digest({name: stored.sha256 for name, stored in manifest.files.items()})
    for _ in range(_ATTEMPTS):
        before = latest(store)
        if before is not None and before.content == content:
            return Published(before, fresh=False)
        _require_whole(store, manifest)
        made = _version(recipe, store, manifest, before, cause, content)
        if store.create_bytes(_key(made.number), made.model_dump_json(indent=1).encode()):
            return Published(made, fresh=True)
    raise StoreError(f"{store.root}/{FOLDER} is being written by others all the time: run again")


def current_release(recipe: Recipe, store: Store, resources: Resources) -> Manifest:
    """The sealed release, made from what is sealed now. Raises MissingInput when it is not there or is behind."""
    name = release_name(recipe)
    inputs = inputs_for(recipe, store, name, 0)
    manifest = store.manifest(name, 0)
    machine = recipe.located(resources)
    if manifest is None or manifest.fingerprint != fingerprint_of(recipe.step(name), machine, inputs):
        raise MissingInput(f"step {name!r} is not sealed for what {store.root} holds now: run {name!r}, then publish")
    return manifest


def release_name(recipe: Recipe) -> str:
    """What the recipe calls its release. Raises MissingInput when it has none."""
    name = first_of(recipe, "release")
    if name is None:
        raise MissingInput(f"recipe {recipe.name!r} has no step of kind 'release': add one and run it")
    return name


def _version(
    recipe: Recipe, store: Store, manifest: Manifest, before: Version | None, cause: Cause, content: str
) -> Version:
    earlier = (before.number, before.files[METADATA]) if before else None
    changes = changes_between(recipe, store, earlier, manifest.files[METADATA])
    return Version(
        number=before.number + 1 if before else 1,
        cause=cause,
        content=content,
        release=manifest.fingerprint,
        rows=manifest.counts.kept,
        totals=totals(changes),
        files=manifest.files,
        changes=store_changes(store, changes, FOLDER),
    )


def _require_whole(store: Store, manifest: Manifest) -> None:
    """Read every file of the release once. Raises CorruptShard for one that is gone or other than it was sealed."""
    for stored in manifest.files.values():
        digest = hashlib.sha256()
        try:
            for chunk in store.chunks(stored.key):
                digest.update(chunk)
        except FileNotFoundError as error:
            raise CorruptShard(f"{store.root}/{stored.key} is missing: {_MEND}") from error
        if digest.hexdigest() != stored.sha256:
            raise CorruptShard(f"{store.root}/{stored.key} is damaged: {_MEND}")
    rows = store.get_table(manifest.files[METADATA], ["generation_id"]).num_rows
    if rows != manifest.counts.kept:
        raise CorruptShard(f"the release lists {rows} rows and sealed {manifest.counts.kept}: {_MEND}")


_MEND = "delete the release's folder and manifest, and run it again; nothing was published"


def _key(number: int) -> str:
    return f"{FOLDER}/{number:05d}.json"
