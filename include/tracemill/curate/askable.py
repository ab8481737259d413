"""Turns away problems to which no single short answer can be compared, and asks choices as questions where it can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.categories import named
from tracemill.engine.ids import Unit, problem_id
from tracemill.engine.resources import Resources
from tracemill.engine.sieve import sifted_ledger
from tracemill.engine.step import Inputs, Output, Step
from tracemill.engine.tables import columns_of
from tracemill.text.requests import (
    TRIGGERS,
    asks_about_a_picture,
    asks_for_a_proof,
    asks_several,
    filled_in,
    is_a_choice,
)


class Askable(Step):
    """Look at the problems of `categories` as AM-Thinking-v1 does (arXiv 2505.08311, section 2).

    The first rule that hits gives the reason; false turns a rule off.

    picture     about an image, a figure or a diagram that is not in the text
    proof       asks for a proof, which no answer shows
    several     asks for several things, of which a reference has one
    choices     lists choices, of which the reference is one: `rewrite` asks the question without them where it has one
                answer even so, under a new id, with the choice's own words as reference; `drop` asks none of them
    rewritten   the problem with choices of which that was made; detail: the new id

    Problems of several turns, and those with tests or constraints, are never rewritten. Nobody has answered a new
    problem yet: put this step before whatever labels, signs or asks problems.
    """

    kind: Literal["askable"]
    categories: tuple[str, ...] = ("math",)
    picture: bool = True
    proof: bool = True
    several: bool = True
    choices: Literal["rewrite", "drop", "keep"] = "rewrite"

    version: ClassVar[int] = 2
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "provenance", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("problems", "provenance")

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Look at one shard."""
        alive = inputs.alive("problem")
        known = set(inputs.table("problems", ["id"])["id"].to_pylist())
        told: list[tuple[str, str, str | None]] = []
        fresh: list[dict[str, Any]] = []
        for row in _candidates(inputs, alive):
            reason = self._reason(row)
            new = _opened(row) if reason == "choices" and self.choices == "rewrite" else None
            fresh += [new] if new is not None else []
            if reason is not None:
                told.append((row["id"], reason, None) if new is None else (row["id"], "rewritten", new["id"]))
        first = {one["id"]: one for one in sorted(fresh, key=lambda one: one["former"], reverse=True)}
        own = [one for one in first.values() if one["id"] not in known]
        problems = pa.Table.from_pylist(own, columns_of("problems"))
        tables = {"problems": problems, "provenance": _origins(inputs, fresh)}
        return Output(sifted_ledger("problem", _judged(alive, told)), tables)

    def _reason(self, row: dict[str, Any]) -> str | None:
        """The first rule that hits; None where all is well, or the problem is of another category."""
        if row["category"] is None or named(row["category"]) not in {named(one) for one in self.categories}:
            return None
        text = row["prompt"] or ""
        if self.picture and asks_about_a_picture(text):
            return "picture"
        if self.proof and asks_for_a_proof(text):
            return "proof"
        if self.several and asks_several(text):
            return "several"
        return "choices" if self.choices != "keep" and is_a_choice(text, row["reference_answer"]) else None


def _candidates(inputs: Inputs, alive: pa.Array) -> Iterator[dict[str, Any]]:
    """The living problems in which a word or a mark stands that any of the rules needs, in stored order."""
    for batch in inputs.batches("problems"):
        near = pc.match_substring_regex(pc.fill_null(batch["prompt"], ""), TRIGGERS)
        yield from batch.filter(pc.and_(near, pc.is_in(batch["id"], value_set=alive))).to_pylist()


def _judged(alive: pa.Array, told: list[tuple[str, str, str | None]]) -> pa.Table:
    """Reason and detail of each living problem; null where nothing was told of it."""
    columns = [pa.array(list(values), pa.string()) for values in zip(*told, strict=True)] or [
        pa.array([], pa.string())
    ] * 3
    named_there = pa.table(columns, ["id", "reason", "detail"])
    found = named_there.take(pc.index_in(alive, value_set=columns[0]))
    return found.set_column(0, "id", pa.chunked_array([alive]))


def _opened(row: dict[str, Any]) -> dict[str, Any] | None:
    """The problem without its choices, as a row of its own."""
    if row["messages"] is not None or row["test_case"] is not None or row["constraints"] is not None:
        return None
    found = filled_in(row["prompt"], row["reference_answer"])
    if found is None:
        return None
    stem, answer = found
    own = {"former": row["id"], "id": problem_id(stem)}
    return {**row, **own, "prompt": stem, "reference_answer": answer, "reference_solution": None}


def _origins(inputs: Inputs, fresh: list[dict[str, Any]]) -> pa.Table:
    """Where the new problems come from: the source rows of all that they were made of, each with its own answer."""
    rows = inputs.table("provenance") if fresh else columns_of("provenance").empty_table()
    made = {one["former"]: {"problem_id": one["id"], "reference_answer": one["reference_answer"]} for one in fresh}
    own = rows.filter(pc.is_in(rows["problem_id"], value_set=pa.array(list(made), pa.string())))
    written = [{**row, **made[row["problem_id"]]} for row in own.to_pylist()]
    return pa.Table.from_pylist(written, columns_of("provenance"))
