"""Decides which samples of a shard's problems are asked for, from what those before them were worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tracemill.distill.groups import Group
from tracemill.distill.judging import Judging
from tracemill.distill.policies import Fixed
from tracemill.distill.policy import Outcome, Ruling
from tracemill.distill.teacher import Assignment, Teacher
from tracemill.distill.traces import Trace, joined
from tracemill.models.answers import Answers, Next, Tag
from tracemill.models.request import Ask, Refusal, Reply

_FIXED = Fixed()
_FIRST = 0  # the part of a trace that is asked for first ...
_REST = 1  # ... and its continuation
_Place = tuple[int, int]  # a group and a sample of it


class Sampler:
    """The course of a shard's samples. A tag is a group's number, a sample's, and which part of its trace it is.

    A problem that none of the policy's verifiers can judge has as many samples as the teacher says.
    """

    def __init__(self, teacher: Teacher, assignments: Sequence[Assignment], judging: Judging, ruling: Ruling) -> None:
        self._judging = judging
        self._ruling = ruling
        ways = teacher.ways()
        self._groups = [self._group(one, way, mode) for one in assignments for mode, way in ways]
        self._listens = bool(judging) or teacher.continue_to is not None

    def _group(self, one: Assignment, teacher: Teacher, mode: str | None) -> Group:
        if not self._judging.applies(one.problem_id):
            return Group(one, teacher, _FIXED, teacher.samples, judged=False, mode=mode)
        rule = self._ruling.rule(one.category, one.difficulty, mode)
        return Group(one, teacher, rule, teacher.most, judged=True, mode=mode)

    @property
    def waits(self) -> bool:
        """Whether verdicts are still to come."""
        return self._judging.waits

    def begin(self) -> Mapping[Tag, Ask]:
        """The first wave of every problem."""
        return {tag: ask for group in range(len(self._groups)) for tag, ask in self._wave(group)}

    def ahead(self) -> Mapping[Tag, Ask]:
        """The samples that later waves may ask for."""
        places = [(g, n) for g, group in enumerate(self._groups) for n in range(group.sent, group.most)]
        return {(*place, _FIRST): self._ask(place) for place in places}

    def told(self, tags: Sequence[Tag], answers: Answers) -> Next:
        """The continuations of cut traces, and the next waves of problems that are undecided by the verdicts so far."""
        if not self._listens:
            return Next()
        asks: dict[Tag, Ask] = {}
        whole: list[_Place] = []
        for group, sample, part in filter(answers.knows, tags):
            further = None if part else self._further((group, sample), answers)
            if further is None:
                whole.append((group, sample))
            else:
                asks[(group, sample, _REST)] = further
        moved = self._note(whole, answers)
        asks |= {tag: ask for group in moved for tag, ask in self._wave(group)}
        return Next(asks, self._surplus(moved))

    def traces(self, answers: Answers) -> Iterator[tuple[Assignment, Trace | Refusal]]:
        """What came of each sample that counts, in order; its answer is forgotten then."""
        for number, group in enumerate(self._groups):
            for sample in group.rows:
                yield group.assignment, self._trace((number, sample), answers)
                answers.drop([(number, sample, _FIRST), (number, sample, _REST)])

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        """What each judged sample that counts was worth, by its problem."""
        for group in self._groups:
            yield from ((group.assignment.problem_id, outcome) for outcome in group.outcomes)

    def _wave(self, group: int) -> list[tuple[Tag, Ask]]:
        return [((group, sample, _FIRST), self._ask((group, sample))) for sample in self._groups[group].wave()]

    def _ask(self, place: _Place) -> Ask:
        group = self._groups[place[0]]
        return group.teacher.ask(group.assignment, place[1])

    def _further(self, place: _Place, answers: Answers) -> Ask | None:
        """The ask that continues a cut trace; None when it is whole or stays cut."""
        answer = answers.look((*place, _FIRST))
        further = self._groups[place[0]].teacher.go_on(self._ask(place), answer) if isinstance(answer, Reply) else None
        if further is not None:
            answers.forget_tokens((*place, _FIRST))
        return further

    def _trace(self, place: _Place, answers: Answers) -> Trace | Refusal:
        group = self._groups[place[0]]
        begun = answers.look((*place, _FIRST))
        if isinstance(begun, Refusal):
            return begun
        reply = replace(begun, text=group.teacher.whole(begun.text), token_ids=None)
        trace = Trace(group.assignment.problem_id, place[1], reply, group.mode)
        return joined(trace, answers.look((*place, _REST))) if answers.knows((*place, _REST)) else trace

    def _note(self, places: Sequence[_Place], answers: Answers) -> list[int]:
        """Have whole samples judged, where their policy asks for it; returns the groups of which more is known now."""
        judged = [place for place in places if self._groups[place[0]].judged]
        self._judging.hand_in((place, self._trace(place, answers)) for place in judged)
        ready = self._judging.ready()
        for (group, sample), outcome in ready:
            self._groups[group].note(sample, outcome)
        return sorted({group for (group, _), _ in ready})

    def _surplus(self, groups: Sequence[int]) -> list[Tag]:
        """The samples of decided problems that do not count."""
        decided = [(number, self._groups[number]) for number in groups if self._groups[number].counted is not None]
        samples = [(number, sample) for number, group in decided for sample in range(group.rows.stop, group.most)]
        return [(*place, part) for place in samples for part in (_FIRST, _REST)]
