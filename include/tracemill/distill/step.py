"""Has a teacher write reasoning traces for the problems that have no verified response yet."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tracemill.distill import AnyTeacher
from tracemill.distill.judging import QUESTION, judging
from tracemill.distill.policy import Ruling
from tracemill.distill.sampler import Sampler
from tracemill.distill.scope import Group, Labels, Scope, VerifiedBy, existing
from tracemill.distill.teacher import Assignment
from tracemill.distill.traces import Written
from tracemill.engine.fate import Fate, fate_ledger
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output
from tracemill.engine.store import canonical_digest
from tracemill.models.session import Feed
from tracemill.models.step import AskingStep


class Distill(AskingStep):
    """Write traces for each living problem that needs them, as many as the teacher's policy says.

    See docs/design/sampling.md. A problem needs none when one of its living responses is verified: the verdicts of
    earlier steps come to a pass (`verified_by` "verdict": put a verify step before this one), or its source published
    one and none of ours is a fail ("source"). This is the rule of the 1.4M paper (arXiv 2503.19633, section 2.3): an
    existing response is kept if and only if it passes, otherwise a new one is made. `problems: all` writes traces for
    every living problem. `sources` names those whose problems are asked for; none: all. `where` names the categories
    and difficulties that are routed to this teacher, `unless` those that are not, as sources have them or, with
    `labels: annotator`, as an `annotate` step before says. Several steps, each with its own, make a table of routes; a
    cheap teacher's step, a verify step and a strong teacher's step with `problems: unverified` make a cascade.

    Ledger: kept with the reason `verified` or `distilled`, `not_asked` (of a source that is not asked for) or
    `routed_away` (of a group that is not this teacher's, as detail); quarantined with `too_long`, `content_filter`,
    `refused` or `poison` when the server gave no trace at all and the problem has no living response; with `refused:
    keep` kept with that reason, for the teacher of a later step.
    """

    kind: Literal["distill"]
    teacher: AnyTeacher
    problems: Literal["unverified", "all"] = "unverified"
    verified_by: VerifiedBy = ("verdict",)
    sources: Annotated[tuple[str, ...], Field(exclude_if=lambda names: not names)] = ()
    where: Annotated[Group | None, Field(exclude_if=lambda group: group is None)] = None  # only these groups; null: all
    unless: Annotated[Group | None, Field(exclude_if=lambda group: group is None)] = (
        None  # not these groups; null: none of them
    )
    labels: Annotated[Labels, Field(exclude_if=lambda labels: labels == "source")] = (
        "source"  # who says what group a problem is of
    )
    refused: Annotated[Literal["quarantine", "keep"], Field(exclude_if=lambda what: what == "quarantine")] = (
        "quarantine"  # what becomes of a problem that the server refuses: gone, or left to a later step
    )

    version: ClassVar[int] = 2
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "verdicts", "annotations", "priors", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("generations", "continuations", "token_logprobs", "usage")

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """The settings without where models run, with the versions of a policy's verifiers."""
        settings = super().settings(inputs)
        if "policy" in settings["teacher"]:
            settings["teacher"]["policy"] = self.teacher.policy.settings()
        return settings

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The weights, and what a policy's verifiers depend on."""
        judged = [verifier.material(resources) for verifier in self.teacher.policy.judged_by]
        decided = {"decisions": canonical_digest(found)} if (found := self._ruling(inputs).digest()) else {}
        return dict(ChainMap(dict(super().material(resources, inputs)), decided, *map(dict, judged)))

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """The tables read; of a pilot's prior only the decisions that it leads to count (`material`)."""
        unread = {"priors", "annotations"} - set(self.scope.needs())
        return inputs.digests([name for name in self.reads if name not in unread])

    @property
    def scope(self) -> Scope:
        """Which problems are asked."""
        return Scope.model_validate({name: getattr(self, name) for name in Scope.model_fields})

    def _ruling(self, inputs: Inputs) -> Ruling:
        """What the policy makes of the prior that a pilot found."""
        modes = [mode for mode, _ in self.teacher.ways()]
        return self.teacher.policy.ruling(inputs.table("priors"), self.teacher.model.name, modes)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Distil one shard. Raises ServingError when the teacher is gone for good; what it wrote is stored by then."""
        answered, verified = existing(inputs, self.verified_by)
        spared = self.scope.spared(inputs, verified)
        written = self._written(self.feed(self.teacher.model, resources, inputs), resources, inputs, spared)
        ids = inputs.alive("problem").to_pylist()
        staying = set(ids) if self.refused == "keep" else answered
        ledger = fate_ledger("problem", ids, [_fate(i, spared, written, staying) for i in ids])
        tables = {"generations": written.generations(), "continuations": written.continuations()}
        if self.teacher.logprobs:
            tables["token_logprobs"] = written.token_logprobs()
        if (usage := written.usage()).num_rows:
            tables["usage"] = usage
        return Output(ledger, _new(tables, inputs))

    def _written(self, feed: Feed, resources: Resources, inputs: Inputs, spared: Container[str]) -> Written:
        """The traces of all problems, as many as the policy counts, cut ones continued where the recipe allows it."""
        teacher = self.teacher
        assignments = [a for a in _assignments(inputs) if a.problem_id not in spared]
        judged = judging(teacher.policy, _posed(inputs, assignments), resources, inputs.store, feed.near)
        ruling = self._ruling(inputs)
        sampler = Sampler(teacher, assignments, judged, ruling)
        answers = feed.followed(sampler)
        judged.close()
        if expected := ruling.expected():
            resources.made_with["expected of the policy"] = expected
        source = teacher.source or teacher.model.name
        written = Written(teacher.model.name, source, teacher.continue_to, teacher.logprobs)
        for assignment, trace in sampler.traces(answers):
            written.add(assignment.problem_id, trace)
        return written


def _new(tables: Mapping[str, pa.Table], inputs: Inputs) -> dict[str, pa.Table]:
    """The tables without responses that an earlier step has: the same model said the same as the same sample, to a step
    that asks it again. Two rows of one id would be judged, counted and released twice.
    """
    known = inputs.table("generations", ["id"])["id"]
    by = {name: "id" if name == "generations" else "generation_id" for name in tables}
    return {name: table.filter(pc.invert(pc.is_in(table[by[name]], value_set=known))) for name, table in tables.items()}


def _assignments(inputs: Inputs) -> Iterator[Assignment]:
    """The living problems, in stored order."""
    rows = inputs.table("problems", ["id", "prompt", "category", "messages", "difficulty"])
    for row in rows.filter(pc.is_in(rows["id"], value_set=inputs.alive("problem"))).to_pylist():
        yield Assignment(row["id"], row["prompt"], row["category"], row["messages"], row["difficulty"])


def _posed(inputs: Inputs, assignments: Sequence[Assignment]) -> pa.Table:
    """What verifiers read of these problems."""
    rows = inputs.table("problems", list(QUESTION))
    return rows.filter(pc.is_in(rows["id"], value_set=pa.array([one.problem_id for one in assignments], pa.string())))


def _fate(problem: str, spared: Mapping[str, Fate], written: Written, staying: set[str]) -> Fate:
    if problem in spared:
        return spared[problem]
    refusal = written.refusals.get(problem)
    if problem in written.problems or refusal is None:
        return Fate("kept", "distilled")
    return Fate("kept" if problem in staying else "quarantined", refusal.reason, detail=refusal.detail)
