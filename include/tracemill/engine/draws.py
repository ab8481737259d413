"""Draws by hash: a number for every id that is the same on every machine, in place of random ones."""

from __future__ import annotations

import duckdb
import polars as pl


def draws(ids: pl.Series, salt: str) -> pl.Series:
    """The first eight bytes of the MD5 of `salt:id` as a little-endian number, for each id (unsigned, 64 bits)."""
    column = pl.DataFrame({"id": ids}).to_arrow()
    with duckdb.connect() as db:
        db.register("ids", column)
        found = db.sql("SELECT md5_number_upper($salt || ':' || id) AS drawn FROM ids", params={"salt": salt})
        return pl.DataFrame(found.to_arrow_table())["drawn"]
