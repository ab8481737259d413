"""Removes from a store what nothing reaches: data that no manifest and no version names.

Reached is every object that any JSON object of the store names as a key: manifests, kept ones of earlier settings too,
versions, revocations, migrations. A JSON object that cannot be read ends the look, as nobody knows what it names. An
object may be on its way to a manifest that is not written yet, so only those of a day ago are removed; one that a task
finds there, and is going to name, is written again by then (see Store.put_content).

Manifests of earlier settings are removed on demand, and before their data: who is killed half-way leaves data without a
name, never a name without data. Paid answers are another matter (see answers).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from tracemill.engine.keys import remove
from tracemill.engine.objects import Listed
from tracemill.engine.store import FRESH, MARKER, Store
from tracemill.errors import CorruptShard

GRACE = 2 * FRESH  # seconds; an object that nobody named within that time belongs to nobody
_READERS = 16
_DATA = re.compile(r".+/\d{5}/[^/]+-[0-9a-f]{20}(?:\.\w+)?|versions/changes-[0-9a-f]{20}\.parquet")
_MANIFEST = re.compile(r"(?P<shard>.+/\d{5})/(?P<fingerprint>[0-9a-f]{40})\.json")
# Leases, money, digests and answers are no manifests.
_OTHERS = ("serving/", "clients/", "costs/", "batches/", "weights/", "samples/")
Why = Literal["unnamed", "half-written", "earlier settings"]


@dataclass(frozen=True)
class Removable:
    """An object that may go: its key, size in bytes, and why nothing needs it."""

    key: str
    bytes: int
    why: Why


@dataclass
class _Names:
    """What one look at a store's JSON objects found."""

    reached: set[str] = field(default_factory=set)
    current: dict[str, str] = field(default_factory=dict)  # fingerprint by shard
    released: set[str] = field(default_factory=set)  # fingerprints that versions were made of


def removable(store: Store, *, earlier: bool = False, grace: float = GRACE) -> list[Removable]:
    """What may go, manifests first; a store below the root, such as a trial, is pruned by its own root.

    `earlier`: also shards of earlier settings, whose rows are not the current ones.

    Raises CorruptShard when a JSON object cannot be read.
    """
    listed = _own(store.listed())
    old = {one.key for one in listed if time.time() - one.modified > grace}
    records = dict(_records(store, [one.key for one in listed if _is_record(one.key)]))
    names = _names(records, records)
    gone = {key for key in records if earlier and key in old and _is_earlier(key, names)}
    named = names.reached
    if gone:
        names = _names(records, (key for key in records if key not in gone))
    found = [Removable(one.key, one.bytes, "earlier settings") for one in listed if one.key in gone]
    for one in listed:
        if one.key not in old or one.key in names.reached or one.key in gone:
            continue
        if one.key.endswith(".part"):
            found.append(Removable(one.key, one.bytes, "half-written"))
        elif _DATA.fullmatch(one.key):
            found.append(Removable(one.key, one.bytes, "earlier settings" if one.key in named else "unnamed"))
    return found


def prune(store: Store, found: Iterable[Removable], *, grace: float = GRACE) -> Iterator[Removable]:
    """Remove them in that order, and tell each. What somebody began to use meanwhile stays."""
    used: set[str] = set()
    for one in found:
        manifest = _MANIFEST.fullmatch(one.key)
        if manifest and _became_current(store, manifest):
            used |= {one.key, *_keys(_parsed(store, one.key))}
        if one.key not in used and not (not manifest and store.is_fresh(one.key, one.bytes, min(grace, FRESH))):
            remove(store, one.key)
            yield one


def _own(listed: list[Listed]) -> list[Listed]:
    """The objects of this store alone: the keys of a store that lies below its root, such as a trial's, start there."""
    others = tuple(one.key.removesuffix(MARKER) for one in listed if one.key.endswith(f"/{MARKER}"))
    return [one for one in listed if not one.key.startswith(others)] if others else listed


def _is_record(key: str) -> bool:
    return key.endswith(".json") and not key.startswith(_OTHERS)


def _records(store: Store, keys: Sequence[str]) -> Iterator[tuple[str, Any]]:
    with ThreadPoolExecutor(1 if store.on_disk else _READERS) as readers:
        yield from zip(keys, readers.map(lambda key: _parsed(store, key), keys), strict=True)


def _parsed(store: Store, key: str) -> Any:
    try:
        return json.loads(store.read_bytes(key))
    except FileNotFoundError:
        return None  # unsealed while we looked: what it named is looked at another day
    except ValueError as error:
        raise CorruptShard(
            f"{store.root}/{key} cannot be read ({error}), so nobody knows what it needs: nothing was removed. "
            "Delete it and run its shard again, then prune"
        ) from error


def _names(records: dict[str, Any], keys: Iterable[str]) -> _Names:
    names = _Names()
    for key in keys:
        record = records[key]
        names.reached.update(_keys(record))
        if isinstance(record, dict) and "fingerprint" in record and not _MANIFEST.fullmatch(key):
            names.current[key.removesuffix(".json")] = record["fingerprint"]
        if isinstance(record, dict) and key.startswith("versions/"):
            names.released.add(str(record.get("release")))
    return names


def _is_earlier(key: str, names: _Names) -> bool:
    manifest = _MANIFEST.fullmatch(key)
    if manifest is None or manifest["fingerprint"] in names.released:
        return False
    return names.current.get(manifest["shard"], manifest["fingerprint"]) != manifest["fingerprint"]


def _became_current(store: Store, manifest: re.Match[str]) -> bool:
    record = _parsed(store, f"{manifest['shard']}.json")
    return isinstance(record, dict) and record.get("fingerprint") == manifest["fingerprint"]


def _keys(record: Any) -> Iterator[str]:
    """The keys of objects that a record names, at any depth."""
    if isinstance(record, dict):
        key = record.get("key")
        if isinstance(key, str):
            yield key
        for value in record.values():
            yield from _keys(value)
    elif isinstance(record, list):
        for value in record:
            yield from _keys(value)
