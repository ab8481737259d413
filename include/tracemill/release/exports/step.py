"""Writes the training sets that one ledger gives: supervised, pairs, verifiable rewards, control, as published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

import pyarrow as pa
from pydantic import Field, model_validator

from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step
from tracemill.engine.tables import empty
from tracemill.errors import MissingInput
from tracemill.release.exports.making import Made, responses_of
from tracemill.release.exports.sets import AnySet, Control, Sft
from tracemill.release.parts import Name
from tracemill.release.revocations import recalled, revocations, revoked_material

_STEPS = {"scores": "grade", "grades": "grade", "stages": "stage_one (or stage_two)", "verdicts": "verify"}
_STAGES = {1: "stage_one", 2: "stage_two"}


class Export(Step):
    """Write each of `sets` into a folder of its name: its files, and README.md, its card. See docs/design/exports.md.

    `sets` are made in their order; one that names others in `apart_from` leaves their problems out. Rows are in shard
    order, and the same rows give the same bytes. Ledger: every response to a living problem. Kept: `exported`, in the
    sets that the detail names. Rejected: `in_no_set`, `unformatted` (its thinking or answer is blank, which no layout
    holds) and `revoked` (a recall took its problem out).
    """

    kind: Literal["export"]
    sets: Annotated[dict[Name, AnySet], Field(min_length=1)]  # by the name of their folder

    version: ClassVar[int] = 3
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = (
        "problems",
        "generations",
        "labels",
        "annotations",
        "measurements",
        "verdicts",
        "scores",
        "grades",
        "stages",
        "ledger",
    )
    writes: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _named_before(self) -> Self:
        """Refuse a set that speaks of one that is not above it. Raises ValueError naming both."""
        above = list[str]()
        for name, one in self.sets.items():
            for other in (*one.apart_from, *((one.like,) if isinstance(one, Control) else ())):
                if other not in above:
                    raise ValueError(f"sets.{name} names {other!r}, which is no set above it")
            above.append(name)
        return self

    def lacks(self, before: Sequence[Step]) -> str | None:
        """The tables that its sets are chosen by, and the stage of each that is one."""
        there = {name for one in before for name in one.writes}
        kinds = {getattr(one, "kind", "") for one in before}
        for name, one in self.sets.items():
            stage = _STAGES[one.stage] if isinstance(one, Sft) else None
            absent = [stage] if stage and stage not in kinds else [_STEPS[t] for t in one.needs if t not in there]
            if absent:
                return f"makes the set {name!r}, which needs a step of kind {absent[0]} before it"
        return None

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """What recalls took out."""
        return revoked_material(recalled(inputs.store))

    def entering(self, inputs: Inputs) -> pa.ChunkedArray:
        """Every response to a living problem, also those that were turned away: a pair needs a wrong one."""
        return pa.chunked_array([responses_of(inputs, shard) for shard in inputs.shards()], pa.string())

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """One pass over the shards, and one before it where a control must know how large it is.

        Memory: the texts of a shard's chosen responses. Raises MissingInput where a set asks for a table that no step
        before wrote.
        """
        _require(self.sets, inputs)
        revoked = pa.array(list(revocations(inputs.store)), pa.string())
        with Made(self.sets, resources.scratch, inputs, revoked) as made:
            ledgers = [made.write(shard) for shard in inputs.shards()]
        return Output(pa.concat_tables([empty("ledger"), *ledgers]), files=made.files())


def _require(sets: Mapping[str, AnySet], inputs: Inputs) -> None:
    """Refuse a set without the tables that it is chosen by."""
    manifests = [*inputs.whole, *(one for shard in inputs.sealed.values() for one in shard)]
    there = {name for manifest in manifests for name in manifest.tables}
    for name, one in sets.items():
        for table in one.needs if inputs.shard_count else ():
            if table not in there:
                raise MissingInput(f"sets.{name} needs the table {table}: put a step of kind {_STEPS[table]} before it")
