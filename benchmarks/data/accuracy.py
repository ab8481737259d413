"""Compares what the steps decided with what was planted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.data.corpus import CONTAMINATIONS, DUPLICATES, Corpus
from tracemill.engine.store import Store


def _tables(store: Store, step: str, name: str, shards: int) -> pa.Table:
    parts = []
    for shard in range(shards):
        manifest = store.manifest(step, shard)
        assert manifest is not None, f"{step} {shard} is not sealed"
        table = store.get_table(manifest.tables[name])
        parts.append(table.append_column("shard_number", pa.array(np.full(len(table), shard), pa.int32())))
    return pa.concat_tables(parts)


def dedup(corpus: Corpus, root: Path) -> dict[str, float]:
    """Recall: the share of planted duplicates whose cluster is left with one row. Precision: of the rows dropped, the

    share that was dropped for a row of its own cluster.
    """
    store = Store.at(str(root))
    shards = _shards(store)
    numbers = _numbers(store, shards)
    manifest = store.manifest("cluster", 0)
    assert manifest is not None
    found = store.get_table(manifest.tables["duplicates"], ["problem_id", "duplicate_of"])
    pairs = zip(found["problem_id"].to_pylist(), found["duplicate_of"].to_pylist(), strict=True)
    wrong = sum(not _clusters(corpus, numbers[own]) & _clusters(corpus, numbers[other]) for own, other in pairs)
    copies = np.isin(corpus.planted, DUPLICATES)
    planted, kept = int(copies.sum()), _kept(store, shards, corpus)
    surplus = sum(max(0, kept[cluster] - 1) for cluster in set(corpus.cluster[copies].tolist()))
    return {
        "planted": planted,
        "dropped": len(found),
        "dedup_recall": 1 - surplus / max(1, planted),
        "dedup_precision": 1 - wrong / max(1, len(found)),
    }


def _clusters(corpus: Corpus, numbers: list[int]) -> set[int]:
    return {int(corpus.cluster[number]) for number in numbers}


def _shards(store: Store) -> int:
    plan = store.manifest("plan", 0)
    assert plan is not None
    return plan.tables["plan"].rows or 0


def _numbers(store: Store, shards: int) -> dict[str, list[int]]:
    """Row numbers of the corpus by problem id."""
    numbers: dict[str, list[int]] = {}
    provenance = _tables(store, "ingest", "provenance", shards)
    for identity, native in zip(provenance["problem_id"].to_pylist(), provenance["native_id"].to_pylist(), strict=True):
        numbers.setdefault(identity, []).append(int(native))
    return numbers


def _kept(store: Store, shards: int, corpus: Corpus) -> Counter[int]:
    """How many distinct problems of each cluster survive `unique`."""
    ledger = _tables(store, "unique", "ledger", shards)
    numbers = _numbers(store, shards)
    kept: Counter[int] = Counter()
    for identity, bucket in zip(ledger["id"].to_pylist(), ledger["bucket"].to_pylist(), strict=True):
        if bucket == "kept":
            kept[int(corpus.cluster[numbers[identity][0]])] += 1
    return kept


def decontamination(corpus: Corpus, root: Path) -> dict[str, float]:
    """Of the rows that reached the step: recall of planted contamination by kind, and clean rows flagged."""
    store = Store.at(str(root))
    shards = _shards(store)
    numbers = _numbers(store, shards)
    seen: Counter[str] = Counter()
    flagged: Counter[str] = Counter()
    ledger = _tables(store, "decontaminate", "ledger", shards)
    for identity, bucket in zip(ledger["id"].to_pylist(), ledger["bucket"].to_pylist(), strict=True):
        planted = {str(corpus.planted[k]) for k in numbers[identity]} & set(CONTAMINATIONS)
        kind = min(planted, default="clean")
        seen[kind] += 1
        flagged[kind] += bucket == "rejected"
    recall = {f"recall_{kind}": flagged[kind] / max(1, seen[kind]) for kind in CONTAMINATIONS}
    return {**recall, "false_positives": flagged["clean"] / max(1, seen["clean"])}
