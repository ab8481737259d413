"""Lays a sealed release out as a plain folder, under the names that its card uses, ready to load or to upload."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from tracemill.engine.copies import copied
from tracemill.engine.objects import store_io
from tracemill.engine.pipeline import first_of
from tracemill.engine.resources import Resources
from tracemill.engine.runner import fingerprint_of, inputs_for
from tracemill.engine.store import Manifest, Store, StoredFile
from tracemill.errors import CorruptShard, MissingInput, StoreError
from tracemill.recipe import Recipe
from tracemill.release.exports.step import Export
from tracemill.release.step import Release
from tracemill.report.funnel import recipe_of

LIST = "tracemill-release.json"  # what this release consists of: name -> SHA-256; also marks the folder as ours


def publish(store: Store, target: Path) -> Path:
    """Copy the store's release into the folder `target` and return it; a file that is there already is left alone.

    The sets of an `export` step lie in a folder of the step's name, each in its own. Every copy is checked against its
    SHA-256. Files of an earlier release are removed; a folder that holds anything else is refused. Raises MissingInput
    before there is a release or an up-to-date export, StoreError and CorruptShard when copying fails.
    """
    files = _published(recipe_of(store), store)
    with store_io(f"cannot write {target}"):
        _refuse_foreign(target)
        target.mkdir(parents=True, exist_ok=True)
        (target / LIST).touch()
        for name, stored in files.items():
            copied(store, stored, _below(target, name))
        _remove_others(target, set(files))
        digests = {name: stored.sha256 for name, stored in sorted(files.items())}
        (target / LIST).write_text(json.dumps({"files": digests}, indent=1) + "\n", encoding="utf-8")
    return target


def _published(recipe: Recipe, store: Store) -> dict[str, StoredFile]:
    """The files of the release and of the exports, by their names in the folder; either may be missing in a recipe."""
    exports = [name for name, step in recipe.steps.items() if isinstance(step, Export)]
    has_release = any(isinstance(step, Release) for step in recipe.steps.values())
    files = dict(released(recipe, store).files) if has_release or not exports else {}
    for name in exports:
        manifest = store.manifest(name, 0)
        made_of = fingerprint_of(recipe.step(name), Resources(), inputs_for(recipe, store, name, 0))
        if manifest is None or manifest.fingerprint != made_of:
            why = "was not run" if manifest is None else "was made before something that it stands on changed"
            raise MissingInput(f"step {name!r} {why}: run it, then publish")
        files |= {f"{name}/{file}": stored for file, stored in manifest.files.items()}
    return files


def released(recipe: Recipe, store: Store) -> Manifest:
    """The manifest of the recipe's release. Raises MissingInput when it has none or it is not sealed."""
    name = first_of(recipe, "release")
    if name is None:
        raise MissingInput(f"recipe {recipe.name!r} has no step of kind 'release': add one and run it")
    manifest = store.manifest(name, 0)
    if manifest is None:
        raise MissingInput(f"{store.root} holds no release yet: run step {name!r} first")
    return manifest


def _refuse_foreign(target: Path) -> None:
    if target.exists() and any(target.iterdir()) and not (target / LIST).is_file():
        raise StoreError(f"{target} holds other files: publish into a new or empty folder")


def _below(target: Path, name: str) -> Path:
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise CorruptShard(f"the release names a file {name!r} outside its folder")
    return target / name


def _remove_others(target: Path, names: set[str]) -> None:
    """Remove what an earlier publication of another release left; only names that publish itself once wrote."""
    listed = json.loads((target / LIST).read_text(encoding="utf-8") or "{}").get("files", {})
    for name in set(listed) - names:
        _below(target, name).unlink(missing_ok=True)
