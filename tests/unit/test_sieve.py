"""A sieve's ledger: a row without a reason or with a spared one is kept, whatever columns its rule gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa
import pytest

from tests.build.tables import inputs_of
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.runner import reconcile
from tracemill.engine.sieve import Sieve, sifted_ledger
from tracemill.engine.step import Inputs
from tracemill.engine.tables import columns_of
from tracemill.errors import ConservationError


class Odd(Sieve):
    """Turns away the problems whose ids end in an odd digit; `forget` loses one."""

    kind: Literal["odd"] = "odd"
    forget: bool = False
    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "ledger")
    spares: ClassVar[tuple[str, ...]] = ("three",)

    def sift(self, inputs: Inputs, alive: pa.Array) -> Iterator[pa.Table]:
        for one in alive.to_pylist()[int(self.forget) :]:
            reason = {"1": "one", "3": "three"}.get(one[-1])
            yield pa.table({"id": [one], "reason": [reason], "score": [int(one[-1])]})


def inputs(folder: Path) -> Inputs:
    dead = {"id": "p5", "unit": "problem", "bucket": "rejected", "reason": "earlier"}
    return inputs_of(folder, {"problems": [{"id": f"p{n}"} for n in (5, 3, 1, 2)], "ledger": [dead]})


def test_the_engine_writes_the_ledger_of_every_living_row(tmp_path: Path) -> None:
    found = inputs(tmp_path)
    output = Odd().run(Resources(), found)
    assert output.ledger.schema == columns_of("ledger")
    assert [tuple(row.values()) for row in output.ledger.to_pylist()] == [
        ("p3", "problem", "kept", "three", 3.0, None, None),
        ("p1", "problem", "rejected", "one", 1.0, None, None),
        ("p2", "problem", "kept", None, 2.0, None, None),
    ]
    assert reconcile("odd", Odd(), found, output).rejected == {"one": 1}


def test_a_rule_that_forgets_a_row_is_caught(tmp_path: Path) -> None:
    found = inputs(tmp_path)
    with pytest.raises(ConservationError, match="1 rows lost"):
        reconcile("odd", Odd(), found, Odd(forget=True).run(Resources(), found))


def test_a_shard_without_living_rows_has_an_empty_ledger(tmp_path: Path) -> None:
    output = Odd().run(Resources(), inputs_of(tmp_path, {"problems": []}))
    assert (output.ledger.num_rows, output.ledger.schema) == (0, columns_of("ledger"))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.null()], ids=str)
def test_reasons_may_come_from_any_library(kind: pa.DataType) -> None:
    judged = pa.table({"id": ["a"], "reason": pa.array([None], kind)})
    assert sifted_ledger("generation", judged).to_pylist()[0]["bucket"] == "kept"


def test_a_column_that_no_ledger_has_is_refused() -> None:
    with pytest.raises(ValueError, match="treshold"):
        sifted_ledger("generation", pa.table({"id": ["a"], "reason": ["b"], "treshold": [1.0]}))
