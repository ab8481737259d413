"""Runs Algorithm 1 of DeepDistill (arXiv 2504.17565, section 3) as it is written in algorithm1.sql, batch by batch."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Self, TypeAlias

import duckdb
import pyarrow as pa

from tracemill.engine.tables import columns_of
from tracemill.errors import CorruptShard

_SQL = files(__package__).joinpath("algorithm1.sql").read_text(encoding="utf-8")

SCORES = ("generation_id", "problem_id", "teacher", "mode", "category", "score", "threshold", "passed")
GRADES = (
    "problem_id",
    "teacher",
    "mode",
    "category",
    "asked",
    "decided",
    "passed",
    "variation",
    "highest",
    "threshold",
    "high",
)
SETTINGS = pa.schema(
    [
        ("by", pa.string()),
        ("mode", pa.string()),
        ("at_threshold", pa.string()),
        ("best", pa.string()),
        ("threshold", pa.float64()),
        ("variation", pa.float64()),
        ("ddof", pa.int32()),
        ("easy_share", pa.float64()),
        ("easy_keeps", pa.string()),
        ("lucky", pa.string()),
        ("lucky_below", pa.float64()),
        ("most", pa.int64()),
        ("salt", pa.string()),
    ]
)
LIMITS = pa.schema(
    [
        ("category", pa.string()),
        ("threshold", pa.float64()),
        ("variation", pa.float64()),
        ("easy", pa.bool_()),
        ("most", pa.int64()),
    ]
)

# Paths, or rows as the relations of algorithm1.sql have them.
Shown: TypeAlias = "pa.Table | list[str]"
_BY_SCORES = "CREATE OR REPLACE TEMP TABLE groups AS FROM groups_of_scores"
_BY_GRADES = "CREATE OR REPLACE TEMP TABLE groups AS FROM groups_of_grades"
_STORED = {
    "scores": """
        CREATE OR REPLACE TEMP VIEW scores AS
        SELECT generation_id, problem_id, teacher, coalesce("mode", '') AS "mode", category, score, threshold, passed,
               true AS living FROM stored_scores""",
    "grades": """
        CREATE OR REPLACE TEMP VIEW grades AS
        SELECT problem_id, teacher, coalesce("mode", '') AS "mode", category, asked, decided, passed, variation,
               highest, threshold, high FROM stored_grades""",
}


class Algorithm1:
    """A DuckDB in memory that holds the rule and its settings, and judges the rows that it is shown.

    Rows of several shards may be shown at once, whole problems at a time. Equal rows and settings give equal results,
    whatever the number of threads. Raises duckdb.Error when the memory of the machine is not enough.
    """

    def __init__(self, settings: dict[str, Any], limits: list[dict[str, Any]], threads: int = 1) -> None:
        self._db = duckdb.connect(config={"threads": threads})
        self._db.execute("SET preserve_insertion_order = false")
        self._show("settings", pa.Table.from_pylist([settings], SETTINGS))
        self._show("limits", pa.Table.from_pylist(limits, LIMITS))
        self._show("scores", _SCORES.empty_table())
        self._show("grades", _GRADES.empty_table())
        self._db.execute(_SQL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def settle(self, settings: dict[str, Any], limits: list[dict[str, Any]]) -> None:
        """Go by other settings from now on, also for what is grouped already."""
        self._show("settings", pa.Table.from_pylist([settings], SETTINGS))
        self._show("limits", pa.Table.from_pylist(limits, LIMITS))

    def show(self, scores: Shown | None, grades: Shown | None) -> None:
        """Look at these responses: `scores` with a column `living`; `grades` say whose passes are lucky.

        Without scores look at these problems as they were graded. Paths name Parquet files of the tables as they are
        stored, of which all responses live. Raises CorruptShard for a file that is gone or damaged.
        """
        try:
            for name, shown in (("grades", grades), ("scores", scores)):
                if isinstance(shown, list):
                    self._db.read_parquet(shown).create_view(f"stored_{name}", replace=True)
                    self._db.execute(_STORED[name])
                elif shown is not None:
                    self._show(name, shown)
            self._db.execute(_BY_GRADES if scores is None else _BY_SCORES)
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise CorruptShard(f"a sealed table is gone or damaged: {error}") from error

    def remember_candidates(self) -> None:
        """Add what is being looked at to the candidates of stage II, which are ranked over all of them."""
        self._db.execute("INSERT INTO candidates FROM candidates_of_groups")

    def remember_verdicts(self) -> None:
        """Keep what is said of the groups under today's settings, to compare with what others say."""
        self._db.execute("DELETE FROM before")
        self._db.execute("INSERT INTO before SELECT place, problem_id, teacher, mode, verdict, taken FROM judged")

    def told(self, query: str, **parameters: Any) -> pa.Table:
        """The answer to a query about the relations of algorithm1.sql; its parameters are bound."""
        return self._db.sql(query, params=parameters or None).to_arrow_table()

    def _show(self, name: str, table: pa.Table) -> None:
        self._db.register(name, table)


def _types(table: str, names: tuple[str, ...], *more: pa.Field) -> pa.Schema:
    return pa.schema([*(columns_of(table).field(name) for name in names), *more])


_SCORES = _types("scores", SCORES, pa.field("living", pa.bool_()))
_GRADES = _types("grades", GRADES)
