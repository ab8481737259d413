"""Runs Algorithm 1 of DeepDistill (arXiv 2504.17565, section 3) as it is written in algorithm1.sql, batch by batch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
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
        ("graded_ddof", pa.int32()),
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
Asked: TypeAlias = "dict[str, Any]"  # the one row of `settings`
Limits: TypeAlias = "list[dict[str, Any]]"
_HELD = "CREATE OR REPLACE TEMP TABLE held AS FROM {source}"
_SHOWN = "CREATE OR REPLACE TEMP VIEW groups AS FROM {source}"
_STORED = {
    "scores": """
        CREATE OR REPLACE TEMP VIEW scores AS
        SELECT generation_id, problem_id, teacher, coalesce("mode", '') AS "mode", category, score, threshold, passed,
               true AS living FROM stored_scores""",
    "grades": """
        CREATE OR REPLACE TEMP VIEW grades AS
        SELECT problem_id, teacher, coalesce("mode", '') AS "mode", category, asked, decided, passed, variation,
               highest, threshold, high FROM stored_grades""",
    "alike": """
        CREATE OR REPLACE TEMP VIEW kept AS
        SELECT NULL::VARCHAR AS problem_id, teacher, "mode", category, decided, passed, passing, passed AS passed_then,
               passing AS passing_then, told, highest, bound, bound AS bound_then, spread, high, coin, problems
        FROM stored_alike""",
}


class Algorithm1:
    """A DuckDB in memory that holds the rule and its settings, and judges the rows that it is shown.

    Rows of several shards may be shown at once, whole problems at a time. Equal rows and settings give equal results,
    whatever the number of threads. `other`: settings and limits that the relation `compared` puts beside these. Raises
    duckdb.Error when the memory of the machine is not enough.
    """

    def __init__(self, settings: Asked, limits: Limits, threads: int = 1, other: tuple[Asked, Limits] | None = None):
        self._db = duckdb.connect(config={"threads": threads})
        self._db.execute("SET preserve_insertion_order = false")
        for name, (asked, own) in {"": (settings, limits), "other_": other or (settings, limits)}.items():
            self._show(f"{name}settings", pa.Table.from_pylist([asked], SETTINGS))
            self._show(f"{name}limits", pa.Table.from_pylist(own, LIMITS))
        self._show("scores", _SCORES.empty_table())
        self._show("grades", _GRADES.empty_table())
        self._db.execute(_SQL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def show(self, scores: Shown | None, grades: Shown | None, *, hold: bool = True) -> None:
        """Look at these responses: `scores` with a column `living`; `grades` say whose passes are lucky.

        Without scores look at these problems as they were graded. Paths name Parquet files of the tables as they are
        stored, of which all responses live. Unless `hold` the problems are added up by each query anew, for one alone.
        Raises CorruptShard for a file that is gone or damaged.
        """
        source = "groups_of_grades" if scores is None else "groups_of_scores"
        with _readable():
            for name, shown in (("grades", grades), ("scores", scores)):
                if isinstance(shown, list):
                    self._read(name, shown)
                elif shown is not None:
                    self._show(name, shown)
            if hold:
                self._db.execute(_HELD.format(source=source))
            self._db.execute(_SHOWN.format(source="held" if hold else source))

    def show_alike(self, paths: list[str]) -> None:
        """Look at groups that `write_alike` wrote, under the same settings but for those that add nothing up."""
        with _readable():
            self._read("alike", paths)
            self._db.execute(_SHOWN.format(source="kept"))

    def write_alike(self, path: str) -> None:
        """Write what is being looked at without ids (see `alike`), as Parquet."""
        self._db.sql("FROM alike").write_parquet(path, compression="zstd")

    def remember_candidates(self) -> None:
        """Add what is being looked at to the candidates of stage II, which are ranked over all of them."""
        self._db.execute("INSERT INTO candidates FROM candidates_of_groups")

    def told(self, query: str, **parameters: Any) -> pa.Table:
        """The answer to a query about the relations of algorithm1.sql; its parameters are bound."""
        with _readable():
            return self._db.sql(query, params=parameters or None).to_arrow_table()

    def _read(self, name: str, paths: list[str]) -> None:
        self._db.read_parquet([_literal(path) for path in paths]).create_view(f"stored_{name}", replace=True)
        self._db.execute(_STORED[name])

    def _show(self, name: str, table: pa.Table) -> None:
        self._db.register(name, table)


@contextmanager
def _readable() -> Iterator[None]:
    """Raises CorruptShard for a file that is gone or damaged."""
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise CorruptShard(f"a sealed table is gone or damaged: {error}") from error


def _types(table: str, names: tuple[str, ...], *more: pa.Field) -> pa.Schema:
    return pa.schema([*(columns_of(table).field(name) for name in names), *more])


_SCORES = _types("scores", SCORES, pa.field("living", pa.bool_()))
_GRADES = _types("grades", GRADES)


def _literal(path: str) -> str:
    """A path as DuckDB reads it, which takes *, ? and [ for wildcards: another store might match."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)
