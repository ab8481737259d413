"""Joins what survived with what is known about it: one shard at a time, a batch of long texts at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.text.language import tokens

if TYPE_CHECKING:
    from tracemill.engine.step import Inputs  # steps import the release, not the other way round

_GENERATION = [
    "id",
    "problem_id",
    "teacher",
    "response_source",
    "sample_index",
    "think_content",
    "answer_content",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
]


@dataclass(frozen=True)
class ReleasedRow:
    """One released response, its problem, and the judgements about both. `tokens`: length of prompt and response.

    `seam`: where a cut trace was continued, in characters of the text as the teacher wrote it; None for most.
    """

    shard: int
    problem: dict[str, Any]
    generation: dict[str, Any]
    labels: dict[str, Any]
    verdicts: list[dict[str, Any]]
    contamination: list[dict[str, Any]]
    origins: list[str]
    reward: float | None
    measurements: list[dict[str, Any]]
    seam: int | None
    tokens: int


def released_rows(inputs: Inputs, shard: int) -> Iterator[list[ReleasedRow]]:
    """The living responses of a shard with their problems, in stored order, in lists of at most ROW_GROUP rows."""
    alive = inputs.alive("generation", shard)
    if len(alive) == 0:
        return
    known = _Known(inputs, shard, alive)
    for batch in inputs.batches("generations", _GENERATION, shard):
        chosen = batch.filter(pc.is_in(batch["id"], value_set=alive))
        if chosen.num_rows:
            yield known.joined(chosen)


class _Known:
    """Everything about a shard's released problems and responses but the traces themselves."""

    def __init__(self, inputs: Inputs, shard: int, alive: pa.Array) -> None:
        generations = inputs.table("generations", ["id", "problem_id"], shard)
        problems = generations.filter(pc.is_in(generations["id"], value_set=alive))["problem_id"].unique()
        self.shard = shard
        self.problems = {row["id"]: row for row in _matching(inputs, "problems", "id", problems, shard)}
        self.labels = _merged_labels(inputs, problems, shard)
        self.verdicts = _grouped(inputs, "verdicts", "generation_id", alive, shard)
        self.contamination = _grouped(inputs, "contamination", "problem_id", problems, shard)
        self.provenance = _grouped(inputs, "provenance", "problem_id", problems, shard)
        self.rewards = _grouped(inputs, "rewards", "generation_id", alive, shard)
        self.measurements = _grouped(inputs, "measurements", "generation_id", alive, shard)
        continued = _matching(inputs, "continuations", "generation_id", alive, shard)
        self.seams: dict[str, int] = {row["generation_id"]: row["seam"] for row in continued}

    def joined(self, generations: pa.RecordBatch) -> list[ReleasedRow]:
        rows = generations.to_pylist()
        prompts = [self.problems[row["problem_id"]]["prompt"] for row in rows]
        counts = _tokens(generations, prompts)
        return [self._row(row, count) for row, count in zip(rows, counts, strict=True)]

    def _row(self, generation: dict[str, Any], tokens: int) -> ReleasedRow:
        identity = generation["id"]
        problem = self.problems[generation["problem_id"]]
        scores = [row["score"] for row in self.rewards[identity] if row["score"] is not None]
        return ReleasedRow(
            shard=self.shard,
            problem=problem,
            generation=generation,
            labels={key: self.labels[problem["id"]].get(key, problem.get(key)) for key in _LABELS},
            verdicts=self.verdicts[identity],
            contamination=self.contamination[problem["id"]],
            origins=sorted({row["origin"] for row in self.provenance[problem["id"]]}),
            reward=sum(scores) / len(scores) if scores else None,
            measurements=self.measurements[identity],
            seam=self.seams.get(identity),
            tokens=tokens,
        )


_LABELS = ("category", "difficulty", "language", "topic")
# Which labels each table gives; a category decides which verifier sees a problem, so a model's tag is its topic only.
_LABELLED_BY = {"labels": ("category", "difficulty", "language"), "annotations": ("difficulty", "topic")}


def _merged_labels(inputs: Inputs, problems: pa.Array, shard: int) -> dict[str, dict[str, Any]]:
    """Per problem the last label of each kind; a model's word goes before a source's, and a blank undoes none."""
    merged: dict[str, dict[str, Any]] = defaultdict(dict)
    for table, keys in _LABELLED_BY.items():
        for row in _matching(inputs, table, "problem_id", problems, shard):
            merged[row["problem_id"]].update({key: row[key] for key in keys if row[key] is not None})
    return merged


def _matching(inputs: Inputs, table: str, key: str, ids: pa.Array, shard: int) -> Iterator[dict[str, Any]]:
    for batch in inputs.batches(table, None, shard):
        yield from batch.filter(pc.is_in(batch[key], value_set=ids)).to_pylist()


def _grouped(inputs: Inputs, table: str, key: str, ids: pa.Array, shard: int) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _matching(inputs, table, key, ids, shard):
        groups[row[key]].append(row)
    return groups


def _tokens(generations: pa.RecordBatch, prompts: list[str]) -> list[int]:
    """Tokens of each entry: the teacher's own count where it gave one, else the estimate that labels use."""
    frame = pl.from_arrow(generations)
    assert isinstance(frame, pl.DataFrame)
    response = tokens(pl.col("think_content")) + tokens(pl.col("answer_content"))
    counts = frame.with_columns(pl.Series("prompt", prompts)).select(
        pl.coalesce("prompt_tokens", tokens(pl.col("prompt"))) + pl.coalesce("completion_tokens", response)
    )
    return counts.to_series().to_list()
