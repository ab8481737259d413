"""What a table is: its columns, what its rows are about, and how it is stored. All facts about a table in one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tracemill.engine.ids import Unit
from tracemill.errors import CorruptShard

# Columns of few values, which Parquet stores as numbers into a list of them.
_FEW_VALUES = frozenset(
    (
        "source",
        "released_as",
        "response_source",
        "category",
        "license",
        "teacher",
        "style",
        "finish_reason",
        "unit",
        "bucket",
        "reason",
        "language",
    )
)


@dataclass(frozen=True)
class Table:
    """A table that steps exchange, or (with a name that ends in `_`, without documented columns) a family of them.

    `about` names the unit that its rows are about and the column that holds its id; None where rows are about shards or
    numbers. `lean`: rows of a few hundred bytes at most, stored in large row groups (each costs a millisecond to open).
    `hashes`: columns of hashes, which to compress or to order would only take time.
    """

    name: str
    columns: pa.Schema | None = None
    about: tuple[Unit, str] | None = None
    lean: bool = False
    hashes: bool = False
    dictionary: frozenset[str] = _FEW_VALUES

    @property
    def schema(self) -> pa.Schema:
        """The documented columns. Raises ValueError for a family, which has none."""
        if self.columns is None:
            raise ValueError(f"table {self.name!r} has no documented columns")
        return self.columns

    def empty(self) -> pa.Table:
        """The table without rows."""
        return self.schema.empty_table()

    def of(self, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
        """The table of these rows; columns that a row lacks are null."""
        return pa.Table.from_pylist(list(rows), schema=self.schema)

    def conform(self, table: pa.Table) -> pa.Table:
        """The rows in the documented columns and types. Raises CorruptShard when a step wrote something else."""
        if self.columns is None:
            return table
        try:
            return table.select(self.columns.names).cast(self.columns).replace_schema_metadata(None)
        except (KeyError, pa.ArrowException) as error:
            raise CorruptShard(f"table {self.name!r} does not have its documented columns: {error}") from error


_DECLARED: dict[str, Table] = {}


def declare(table: Table) -> Table:
    """Make a table known to the store, to `tracemill why` and to the documents. Raises ValueError for a second one."""
    if table.name in _DECLARED:
        raise ValueError(f"table {table.name!r} is declared twice")
    _DECLARED[table.name] = table
    return table


def declared() -> Mapping[str, Table]:
    """Every declared table, by name."""
    return dict(_DECLARED)


def table_named(name: str) -> Table:
    """The table of that name, or the family that it belongs to; one without documented columns if none declared."""
    family = (table for prefix, table in _DECLARED.items() if prefix.endswith("_") and name.startswith(prefix))
    return _DECLARED.get(name) or next(family, Table(name))
