"""Asks a teacher a pilot's problems: a fixed number of times, or as its policy says, and counts what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tracemill.distill import AnyTeacher
from tracemill.distill.judging import Judging, judging
from tracemill.distill.policies import Fixed
from tracemill.distill.policy import Alike, Outcome, Ruling
from tracemill.distill.priors import Tried
from tracemill.distill.sampler import Sampler
from tracemill.distill.teacher import Assignment
from tracemill.distill.traces import Trace
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.engine.tables import empty
from tracemill.models.session import Feed
from tracemill.verify.bench import Here

Counts = tuple[int, int, int | None, int | None]  # decided, passed, and the tokens of these and of the others
_AT_ONCE = 4_000  # problems whose traces are held at once
_COUNTED = ("prompt_tokens", "completion_tokens", "seconds")


@dataclass(frozen=True)
class Trying:
    """A teacher and the problems that are tried; their traces are forgotten once they are counted."""

    teacher: AnyTeacher
    problems: pa.Table
    feed: Feed
    resources: Resources
    store: Store

    def by_mode(self, samples: int) -> dict[str | None, list[Tried]]:
        """How many of `samples` samples could be told and how many passed, in each mode, by problem.

        Only of problems that the policy's verifiers can judge.
        """
        every = self.teacher.model_copy(update={"policy": Fixed(), "samples": samples})
        found: dict[str | None, list[Tried]] = {mode: [] for mode, _ in every.ways()}
        for posed, judged in self._blocks():
            told = [one for one in posed if judged.applies(one.problem_id)]
            for mode, way in every.ways():
                counts = self._counted(way, told, judged)
                found[mode] += [Tried(one.category, one.difficulty, *counts[one.problem_id]) for one in told]
            judged.close()
        return found

    def taken(self, ruling: Ruling) -> Iterator[dict[str, Any]]:
        """One row of `piloted` for each problem, asked as the policy says: what a distil step will ask, too."""
        for posed, judged in self._blocks():
            sampler = Sampler(self.teacher, posed, judged, ruling)
            answers = self.feed.followed(sampler)
            judged.close()
            own = {one.problem_id: _blank(one, self.teacher.model.name) for one in posed}
            for one, trace in sampler.traces(answers):
                if isinstance(trace, Trace):
                    _add(own[one.problem_id], trace)
            for problem, outcome in sampler.outcomes():
                own[problem]["told"] += outcome in ("pass", "fail")
                own[problem]["passed"] += outcome == "pass"
            yield from own.values()

    def _blocks(self) -> Iterator[tuple[list[Assignment], Judging]]:
        for first in range(0, self.problems.num_rows, _AT_ONCE):
            block = self.problems.slice(first, _AT_ONCE)
            judged = judging(self.teacher.policy, block, self.resources, self.store, self.feed.near)
            yield [_assignment(row) for row in block.to_pylist()], judged

    def _counted(self, way: AnyTeacher, posed: list[Assignment], judged: Judging) -> dict[str, Counts]:
        """Of each problem the samples that could be told, those that passed, and the tokens of these and others."""
        sampler = Sampler(way, posed, Judging((), empty("problems"), Here((), self.resources)), Alike(Fixed()))
        found = list(sampler.traces(self.feed.followed(sampler)))
        lengths: defaultdict[tuple[str, Outcome], list[int | None]] = defaultdict(list)
        for (one, trace), outcome in zip(found, judged.outcomes([trace for _, trace in found]), strict=True):
            length = trace.reply.completion_tokens if isinstance(trace, Trace) else None
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


def _blank(one: Assignment, teacher: str) -> dict[str, Any]:
    of = {"problem_id": one.problem_id, "teacher": teacher, "category": one.category, "difficulty": one.difficulty}
    return {**of, "samples": 0, "told": 0, "passed": 0, **dict.fromkeys(_COUNTED, 0)}


def _add(row: dict[str, Any], trace: Trace) -> None:
    """Count a trace; what a server did not tell of one is unknown of its problem. To continue it its beginning is read
    once more.
    """
    row["samples"] += 1
    took = {name: getattr(trace.reply, name) for name in _COUNTED}
    if trace.seam is not None:
        again = (took["prompt_tokens"], took["prompt_tokens"], trace.seam_tokens)
        took["prompt_tokens"] = None if None in again else sum(again)
    for name, told in took.items():
        row[name] = None if told is None or row[name] is None else row[name] + told
