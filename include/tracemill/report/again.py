"""Runs the verifiers that exported problems name, with the settings they name, on the same responses again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from tracemill.engine.resources import Resources
from tracemill.engine.runner import inputs_for
from tracemill.engine.store import Store
from tracemill.recipe import Recipe
from tracemill.release.exports.files import DATA
from tracemill.release.exports.sets import Rlvr
from tracemill.release.exports.step import Export
from tracemill.verify import AnyVerifier
from tracemill.verify.verifier import Question, Verifier

_VERIFIER: TypeAdapter[Verifier] = TypeAdapter(AnyVerifier)
_TEXTS = ("reference_answer", "test_case", "constraints", "reference_solution", "comparison")


@dataclass
class Again:
    """`judged` verdicts were made again; `different` lists (generation_id, verifier, was, now) of what changed."""

    judged: int = 0
    different: list[tuple[str, str, str, str]] = field(default_factory=list)


def judged_again(recipe: Recipe, store: Store, resources: Resources) -> Again:
    """Judge every response to the problems of all `rlvr` sets, from what their rows say and nothing else.

    Compared are the verdicts that were a pass or a fail. Raises MissingInput before an export is sealed, and what a
    verifier raises when it cannot work. Memory: the set's problems, and the responses of a shard.
    """
    found = Again()
    for name, step in recipe.steps.items():
        for kind, one in step.sets.items() if isinstance(step, Export) else ():
            if isinstance(one, Rlvr):
                _judge_set(recipe, store, name, kind, resources, found)
    return found


def _judge_set(recipe: Recipe, store: Store, step: str, name: str, resources: Resources, found: Again) -> None:
    sealed = store.manifest(step, 0)
    if sealed is None:
        return
    table = pq.read_table(io.BytesIO(store.read_bytes(sealed.files[f"{name}/{DATA}"].key)))
    problems = {row["problem_id"]: row for row in table.to_pylist()}
    kinds = {(one["name"], one["settings"]) for row in problems.values() for one in row["verifiers"]}
    inputs = inputs_for(recipe, store, step, 0)
    for shard in inputs.shards():
        verdicts = pl.DataFrame(inputs.table("verdicts", ["generation_id", "verifier", "status"], shard))
        asked = pa.array(list(problems), pa.string())
        rows = list[dict[str, Any]]()
        for batch in inputs.batches("generations", ["id", "problem_id", "answer_content"], shard):
            rows += batch.filter(pc.is_in(batch["problem_id"], value_set=asked)).to_pylist()
        for verifier, settings in sorted(kinds):
            said = verdicts.filter(pl.col("verifier") == verifier, pl.col("status") != "unverifiable")
            was = dict(said.select("generation_id", "status").iter_rows())
            mine = [row for row in rows if row["id"] in was and _names(problems[row["problem_id"]], verifier, settings)]
            for identity, now in _judged(settings, mine, problems, resources):
                found.judged += 1
                if now != was[identity]:
                    found.different.append((identity, verifier, was[identity], now))


def _names(problem: dict[str, Any], verifier: str, settings: str) -> bool:
    return {"name": verifier, "settings": settings} in problem["verifiers"]


def _judged(
    settings: str, rows: list[dict[str, Any]], problems: dict[str, dict[str, Any]], resources: Resources
) -> Iterator[tuple[str, str]]:
    """The status of each response, by a verifier that is made from its settings as the set has them."""
    known = {key: value for key, value in json.loads(settings).items() if key != "version"}
    verifier = _VERIFIER.validate_python(known)
    questions = (_question(row, problems[row["problem_id"]]) for row in rows)
    for verdict in verifier.judge(questions, resources):
        yield verdict.generation_id, verdict.status


def _question(row: dict[str, Any], problem: dict[str, Any]) -> Question:
    asked = "\n\n".join(turn["content"] for turn in problem["prompt"] if turn["role"] == "user")
    texts = {name: problem[name] for name in _TEXTS}
    return Question(
        generation_id=row["id"],
        problem_id=row["problem_id"],
        prompt=asked,
        answer=row["answer_content"] or "",
        **texts,
    )
