"""Says what samples are worth while others are still generated: by the verifiers that the policy names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl
import pyarrow as pa

from tracemill.distill.policy import Outcome
from tracemill.distill.traces import Trace
from tracemill.engine.resources import Resources
from tracemill.engine.standing import standing
from tracemill.models.finish import ending
from tracemill.models.request import Refusal
from tracemill.text.think import split
from tracemill.verify import AnyVerifier
from tracemill.verify.verifier import Question, Verdict

QUESTION = ("prompt", "reference_answer", "test_case", "constraints")  # the columns of `problems` that are needed
# What a sample is worth that ended otherwise than whole: a model that does not come to an end within its budget, or
# ends in a loop, has not solved the problem; a filter or an unknown reason tells nothing.
_CUT: Mapping[str, Outcome] = {"length": "fail", "repetition": "fail"}


class Judging:
    """Judges samples as verify steps do, several verdicts coming to one by `engine.standing`. False without verifiers.

    `problems` has the columns `id` and QUESTION.
    """

    def __init__(self, verifiers: Sequence[AnyVerifier], problems: pa.Table, resources: Resources) -> None:
        self._verifiers = verifiers
        self._resources = resources
        self._questions = {row["id"]: _question(row) for row in problems.to_pylist()} if verifiers else {}

    def __bool__(self) -> bool:
        return bool(self._verifiers)

    def applies(self, problem: str) -> bool:
        """Whether any of the verifiers can say anything about responses to that problem."""
        return any(verifier.applies(self._questions[problem]) for verifier in self._verifiers)

    def outcomes(self, samples: Sequence[Trace | Refusal]) -> list[Outcome]:
        """One outcome a sample. Raises VerifierError when a verifier itself fails."""
        cut = [_without_verdict(sample) for sample in samples]
        asked = [self._asked(n, one) for n, one in enumerate(samples) if isinstance(one, Trace) and cut[n] is None]
        found = self._standing(asked)
        return [outcome or found.get(str(n), "unverifiable") for n, outcome in enumerate(cut)]

    def _asked(self, place: int, trace: Trace) -> Question:
        answer = split(trace.reply.text).answer or ""
        return replace(self._questions[trace.problem_id], generation_id=str(place), answer=answer)

    def _standing(self, questions: Sequence[Question]) -> dict[str, Outcome]:
        verdicts: list[Verdict] = []
        for verifier in self._verifiers:
            verdicts += verifier.judge(filter(verifier.applies, questions), self._resources)
        if not verdicts:
            return {}
        columns = ("generation_id", "verifier", "status", "trust", "overrules")
        schema = {name: pl.List(pl.String) if name == "overrules" else pl.String for name in columns}
        rows = [[getattr(verdict, name) for name in columns] for verdict in verdicts]
        found = standing(pl.DataFrame(rows, schema=schema, orient="row"))
        return dict(zip(found["generation_id"], found["status"], strict=True))


def _question(row: Mapping[str, str | None]) -> Question:
    return Question(
        generation_id="",
        problem_id=row["id"] or "",
        prompt=row["prompt"] or "",
        reference_answer=row["reference_answer"],
        test_case=row["test_case"],
        constraints=row["constraints"],
        answer="",
    )


def _without_verdict(sample: Trace | Refusal) -> Outcome | None:
    """What a sample is worth that no verifier need see: one that was refused, or did not end by itself."""
    if isinstance(sample, Refusal):
        return "refused"
    reason = sample.reply.finish_reason
    return None if ending(reason) == "done" else _CUT.get(reason or "", "unverifiable")
