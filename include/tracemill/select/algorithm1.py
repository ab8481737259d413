"""Runs Algorithm 1 of DeepDistill (arXiv 2504.17565, section 3) as it is written in algorithm1.sql, batch by batch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
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
        ("least_decided", pa.int32()),
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
    "classes": "CREATE OR REPLACE TEMP VIEW kinds AS SELECT DISTINCT * FROM stored_classes",
    # First each group is compared with the four numbers that may decide; the few that differ then are as any others.
    "alike": """
        CREATE OR REPLACE TEMP VIEW kept AS
        WITH asked AS (
            SELECT k.class, k.decided, c.ddof, d.ddof AS ddof_then, c.easy_share AS share, d.easy_share AS share_then,
                   coalesce(l.variation, c.variation) AS cut, coalesce(m.variation, d.variation) AS cut_then
            FROM kinds k CROSS JOIN settings c LEFT JOIN limits l ON l.category = k.category
            CROSS JOIN other_settings d LEFT JOIN other_limits m ON m.category = k.category),
        counted AS (
            SELECT r.class, any_value(r.spread) AS spread, any_value(r.coin) AS coin,
                   sum(r.problems)::BIGINT AS problems
            FROM stored_alike r JOIN asked a ON a.class = r.class
            GROUP BY r.class, variation_of(r.spread, a.decided, a.ddof) > a.cut,
                     variation_of(r.spread, a.decided, a.ddof_then) > a.cut_then, r.coin < a.share,
                     r.coin < a.share_then)
        SELECT NULL::VARCHAR AS problem_id, k.teacher, k."mode", k.category, k.decided, k.passed, k.passing,
               k.passed AS passed_then, k.passing AS passing_then, k.told, k.highest, k.bound, k.bound AS bound_then,
               n.spread, k.high, n.coin, n.problems
        FROM counted n JOIN kinds k ON k.class = n.class""",
}


class Algorithm1:
    """A DuckDB in memory that holds the rule and its settings, and judges the rows that it is shown.

    Rows of several shards may be shown at once, whole problems at a time. Equal rows and settings give equal results,
    whatever the number of threads. `other`: settings and limits that the relation `compared` puts beside these. Raises
    duckdb.Error when the memory of the machine is not enough.
    """

    def __init__(
        self, settings: Asked, limits: Limits, threads: int = 1, other: tuple[Asked, Limits] | None = None
    ) -> None:
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

    def show_kept(self, folder: Path) -> None:
        """Look at the groups that `keep` wrote into a folder, under the same settings but for those that add nothing
        up, and that draw no other coins.
        """
        with _readable():
            for name in ("classes", "alike"):
                self._read(name, sorted(map(str, folder.glob(f"{name}-*.parquet"))))
            self._db.execute(_SHOWN.format(source="kept"))

    def keep(self, folder: Path, number: int) -> None:
        """Write what is being looked at into a folder, without ids, as part `number`."""
        for name in ("classes", "alike"):
            self._db.sql(f"FROM {name}").write_parquet(str(folder / f"{name}-{number:05d}.parquet"), compression="zstd")

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
