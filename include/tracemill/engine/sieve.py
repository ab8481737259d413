"""A step that only turns rows away is its rule and its reasons: what it says of the rows becomes the ledger here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step
from tracemill.engine.tables import columns_of, empty


class Sieve(Step):
    """A map step that keeps rows or rejects them and makes nothing else. Subclasses give `sift` in place of `run`.

    `spares`: the reasons with which a row is kept all the same.
    """

    spares: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = ("ledger",)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Every living row of the shard: kept, or rejected with its reason."""
        parts = [sifted_ledger(self.unit, part, self.spares) for part in self.sift(inputs, inputs.alive(self.unit))]
        return Output(pa.concat_tables([empty("ledger"), *parts]))

    def sift(self, inputs: Inputs, alive: pa.Array) -> Iterator[pa.Table]:
        """The rows of the ids in `alive`, each in one table: `id`, `reason` (null keeps it) and, where a number or a
        text decided, `score`, `threshold` and `detail`.
        """
        raise NotImplementedError  # abstract: every kind has its own rule


def sifted_ledger(unit: Unit, judged: pa.Table, spares: tuple[str, ...] = ()) -> pa.Table:
    """The ledger of rows with the columns that `Sieve.sift` gives: kept without a reason or with one of `spares`.

    Raises ValueError for a column that no ledger has.
    """
    schema = columns_of("ledger")
    if strange := set(judged.column_names) - set(schema.names):
        raise ValueError(f"a ledger has no columns {', '.join(sorted(strange))}")
    rows = judged.num_rows
    reason = judged["reason"].cast(pa.string())
    kept = pc.or_(pc.is_null(reason), pc.is_in(reason, value_set=pa.array(spares, pa.string())))
    known = {name: judged[name] for name in judged.column_names}
    known["unit"] = pa.repeat(unit, rows)
    known["bucket"] = pc.if_else(kept, "kept", "rejected")
    return pa.table({f.name: known.get(f.name, pa.nulls(rows, f.type)) for f in schema}).cast(schema)
