"""Copies sealed files out of a store, each checked against its digest; what is there already is left alone."""

from __future__ import annotations

import uuid
from pathlib import Path

from tracemill.engine.store import Store, StoredFile, file_digest
from tracemill.errors import CorruptShard


def copied(store: Store, stored: StoredFile, place: Path) -> Path:
    """The file at `place` on this machine, whole or not at all. Raises CorruptShard where the store's is damaged."""
    if place.is_file() and place.stat().st_size == stored.bytes and file_digest(place) == stored.sha256:
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("wb") as copy:
            for chunk in store.chunks(stored.key):
                copy.write(chunk)
        if file_digest(part) != stored.sha256:
            raise CorruptShard(f"{store.root}/{stored.key} is not what its manifest says: delete it and run again")
        part.replace(place)
    except FileNotFoundError as error:
        raise CorruptShard(f"{store.root}/{stored.key} is named by a manifest but is missing: run again") from error
    finally:
        part.unlink(missing_ok=True)
    return place
