"""Has a teacher write reasoning traces for the problems that have no verified response yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tracemill.records import Unit, generation_id
from tracemill.resources import Resources
from tracemill.serving.asks import Answer, Ask, Refusal, Reply
from tracemill.serving.feed import Feed
from tracemill.steps.asking import AskingStep
from tracemill.steps.base import Inputs, Output
from tracemill.steps.fate import Fate, fate_ledger
from tracemill.tables import columns_of
from tracemill.teachers import AnyTeacher
from tracemill.teachers.base import Assignment
from tracemill.text.think import split
from tracemill.verifiers.standing import COLUMNS, standing


@dataclass(frozen=True)
class Trace:
    """One trace for one problem: the whole text, and where it was continued (None when it was not)."""

    problem_id: str
    sample: int
    reply: Reply
    seam: int | None = None
    seam_tokens: int | None = None


class Distill(AskingStep):
    """Write `teacher.samples` traces for each living problem that needs them. See docs/design/sampling.md.

    A problem needs none when one of its living responses is verified: the verdicts of earlier steps come to a pass
    (`verified_by` "verdict": put a verify step before this one), or its source published one and none of ours is a fail
    ("source"). This is
    the rule of the 1.4M paper (arXiv 2503.19633, section 2.3): an existing response is kept if and only if it passes,
    otherwise a new one is made. `problems: all` writes traces for every living problem.

    Ledger: kept with the reason `verified` or `distilled`; quarantined with `too_long`, `refused` or `poison` when the
    server gave no trace at all and the problem has no living response.
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
        traces, refusals = self._traces(self.feed(self.teacher.model, resources, inputs), assignments)
        written = {trace.problem_id for trace in traces}
        ids = inputs.alive("problem").to_pylist()
        ledger = fate_ledger("problem", ids, [_fate(i, skipped, written, answered, refusals) for i in ids])
        return Output(ledger, {"generations": self._generations(traces), "continuations": self._continuations(traces)})

    def _traces(self, feed: Feed, assignments: list[Assignment]) -> tuple[list[Trace], dict[str, Refusal]]:
        """The traces of all problems, cut ones continued where the recipe allows it; refusals by problem."""
        asked = [(a, n, self.teacher.ask(a, n)) for a in assignments for n in range(self.teacher.samples)]
        answers = feed.answers([ask for _, _, ask in asked])
        traces: list[Trace] = []
        more: dict[int, Ask] = {}
        refusals: dict[str, Refusal] = {}
        for (assignment, sample, ask), answer in zip(asked, answers, strict=True):
            if isinstance(answer, Refusal):
                refusals[assignment.problem_id] = answer
                continue
            if (further := self.teacher.go_on(ask, answer)) is not None:
                more[len(traces)] = further
            whole = replace(answer, text=self.teacher.prefix + answer.text)
            traces.append(Trace(assignment.problem_id, sample, whole))
        for place, rest in zip(more, feed.answers(list(more.values())), strict=True):
            traces[place] = _joined(traces[place], rest)
        return traces, refusals

    def _generations(self, traces: list[Trace]) -> pa.Table:
        return pa.Table.from_pylist([self._row(trace) for trace in traces], columns_of("generations"))

    def _row(self, trace: Trace) -> dict[str, Any]:
        parts, name = split(trace.reply.text), self.teacher.model.name
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

    def _continuations(self, traces: list[Trace]) -> pa.Table:
        rows = [
            {
                "generation_id": self._row(trace)["id"],
                "problem_id": trace.problem_id,
                "seam": trace.seam,
                "tokens": trace.seam_tokens,
                "limit": self.teacher.continue_to,
            }
            for trace in traces
            if trace.seam is not None
        ]
        return pa.Table.from_pylist(rows, columns_of("continuations"))


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


def _joined(trace: Trace, rest: Answer | None) -> Trace:
    """The trace with its continuation, if there was one and the server gave it."""
    if not isinstance(rest, Reply):
        return trace
    first = trace.reply
    whole = Reply(
        text=first.text + rest.text,
        finish_reason=rest.finish_reason,
        prompt_tokens=first.prompt_tokens,
        completion_tokens=(first.completion_tokens or 0) + (rest.completion_tokens or 0),
        seconds=first.seconds + rest.seconds,
        served_model=first.served_model,
    )
    return replace(trace, reply=whole, seam=len(first.text), seam_tokens=first.completion_tokens)


def _fate(problem: str, skipped: set[str], written: set[str], answered: set[str], refusals: dict[str, Refusal]) -> Fate:
    if problem in skipped:
        return Fate("kept", "verified")
    refusal = refusals.get(problem)
    if problem in written or refusal is None:
        return Fate("kept", "distilled")
    return Fate("kept" if problem in answered else "quarantined", refusal.reason, detail=refusal.detail)
