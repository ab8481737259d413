"""Has a teacher write reasoning traces for the problems that have no verified response yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tracemill.distill import AnyTeacher
from tracemill.distill.teacher import Assignment
from tracemill.distill.traces import Trace, Written, joined
from tracemill.engine.fate import Fate, fate_ledger
from tracemill.engine.ids import Unit, generation_id
from tracemill.engine.resources import Resources
from tracemill.engine.standing import COLUMNS, standing
from tracemill.engine.step import Inputs, Output
from tracemill.models.request import Ask, Refusal
from tracemill.models.session import Feed
from tracemill.models.step import AskingStep
from tracemill.text.think import split


class Distill(AskingStep):
    """Write `teacher.samples` traces for each living problem that needs them. See docs/design/sampling.md.

    A problem needs none when one of its living responses is verified: the verdicts of earlier steps come to a pass
    (`verified_by` "verdict": put a verify step before this one), or its source published one and none of ours is a fail
    ("source"). This is
    the rule of the 1.4M paper (arXiv 2503.19633, section 2.3): an existing response is kept if and only if it passes,
    otherwise a new one is made. `problems: all` writes traces for every living problem.

    Ledger: kept with the reason `verified` or `distilled`; quarantined with `too_long`, `content_filter`, `refused`
    or `poison` when the server gave no trace at all and the problem has no living response.
    """

    kind: Literal["distill"]
    teacher: AnyTeacher
    problems: Literal["unverified", "all"] = "unverified"
    verified_by: Annotated[tuple[Literal["verdict", "source"], ...], Field(min_length=1)] = ("verdict",)

    version: ClassVar[int] = 2
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "verdicts", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("generations", "continuations")

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Distil one shard. Raises ServingError when the teacher is gone for good; what it wrote is stored by then."""
        answered, verified = _existing(inputs, self.verified_by)
        skipped = verified if self.problems == "unverified" else set[str]()
        assignments = [a for a in _assignments(inputs) if a.problem_id not in skipped]
        written = self._written(self.feed(self.teacher.model, resources, inputs), assignments)
        ids = inputs.alive("problem").to_pylist()
        ledger = fate_ledger("problem", ids, [_fate(i, skipped, written, answered) for i in ids])
        return Output(ledger, {"generations": written.generations(), "continuations": written.continuations()})

    def _written(self, feed: Feed, assignments: list[Assignment]) -> Written:
        """The traces of all problems, cut ones continued where the recipe allows it."""
        asked = [(a, n, self.teacher.ask(a, n)) for a in assignments for n in range(self.teacher.samples)]
        written = Written()
        more: list[tuple[int, Trace, Ask]] = []
        for place, answer in enumerate(feed.drained([ask for _, _, ask in asked])):
            assignment, sample, ask = asked[place]
            if isinstance(answer, Refusal):
                written.refusals[assignment.problem_id] = answer
                continue
            trace = Trace(
                assignment.problem_id, sample, replace(answer, text=self.teacher.whole(answer.text), token_ids=None)
            )
            further = self.teacher.go_on(ask, answer)
            if further is None:
                written.add(place, self._row(trace))
            else:
                more.append((place, trace, further))
        for (place, begun, _), rest in zip(more, feed.drained([ask for _, _, ask in more]), strict=True):
            trace = joined(begun, rest)
            row = self._row(trace)
            written.add(place, row, self._continuation(trace, row["id"]))
        return written

    def _row(self, trace: Trace) -> dict[str, Any]:
        parts = split(trace.reply.text)
        name = self.teacher.model.name
        return {
            "id": generation_id(trace.problem_id, name, trace.sample, trace.reply.text),
            "problem_id": trace.problem_id,
            "source": self.teacher.source or name,
            "teacher": name,
            "sample_index": trace.sample,
            "style": parts.style,
            "raw": parts.raw,
            "think_content": parts.think,
            "answer_content": parts.answer,
            "finish_reason": trace.reply.finish_reason,
            "prompt_tokens": trace.reply.prompt_tokens,
            "completion_tokens": trace.reply.completion_tokens,
            "seconds": trace.reply.seconds,
            "source_verdict": None,
            "served_model": trace.reply.served_model,
            "response_source": self.teacher.source or name,
        }

    def _continuation(self, trace: Trace, generation: str) -> dict[str, Any] | None:
        if trace.seam is None:
            return None
        return {
            "generation_id": generation,
            "problem_id": trace.problem_id,
            "seam": trace.seam,
            "tokens": trace.seam_tokens,
            "limit": self.teacher.continue_to,
        }


def _existing(inputs: Inputs, verified_by: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """The problems with a living response, and those with a verified one."""
    rows = inputs.table("generations", ["id", "problem_id", "source_verdict"])
    rows = rows.filter(pc.is_in(rows["id"], value_set=inputs.alive("generation")))
    found = standing(inputs.table("verdicts", COLUMNS))
    passed, failed = (found.filter(status=status)["generation_id"].to_arrow() for status in ("pass", "fail"))
    by_verdict = pc.is_in(rows["id"], value_set=passed.cast(pa.string()))
    not_failed = pc.invert(pc.is_in(rows["id"], value_set=failed.cast(pa.string())))
    by_source = pc.and_(pc.fill_null(rows["source_verdict"], False), not_failed)
    masks = {"verdict": by_verdict, "source": by_source}
    verified = set[str]()
    for rule in verified_by:
        verified |= set(rows.filter(masks[rule])["problem_id"].to_pylist())
    return set(rows["problem_id"].to_pylist()), verified


def _assignments(inputs: Inputs) -> Iterator[Assignment]:
    """The living problems, in stored order."""
    rows = inputs.table("problems", ["id", "prompt", "category", "messages"])
    for row in rows.filter(pc.is_in(rows["id"], value_set=inputs.alive("problem"))).to_pylist():
        yield Assignment(row["id"], row["prompt"], row["category"], row["messages"])


def _fate(problem: str, skipped: set[str], written: Written, answered: set[str]) -> Fate:
    if problem in skipped:
        return Fate("kept", "verified")
    refusal = written.refusals.get(problem)
    if problem in written.problems or refusal is None:
        return Fate("kept", "distilled")
    return Fate("kept" if problem in answered else "quarantined", refusal.reason, detail=refusal.detail)
