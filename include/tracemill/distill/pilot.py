"""Tries a teacher on a few problems, so that a policy knows what to expect of the others."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from tracemill.distill import AnyTeacher
from tracemill.distill.judging import QUESTION, Judging, judging
from tracemill.distill.policies import Fixed
from tracemill.distill.policy import Alike, Outcome
from tracemill.distill.priors import Fit, Tried, fitted
from tracemill.distill.sampler import Sampler
from tracemill.distill.teacher import Assignment
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, kept_rows
from tracemill.engine.tables import columns_of, empty
from tracemill.errors import RecipeError
from tracemill.models.request import Refusal
from tracemill.models.step import AskingStep
from tracemill.verify.bench import Here

_log = logging.getLogger(__name__)
_ASKED = "asked of"  # in the manifest: whose pass rates the prior is about
_COLUMNS = ["messages", "category", "difficulty", *QUESTION]


class Pilot(AskingStep):
    """Ask `samples` traces of `problems` living problems, chosen by hash, and fit the prior of `until_decided` to them.

    `teacher` is that of the distil step that follows, with its policy, whose verifiers judge; write it once and name it
    there by a YAML anchor. What is paid here is not paid again there: the samples are the same. A refresh keeps the
    prior, as it keeps the plan, so that old shards stay sealed; another `refit` makes it anew from today's problems.
    `fit: mixture` makes it of several distributions: for rates that pile up at both ends, and a pilot of 200 problems.
    """

    kind: Literal["pilot"]
    teacher: AnyTeacher
    problems: Annotated[int, Field(ge=10)] = 200
    samples: Annotated[int, Field(ge=2)] = 8
    refit: Annotated[int, Field(ge=1)] = 1
    fit: Annotated[Fit, Field(exclude_if=lambda fit: fit == "beta")] = "beta"

    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("priors",)

    @model_validator(mode="after")
    def _somebody_judges(self) -> Self:
        if not self.teacher.policy.judged_by:
            raise ValueError(
                f"the teacher's policy is {self.teacher.policy.kind}, which judges nothing, so nothing can be fitted: "
                "give it policy until_decided with its verifiers, or remove the pilot"
            )
        return self

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """What decides the prior: who is asked and how, and by whom it is judged; not what a policy makes of it."""
        settings = super().settings(inputs)
        judged = self.teacher.policy.settings()["verifiers"]
        return {**settings, "teacher": {**settings["teacher"], "policy": {"verifiers": judged}}}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Fit, or keep what was fitted. Raises RecipeError when no sample of any problem could be judged."""
        alive = [inputs.alive("problem", shard) for shard in inputs.shards()]
        ledger = kept_rows("problem", pa.chunked_array(alive, pa.string()))
        asked = dict(self.material(resources, inputs))
        previous = inputs.previous
        if previous and previous.settings == self.settings(inputs) and previous.made_with.get(_ASKED) == asked:
            return Output(ledger, carried={"priors": previous.tables["priors"]}, made_with={_ASKED: asked})
        rows = list(self._fitted(resources, inputs, _chosen(inputs, alive, self.problems)))
        priors = pa.Table.from_pylist(rows, columns_of("priors"))
        return Output(ledger, {"priors": priors}, made_with={_ASKED: asked})

    def _fitted(self, resources: Resources, inputs: Inputs, problems: pa.Table) -> Iterator[dict[str, Any]]:
        teacher = self.teacher.model_copy(update={"policy": Fixed(), "samples": self.samples})
        near = self.feed(teacher.model, resources, inputs).near
        judged = judging(self.teacher.policy, problems, resources, inputs.store, near)
        posed = [_assignment(row) for row in problems.to_pylist()]
        posed = [one for one in posed if judged.applies(one.problem_id)]
        for mode, way in teacher.ways():
            counts = self._counted(resources, inputs, way, posed, judged)
            tried = [Tried(one.category, one.difficulty, *counts[one.problem_id]) for one in posed]
            tried = [one for one in tried if one.decided]
            if not tried:
                raise RecipeError(
                    f"the pilot of teacher {teacher.model.name!r}{f' in mode {mode!r}' if mode else ''} tells nothing: "
                    f"of {problems.num_rows} problems, {len(posed)} can be judged by its verifiers, and no sample of "
                    "these could be told right or wrong. Name other verifiers, or give the policy a `prior`"
                )
            _log.info("pilot of %s: %d problems tell what to expect", teacher.model.name, len(tried))
            yield from ({**row, "teacher": teacher.model.name, "mode": mode} for row in fitted(tried, self.fit))
        judged.close()

    def _counted(
        self, resources: Resources, inputs: Inputs, way: AnyTeacher, posed: list[Assignment], judged: Judging
    ) -> dict[str, tuple[int, int, int | None, int | None]]:
        """Of each problem the samples that could be told, those that passed, and the tokens of these and others."""
        sampler = Sampler(way, posed, Judging((), empty("problems"), Here((), resources)), Alike(Fixed()))
        answers = self.feed(way.model, resources, inputs).followed(sampler)
        found = list(sampler.traces(answers))
        lengths: defaultdict[tuple[str, Outcome], list[int | None]] = defaultdict(list)
        for (one, trace), outcome in zip(found, judged.outcomes([trace for _, trace in found]), strict=True):
            length = None if isinstance(trace, Refusal) else trace.reply.completion_tokens
            lengths[one.problem_id, outcome].append(length)
        told = {one.problem_id: (lengths[one.problem_id, "pass"], lengths[one.problem_id, "fail"]) for one in posed}
        return {
            name: (len(passed) + len(failed), len(passed), _sum(passed), _sum(failed))
            for name, (passed, failed) in told.items()
        }


def _sum(lengths: list[int | None]) -> int | None:
    """Null where the server told the length of any of them not."""
    known = [length for length in lengths if length is not None]
    return sum(known) if len(known) == len(lengths) else None


def _assignment(row: dict[str, Any]) -> Assignment:
    return Assignment(row["id"], row["prompt"], row["category"], row["messages"], row["difficulty"])


def _chosen(inputs: Inputs, alive: list[pa.Array], count: int) -> pa.Table:
    """The living problems whose ids, which are hashes, end lowest: the same ones whatever else there is."""
    ends = pa.chunked_array([pc.utf8_slice_codeunits(ids, -12) for ids in alive], pa.string())
    ids = pa.chunked_array(alive, pa.string())
    order = pc.sort_indices(pa.table({"end": ends, "id": ids}), [("end", "ascending"), ("id", "ascending")])
    first = ids.take(order[:count])
    parts = [inputs.table("problems", _COLUMNS, shard) for shard in inputs.shards()]
    return pa.concat_tables([part.filter(pc.is_in(part["id"], value_set=first.combine_chunks())) for part in parts])
