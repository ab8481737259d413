"""Adds up manifests to stages: where every row of a recipe went, step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel

from tracemill.engine.store import Manifest


class Stage(BaseModel):
    """One step over all its shards. `entered` = `kept` + all of `rejected` + all of `quarantined`, in rows of `unit`.

    `tables`: rows written per table. `missing`: shards not sealed yet. `seconds`: work of all shards; null where the
    report must not depend on the clock.
    """

    step: str
    unit: str
    shape: str
    entered: int
    kept: int
    rejected: dict[str, int]
    quarantined: dict[str, int]
    tables: dict[str, int]
    shards: int
    missing: list[int] = []
    seconds: float | None = None


def add_up(
    step: str, unit: str, shape: str, manifests: Iterable[Manifest], missing: Iterable[int] = (), clock: bool = False
) -> Stage:
    """The stage of one step from the manifests of its sealed shards; `clock` says whether to add up the seconds."""
    entered = kept = shards = 0
    seconds = 0.0
    rejected = Counter[str]()
    quarantined = Counter[str]()
    tables = Counter[str]()
    for manifest in manifests:
        shards += 1
        entered += manifest.counts.entered
        kept += manifest.counts.kept
        seconds += manifest.seconds
        rejected.update(manifest.counts.rejected)
        quarantined.update(manifest.counts.quarantined)
        tables.update({name: stored.rows or 0 for name, stored in manifest.tables.items() if name != "ledger"})
    return Stage(
        step=step,
        unit=unit,
        shape=shape,
        entered=entered,
        kept=kept,
        rejected=_most_first(rejected),
        quarantined=_most_first(quarantined),
        tables=dict(tables),
        shards=shards,
        missing=list(missing),
        seconds=round(seconds, 3) if clock else None,
    )


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
