"""The query filters on the prompts of public files and of every dataset adapter: what is whole must pass."""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest

from tests.build.native import FIXTURES, rows_of, source
from tracemill.curate.wellformed import incomplete, needs_link

DATA = os.environ.get("TRACEMILL_DATA")
STARTER = "class Solution:\n    def solve(self, nums: List[int]) -> int:\n        "


def test_the_adapters_fixtures_are_whole() -> None:
    kinds = [file.stem for file in sorted(FIXTURES.glob("*.jsonl"))]
    prompts = [row.prompt for kind in kinds for row in rows_of(source(kind, limit=100))]  # a part of a benchmark
    assert pl.DataFrame({"p": prompts}).filter(incomplete(pl.col("p")) | needs_link(pl.col("p"))).is_empty()


@pytest.mark.skipif(not DATA, reason="TRACEMILL_DATA names no folder with the public sample files")
def test_at_most_one_in_a_thousand_real_prompts_is_turned_away() -> None:
    prompts = pl.DataFrame(
        {"p": [prompt for file in sorted(Path(DATA or "").glob("*.jsonl")) for prompt in read(file)]}
    )
    assert len(prompts) > 5000
    cut = prompts.filter(incomplete(pl.col("p")))
    assert len(cut) <= len(prompts) / 1000, cut["p"].str.tail(80).to_list()
    with_starter = prompts.with_columns(pl.col("p") + "\n\n" + STARTER)
    assert len(with_starter.filter(incomplete(pl.col("p")))) <= len(prompts) / 1000


def read(file: Path) -> list[str]:
    rows = [json.loads(line) for line in file.read_bytes().splitlines()]
    name = next((name for name in ("prompt", "problem", "question") if name in rows[0]), "")
    return [row[name] for row in rows] if name else []
