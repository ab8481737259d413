"""The samples of one problem: which were sent, what they were worth, and how many of them count."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracemill.distill.policy import Outcome, Rule
from tracemill.distill.teacher import Assignment, Teacher


@dataclass
class Group:
    """The samples of one problem in one `mode` of its teacher: `most` may be sent, `sent` were, `counted` count.

    `rule` says so from their outcomes; where they are not `judged` all count.

    `counted` is None until the outcomes of samples 0, 1, ... decide it; they are looked at in this order alone.
    """

    assignment: Assignment
    teacher: Teacher
    rule: Rule
    most: int
    judged: bool
    mode: str | None = None
    sent: int = 0
    counted: int | None = None
    _outcomes: dict[int, Outcome] = field(default_factory=dict)
    _known: list[Outcome] = field(default_factory=list)

    def note(self, sample: int, outcome: Outcome) -> None:
        """Note what a sample was worth, and decide if that is enough."""
        self._outcomes[sample] = outcome
        while self.counted is None and len(self._known) in self._outcomes:
            self._known.append(self._outcomes[len(self._known)])
            is_last = len(self._known) == self.most or self._known[-1] == "refused"
            if is_last or self.rule.ends(self._known):
                self.counted = len(self._known)

    @property
    def outcomes(self) -> list[Outcome]:
        """What the samples that count were worth, in their order; nothing where they are not judged."""
        return self._known

    def wave(self) -> range:
        """The samples to send now: the next ones once all that were sent are known, and none when it is decided."""
        first = self.sent
        if self.counted is None and len(self._known) == first:
            self.sent = min(self.most, first + self.rule.wave(self._known))
        return range(first, self.sent)

    @property
    def rows(self) -> range:
        """The samples that count."""
        return range(self.most if self.counted is None else self.counted)
