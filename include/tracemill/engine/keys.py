"""Lists and removes objects of a store: what leases and samples need besides reading and writing."""

from __future__ import annotations

import posixpath

from tracemill.engine.connections import open_url
from tracemill.engine.objects import ObjectStore, store_io
from tracemill.engine.resources import Resources
from tracemill.engine.trial import whole_of

SAMPLES = "TRACEMILL_SAMPLES"


def keys_below(store: ObjectStore, prefix: str) -> list[str]:
    """The keys of all objects below a prefix, sorted; empty when there are none. Listing caches are not trusted."""
    with store_io(f"cannot list {store.root}/{prefix}"):
        root = store.path("").rstrip("/") + "/"
        store.fs.invalidate_cache()
        found = [str(path) for path in store.fs.find(store.path(prefix))]
    bare = root.lstrip("/")
    keys = [path.lstrip("/").removeprefix(bare) for path in found]
    return sorted(key for key in keys if not key.endswith(".part"))


def remove(store: ObjectStore, key: str) -> None:
    """Remove one object; it is no error when it is gone already."""
    try:
        with store_io(f"cannot remove {store.root}/{key}", absent=True):
            store.fs.rm_file(store.path(key))
    except FileNotFoundError:
        return


def samples_root(store: ObjectStore, resources: Resources) -> ObjectStore:
    """Where paid-for samples lie: TRACEMILL_SAMPLES as a URL, or relative to the store's root; by default below it.

    A trial's lie with those of the whole.

    "../../samples" shares them between all recipes and releases below one base.
    """
    place = resources.environment.get(SAMPLES, "samples")
    if "://" in place or place.startswith("/"):
        with store_io(f"cannot open the sample store {place}"):
            fs, root = open_url(place)
        return ObjectStore(fs, root)
    return ObjectStore(store.fs, posixpath.normpath(posixpath.join(whole_of(store.root) or store.root, place)))
