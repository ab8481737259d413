"""Knows which problems were revoked after they had been released: what the lists on the store name stays out for good.

A list is `revocations/NAME.jsonl`, one line a revoked response: see tracemill.versions.recall, which writes them.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.engine.store import Store, canonical_digest
from tracemill.errors import CorruptShard

FOLDER = "revocations"
SUFFIX = ".jsonl"
REASON = "revoked"


class Revocation(BaseModel):
    """One released response (null: a problem without one) that gives a benchmark item away, and how that was seen."""

    model_config = ConfigDict(frozen=True)
    generation_id: str | None
    problem_id: str
    benchmark: str
    item: str
    rule: str
    score: float
    threshold: float
    shard: int


def recalled(store: Store) -> dict[str, list[Revocation]]:
    """The list of each benchmark that was recalled on this store, also where it found nothing; by name, in order.

    Raises CorruptShard for a damaged list.
    """
    names = sorted(name.removesuffix(SUFFIX) for name in store.names(FOLDER) if name.endswith(SUFFIX))
    return {name: read_list(store, name) for name in names}


def revocations(store: Store) -> dict[str, Revocation]:
    """The revoked problems: id → the first line about it, by list name. Raises CorruptShard for a damaged list."""
    found: dict[str, Revocation] = {}
    for lines in recalled(store).values():
        for line in lines:
            found.setdefault(line.problem_id, line)
    return found


def read_list(store: Store, name: str) -> list[Revocation]:
    """The lines of one list; [] when there is none yet. Raises CorruptShard naming a line that is none."""
    key = f"{FOLDER}/{name}{SUFFIX}"
    try:
        text = store.read_bytes(key)
    except FileNotFoundError:
        return []
    try:
        return [Revocation.model_validate_json(line) for line in text.splitlines() if line]
    except ValidationError as error:
        raise CorruptShard(f"{store.root}/{key} is damaged: restore it, or delete it and recall again") from error


def write_list(store: Store, name: str, lines: list[Revocation]) -> None:
    """Replace one list, whole or not at all."""
    text = b"".join(orjson.dumps(line.model_dump()) + b"\n" for line in lines)
    store.write_bytes(f"{FOLDER}/{name}{SUFFIX}", text)


def revoked_material(lists: Mapping[str, list[Revocation]]) -> dict[str, str]:
    """What a release depends on: nothing as long as nothing is recalled, so that older releases keep their place.

    A list without lines counts: the card says that the benchmark was compared with.
    """
    if not lists:
        return {}
    return {
        "revocations": canonical_digest({name: [one.model_dump() for one in lines] for name, lines in lists.items()})
    }
