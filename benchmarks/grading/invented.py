"""Invents a store with the scores and grades that DeepDistill's problems would have, as its steps would seal them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from tracemill.engine.resources import Resources
from tracemill.engine.runner import fingerprint_of, inputs_for
from tracemill.engine.step import kept_rows
from tracemill.engine.store import Counts, Manifest, Store, StoredFile
from tracemill.engine.tables import columns_of, empty
from tracemill.recipe import Recipe, parse_recipe

PROBLEMS = 3_340_157  # DeepDistill, figure 1
A_SHARD = 2_000
DISTINCT = 1_671  # shards that are made: all of them
THREADS = 2
_NONE = Counts(entered=0, kept=0, rejected={}, quarantined={})

# A shard: difficulty by problem, pass or fail by model and pass, rewards for what is not checked. Digests, not random.
_SCORES = """
WITH problem AS (
    SELECT i, 'p' || substr(md5('problem ' || i), 1, 24) AS problem_id,
           (hash(i, 'kind') % 1000) / 1000.0 AS kind, (hash(i, 'hard') % 10000) / 10000.0 AS hard
    FROM range($first, $last) t(i)),
sample AS (
    SELECT p.*, m.teacher, m.skill, k.k AS sample_index,
           (hash(i, m.teacher, k.k) % 10000) / 10000.0 AS luck,
           CASE WHEN kind < 0.555 THEN 'other' WHEN kind < 0.803 THEN 'math' WHEN kind < 0.95 THEN 'code'
                WHEN kind < 0.977 THEN 'science' ELSE 'instruction following' END AS category
    FROM problem p, (VALUES ('1.5b', 0.2), ('7b', 0.5), ('r1', 0.8)) m(teacher, skill), range(4) k(k)),
worth AS (
    SELECT *, CASE category WHEN 'other' THEN 0.7 WHEN 'science' THEN 0.998 ELSE 0.99 END AS threshold,
           CASE WHEN luck < 0.02 THEN NULL
                WHEN category = 'other' THEN round(0.4 + 0.5 * (1 - hard) + 0.2 * (luck - 0.5), 6)
                ELSE CAST(luck < skill * (1.2 - hard) AS DOUBLE) END AS score
    FROM sample)
SELECT 'g' || substr(md5(problem_id || teacher || sample_index), 1, 24) AS generation_id, problem_id, teacher,
       NULL::VARCHAR AS mode, sample_index::INT AS sample_index, category,
       CASE category WHEN 'other' THEN 'reward' ELSE category END AS rule, score AS raw, score, threshold,
       score > threshold AS passed, CASE WHEN score IS NULL THEN 'unverifiable' END AS reason
FROM worth ORDER BY i, teacher, sample_index
"""
_GRADES = """
SELECT problem_id, teacher, NULL::VARCHAR AS mode, any_value(category) AS category, 4 AS asked,
       count(score)::INT AS decided, count(*) FILTER (passed)::INT AS passed,
       count(*) FILTER (passed) / nullif(count(score), 0) AS pass_rate, 0.0 AS low, 1.0 AS high, avg(score) AS mean,
       CASE WHEN max(score) = min(score) THEN 0 ELSE stddev_pop(score) END AS deviation,
       CASE WHEN avg(score) > 0 AND count(score) > 1
            THEN CASE WHEN max(score) = min(score) THEN 0 ELSE stddev_pop(score) / avg(score) END END AS variation,
       max(score) AS highest, any_value(threshold) AS threshold, 1000::BIGINT AS tokens, 1.0 AS seconds,
       'usable' AS grade
FROM made GROUP BY problem_id, teacher ORDER BY problem_id, teacher
"""


def recipe() -> Recipe:
    """The steps whose manifests the store has."""
    steps = {"grade": {"kind": "grade"}, "stage_one": {"kind": "stage_one", "easy_share": 0.5}}
    source = {"kind": "jsonl", "name": "invented", "path": "none.jsonl", "columns": {"prompt": "q"}}
    return parse_recipe({"name": "grading", "description": "", "sources": [source], "steps": steps}, "bench")


def invented(root: Path, problems: int, distinct: int) -> Store:
    """A store that holds the scores and grades of so many problems, as its steps would have sealed them.

    `distinct` shards are made; where there are more, they stand there again.
    """
    store = Store.at(str(root), create=True)
    made = recipe()
    shards = -(-problems // A_SHARD)
    plan = pl.DataFrame({"index": range(shards)})
    plan = plan.select(*(pl.col(n) if n == "index" else pl.lit(None).alias(n) for n in columns_of("plan").names))
    _seal(
        store, "plan", 0, {"plan": store.put_table(plan.to_arrow().cast(columns_of("plan")), "plan", 0, "plan")}, "row"
    )
    nothing = {"ledger": store.put_table(empty("ledger"), "ingest", 0, "ledger")}
    known: dict[int, dict[str, StoredFile]] = {}
    with duckdb.connect(config={"threads": THREADS}) as db:
        for shard in range(shards):
            place = shard % distinct
            if place not in known:
                known[place] = _shard(db, store, place)
            _seal(store, "ingest", shard, nothing, "row")
            _seal(store, "grade", shard, known[place], "problem")
            _seal_selection(made, store, shard, known[place]["scores"].rows or 0)
    return store


def _shard(db: duckdb.DuckDBPyConnection, store: Store, place: int) -> dict[str, StoredFile]:
    ends = {"first": place * A_SHARD, "last": (place + 1) * A_SHARD}
    tables = {"scores": db.sql(_SCORES, params=ends).to_arrow_table()}
    db.register("made", tables["scores"])
    tables["grades"] = db.sql(_GRADES).to_arrow_table()
    ids = pl.DataFrame(tables["grades"])["problem_id"].unique().to_arrow().cast(pa.string())
    tables = {name: table.select(columns_of(name).names).cast(columns_of(name)) for name, table in tables.items()}
    tables["ledger"] = kept_rows("problem", ids)
    return {name: store.put_table(table, "grade", place, name) for name, table in tables.items()}


def _seal(store: Store, step: str, shard: int, stored: dict[str, StoredFile], unit: str) -> None:
    rows = stored["ledger"].rows or 0 if "ledger" in stored else 0
    counts = _NONE.model_copy(update={"entered": rows, "kept": rows})
    store.seal(Manifest(step=step, index=shard, fingerprint="f" * 40, unit=unit, counts=counts, tables=stored))


def _seal_selection(made: Recipe, store: Store, shard: int, rows: int) -> None:
    """As if stage I had run: its manifest says how many responses entered it."""
    step = made.step("stage_one")
    fingerprint = fingerprint_of(step, Resources(), inputs_for(made, store, "stage_one", shard))
    counts = Counts(entered=rows, kept=rows, rejected={}, quarantined={})
    named = {"step": "stage_one", "index": shard, "fingerprint": fingerprint, "unit": "generation"}
    store.seal(Manifest.model_validate({**named, "counts": counts, "tables": {}}))
