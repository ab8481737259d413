"""A second opinion on every answer of mathematics: what plain math-verify, the harnesses' comparison, says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

import tracemill.verify.math as math
from tracemill.engine.step import Inputs
from tracemill.engine.tables import columns_of
from tracemill.verify.math.pool import Finding, MathPool, Pair

CPU_SECONDS = 10.0  # of one comparison
MEMORY = 1 << 30  # bytes
MATHS = "math"  # the category; letters of a multiple choice are compared, too, and math-verify reads none
_SHOWN = 300  # characters of the end of an answer that are kept
_CACHED = 100_000
_SAID = {"generation_id": pl.String, "second": pl.String, "answer": pl.String}
_WORDS: dict[Finding, str] = {
    "equal": "pass",
    "different": "fail",
    "unparsable_gold": "unreadable_gold",
    "unparsable_answer": "unreadable_answer",
}


def library() -> str:
    """Which math-verify this is; its words differ between releases."""
    return version("math-verify")


class SecondOpinion:
    """Processes that math-verify runs in, each shut in with limits of its own. Use as a context manager."""

    def __init__(self, workers: int) -> None:
        program = Path(math.__file__).with_name("plain_worker.py")
        self._pool = MathPool(workers, CPU_SECONDS, MEMORY, program)
        self._known: dict[Pair, Finding] = {}

    def __enter__(self) -> Self:
        self._pool.__enter__()
        return self

    def __exit__(self, *left: object) -> None:
        self._pool.__exit__(None, None, None)

    def words(self, pairs: Sequence[Pair]) -> list[str]:
        """One word for each pair of reference and whole answer, in their order; see table `second_opinions`.

        Raises VerifierError when no process starts.
        """
        if len(self._known) > _CACHED:
            self._known.clear()
        for pair in dict.fromkeys(pairs):
            if pair not in self._known:
                self._known.update(self._pool.submit(pair))
        self._known.update(self._pool.drain())
        return [_WORDS.get(self._known[pair], self._known[pair]) for pair in pairs]

    def of(self, inputs: Inputs, shard: int) -> pl.DataFrame:
        """One row for each answer of mathematics in a shard that was not cut: the columns of `second_opinions`.

        A few answers are held at a time.
        """
        asked = _asked(inputs, shard)
        found = list(self._opinions(inputs, shard, asked)) if asked.height else []
        words = pl.concat([pl.DataFrame(schema=_SAID), *found])
        return asked.join(words, on="generation_id", how="inner", maintain_order="left")

    def _opinions(self, inputs: Inputs, shard: int, asked: pl.DataFrame) -> Iterator[pl.DataFrame]:
        golds = dict(asked.select("generation_id", "gold").iter_rows())
        wanted = asked["generation_id"].to_arrow().cast(pa.string())
        for batch in inputs.batches("generations", ["id", "answer_content"], shard):
            rows = batch.filter(pc.is_in(batch["id"], value_set=wanted))
            ids = rows["id"].to_pylist()
            answers = [answer or "" for answer in rows["answer_content"].to_pylist()]
            words = self.words([Pair(golds[one], answer) for one, answer in zip(ids, answers, strict=True)])
            ends = [answer[-_SHOWN:] for answer in answers]
            yield pl.DataFrame({"generation_id": ids, "second": words, "answer": ends}, schema=_SAID)


def _asked(inputs: Inputs, shard: int) -> pl.DataFrame:
    """The answers of mathematics in a shard that were not cut: what our score says of them, and the reference."""
    names = ["generation_id", "problem_id", "teacher", "mode", "category", "passed", "reason"]
    scores = pl.DataFrame(inputs.table("scores", names, shard))
    problems = pl.DataFrame(inputs.table("problems", ["id", "source", "reference_answer"], shard))
    known = problems.rename({"id": "problem_id", "source": "benchmark", "reference_answer": "gold"})
    own = scores.filter(pl.col("category") == MATHS, (pl.col("reason") != "cut").fill_null(True))
    passed = pl.col("passed")
    ours = (
        pl.when(passed.is_null()).then(pl.lit("undecided")).when(passed).then(pl.lit("pass")).otherwise(pl.lit("fail"))
    )
    return own.join(known.drop_nulls("gold"), on="problem_id", how="inner", maintain_order="left").select(
        "generation_id",
        "problem_id",
        "benchmark",
        "teacher",
        "mode",
        ours.alias("ours"),
        pl.col("gold").cast(pl.String),
    )


def disagreements(opinions: pl.DataFrame) -> pl.DataFrame:
    """The rows of table `second_opinions`: where the two do not say the same.

    An answer that math-verify cannot read is no pass, and agrees with a fail; where neither could tell nothing differs.
    """
    told = pl.col("second").is_in(["pass", "fail"])
    silent = (pl.col("ours") == "fail") & (pl.col("second") == "unreadable_answer")
    differs = (
        pl.when(pl.col("ours") == "undecided").then(told).otherwise((pl.col("ours") != pl.col("second")) & ~silent)
    )
    return opinions.filter(differs).select(columns_of("second_opinions").names)
