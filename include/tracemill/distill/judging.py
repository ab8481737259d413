"""Says what samples are worth while others are still generated: by the verifiers that the policy names."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import polars as pl
import pyarrow as pa

from tracemill.distill.policy import Outcome, Policy
from tracemill.distill.traces import Trace
from tracemill.engine.resources import Resources
from tracemill.engine.standing import standing
from tracemill.engine.store import Store
from tracemill.models.finish import ending
from tracemill.models.request import Refusal
from tracemill.text.think import split
from tracemill.verify import AnyVerifier
from tracemill.verify.bench import Bench, Here, Verdicts, fields_digest, question_id
from tracemill.verify.beside import Beside
from tracemill.verify.parts import POSED, posed, who
from tracemill.verify.verifier import Question

QUESTION = ("id", *POSED)  # the columns of `problems` that are needed
_LOOK_EVERY = 0.5  # seconds between two looks for verdicts, where nothing else is to be done
# What a sample is worth that ended otherwise than whole: a model that does not come to an end within its budget, or
# ends in a loop, has not solved the problem; a filter or an unknown reason tells nothing.
_CUT: Mapping[str, Outcome] = {"length": "fail", "repetition": "fail"}
Place = tuple[int, int]  # what a sample goes by: its group, and its number in it


class Judging:
    """Judges samples as verify steps do, several verdicts coming to one by `engine.standing`. False without verifiers.

    `problems` has the columns QUESTION. `bench` gives the verdicts, at once or later; equal answers to one problem are
    judged once.
    """

    def __init__(self, verifiers: Sequence[AnyVerifier], problems: pa.Table, bench: Bench) -> None:
        self._verifiers = verifiers
        self._bench = bench
        rows = problems.select(QUESTION).to_pylist() if verifiers else []
        self._questions = {row["id"]: (posed(row), fields_digest(row)) for row in rows}
        self._ready: list[tuple[Place, Outcome]] = []
        self._places: defaultdict[str, list[Place]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self._verifiers)

    @property
    def waits(self) -> bool:
        """Whether samples were handed in whose worth is not known yet."""
        return bool(self._places)

    def applies(self, problem: str) -> bool:
        """Whether any of the verifiers can say anything about responses to that problem."""
        return any(verifier.applies(self._questions[problem][0]) for verifier in self._verifiers)

    def hand_in(self, samples: Iterable[tuple[Place, Trace | Refusal]]) -> None:
        """Have these samples judged."""
        asked: dict[str, Question] = {}
        for place, sample in samples:
            outcome = _without_verdict(sample)
            if outcome is not None:
                self._ready.append((place, outcome))
            elif isinstance(sample, Trace):
                question = self._asked(sample)
                asked[question.generation_id] = question
                self._places[question.generation_id].append(place)
        self._bench.ask(list(asked.values()))

    def ready(self) -> list[tuple[Place, Outcome]]:
        """What is known of samples by now, each told once. Raises VerifierError when a verifier itself fails."""
        made = self._bench.made()
        found = _standing(made)
        told = self._ready + [
            (place, found.get(name, "unverifiable")) for name in made for place in self._places.pop(name, ())
        ]
        self._ready = []
        return told

    def outcomes(self, samples: Sequence[Trace | Refusal]) -> list[Outcome]:
        """One outcome a sample, when all are there. Raises as `ready`."""
        self.hand_in(((0, number), sample) for number, sample in enumerate(samples))
        found = dict(self.ready())
        while self.waits:
            time.sleep(_LOOK_EVERY)
            found |= dict(self.ready())
        return [found[0, number] for number in range(len(samples))]

    def close(self) -> None:
        """Nothing more will be asked: tidy up what was written for it."""
        self._bench.close()

    def _asked(self, trace: Trace) -> Question:
        question, fields = self._questions[trace.problem_id]
        answer = split(trace.reply.text).answer or ""
        return replace(question, generation_id=question_id(fields, answer), answer=answer)


def judging(policy: Policy, problems: pa.Table, resources: Resources, store: Store, near: str) -> Judging:
    """The judging of a policy: in this process, or by a verify task where the machine says so (`Resources.beside`).

    `near` is the shard's name in the sample store.
    """
    verifiers = policy.judged_by
    if not (resources.beside and verifiers):
        return Judging(verifiers, problems, Here(verifiers, resources))
    posed_here = problems.select(QUESTION)
    marks = sorted(fields_digest(row) for row in posed_here.to_pylist())
    shard = hashlib.sha256("\n".join([near, *marks]).encode()).hexdigest()[:24]
    return Judging(verifiers, problems, Beside(store, who(verifiers, resources), shard, posed_here, resources.away))


def _standing(made: Verdicts) -> dict[str, Outcome]:
    """What the verdicts on each question come to. One alone is what it says: a frame for each wave took most of the
    client's processor time.
    """
    alone: dict[str, Outcome] = {name: own[0].status for name, own in made.items() if len(own) == 1}
    verdicts = [verdict for own in made.values() if len(own) > 1 for verdict in own]
    if not verdicts:
        return alone
    columns = ("generation_id", "verifier", "status", "trust", "overrules")
    schema = {name: pl.List(pl.String) if name == "overrules" else pl.String for name in columns}
    rows = [[getattr(verdict, name) for name in columns] for verdict in verdicts]
    found = standing(pl.DataFrame(rows, schema=schema, orient="row"))
    return alone | dict(zip(found["generation_id"], found["status"], strict=True))


def _without_verdict(sample: Trace | Refusal) -> Outcome | None:
    """What a sample is worth that no verifier need see: one that was refused, or did not end by itself."""
    if isinstance(sample, Refusal):
        return "refused"
    reason = sample.reply.finish_reason
    return None if ending(reason) == "done" else _CUT.get(reason or "", "unverifiable")
