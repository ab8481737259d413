"""Rows of numbers in one column: what is read is what was written, and damage is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from tracemill.engine.packed import packed, unpacked
from tracemill.errors import CorruptShard, RecipeError

ROWS = np.arange(40, dtype=np.float16).reshape(10, 4)
CASES = {
    "all": (ROWS, lambda column: column, ROWS),
    "big-endian numbers": (ROWS.astype(">f2"), lambda column: column, ROWS),
    "every other column, not contiguous": (ROWS[:, ::2], lambda column: column, ROWS[:, ::2]),
    "a slice": (ROWS, lambda column: column.slice(3, 4), ROWS[3:7]),
    "two pieces": (ROWS, lambda column: pa.chunked_array(2 * column.chunks), np.concatenate([ROWS, ROWS])),
    "some rows, in another order": (ROWS, lambda column: column.take(pa.array([7, 0])), ROWS[[7, 0]]),
    "no rows": (ROWS[:0], lambda column: column, np.zeros((0, 1))),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "changed", "expected"), CASES.values(), ids=CASES)
def test_what_is_read_is_what_was_written(rows: NDArray[Any], changed: Any, expected: NDArray[Any]) -> None:
    np.testing.assert_array_equal(unpacked(changed(pa.chunked_array([packed(rows)])), np.float16), expected)


DAMAGED = {
    "a null among them": [[b"1234", None]],
    "another width": [[b"1234", b"12"]],
    "another width in the next piece": [[b"1234"], [b"12"]],
    "half a number": [[b"123", b"123"]],
}


@pytest.mark.parametrize("pieces", DAMAGED.values(), ids=DAMAGED)
def test_rows_that_are_not_equally_wide_are_refused(pieces: list[list[bytes | None]]) -> None:
    with pytest.raises(CorruptShard, match="run step sign again"):
        unpacked(pa.chunked_array(pieces, pa.binary()), np.float16)


def test_more_than_a_column_can_hold_is_refused_before_any_of_it_is_copied() -> None:
    with pytest.raises(RecipeError, match="lower `rows_per_shard`"):
        packed(np.broadcast_to(np.float16(0), (2**31 // 768 + 1, 384)))


def test_a_column_of_an_older_tracemill_is_refused() -> None:
    with pytest.raises(CorruptShard, match="older tracemill: run step sign again"):
        unpacked(pa.chunked_array([[[1.0, 2.0]]], pa.list_(pa.float32())), np.float16)
