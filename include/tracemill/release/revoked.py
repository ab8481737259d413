"""Knows which problems were revoked after they had been released: what the lists on the store name stays out for good.

A list is `revocations/NAME.jsonl`, one line a revoked response: see tracemill.refresh.recalls, which writes them.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.errors import CorruptShard
from tracemill.shards import Store, canonical_digest

FOLDER, SUFFIX = "revocations", ".jsonl"
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


def revocations(store: Store) -> dict[str, Revocation]:
    """The revoked problems: id → the first line about it, by list name. Raises CorruptShard for a damaged list."""
    found: dict[str, Revocation] = {}
    for name in sorted(store.names(FOLDER)):
        if name.endswith(SUFFIX):
            for line in read_list(store, name.removesuffix(SUFFIX)):
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


def revoked_material(revoked: Mapping[str, Revocation]) -> dict[str, str]:
    """What a release depends on: nothing as long as nothing is revoked, so that older releases keep their place."""
    if not revoked:
        return {}
    return {"revocations": canonical_digest({key: line.model_dump() for key, line in revoked.items()})}
