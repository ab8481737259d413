"""Has questions judged by a verify task that runs beside this one, through the store; see `verify.parts`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

import pyarrow as pa

from tracemill.engine.keys import remove
from tracemill.engine.objects import ObjectStore
from tracemill.errors import VerdictsGone, VerifierError
from tracemill.models.lease import live_leases, want, word_left
from tracemill.verify import parts
from tracemill.verify.bench import Verdicts
from tracemill.verify.parts import Part, Parts
from tracemill.verify.verifier import Question

PATIENCE = 300.0  # seconds that a task waits for a verify task where nothing else is said
STANDSTILL = 900.0  # seconds without a verdict after which one that lives counts as broken: ten programs at their limit
LOOK_EVERY = 5.0  # seconds between two looks at whether it lives ...
LIST_EVERY = 0.25  # ... and for verdicts, however often these are asked for; questions are written as often


class Beside:
    """The questions of one shard, handed to whoever verifies beside it, and the verdicts that came.

    `bench`: which verifiers; `near`: which shard; `problems`: its problems with all columns that a verifier reads.
    What an earlier try had asked or was told is gone on with. Raises VerdictsGone when no verify task lives for
    `patience` seconds, VerifierError when one lives and gives no verdict for STANDSTILL seconds.
    """

    def __init__(
        self, store: ObjectStore, bench: str, near: str, problems: pa.Table, patience: float | None = None
    ) -> None:
        self._store = store
        self._bench = bench
        self._near = near
        self._patience = PATIENCE if patience is None else patience
        self._open: dict[Part, dict[str, Question]] = {}
        self._known: Verdicts = {}  # all that were ever told
        self._fresh: set[str] = set()  # asked for and not given yet
        self._unsent: dict[str, Question] = {}
        self._began = time.time()
        self._heard = time.monotonic()  # when a verdict came, or somebody lived who could give one
        self._moved = time.monotonic()  # when a verdict came, or nothing was open
        self._looked = 0.0
        self._listed = 0.0
        self._problems = problems
        self._pose()
        self._take_up()

    @property
    def waits(self) -> bool:
        """Whether verdicts are still to come."""
        return bool(self._fresh)

    def ask(self, questions: Sequence[Question]) -> None:
        """Have these judged; they go out with what else is asked within a moment."""
        asked = {question.generation_id: question for question in questions}
        self._fresh |= asked.keys()
        self._unsent |= asked

    def made(self) -> Verdicts:
        """The verdicts that came since. Raises VerdictsGone and VerifierError as the class says."""
        if time.monotonic() - self._listed > LIST_EVERY:
            self._send()
            if self._fresh - self._known.keys():
                self._look()
            self._listed = time.monotonic()
        given = {name: self._known[name] for name in self._fresh & self._known.keys()}
        self._fresh -= given.keys()
        return given

    def close(self) -> None:
        """Keep the verdicts in one place, for a try after this one, and remove the parts."""
        self._recall()
        if self._known:
            key = parts.kept_key(self._bench, self._near)
            self._store.write_bytes(key, parts.encoded(parts.verdict_rows(self._known)))
        parts.clear(self._store, Parts.below(self._store, self._bench, self._near))
        remove(self._store, parts.problems_key(self._bench, self._near))

    def _send(self) -> None:
        """Write what nobody asked before as one part."""
        flying = {name for part in self._open.values() for name in part}
        new = {name: one for name, one in self._unsent.items() if name not in self._known and name not in flying}
        self._unsent = {}
        if new:
            if not self._open:
                self._moved = self._heard = time.monotonic()
            part = Part(self._bench, self._near, uuid.uuid4().hex)
            self._store.write_bytes(part.asked, parts.encoded(parts.asked_rows(new.values())))
            self._open[part] = new

    def _pose(self) -> None:
        """Write the problems, unless they are there."""
        key = parts.problems_key(self._bench, self._near)
        if self._store.size(key) is None:
            self._store.write_bytes(key, parts.encoded(self._problems))

    def _take_up(self) -> None:
        """Go on with what an earlier try left."""
        self._recall()
        there = Parts.below(self._store, self._bench, self._near)
        for part in there.judged:
            self._hear(part)
        for part in there.open:
            try:
                rows = parts.stored(self._store, part.asked)
            except FileNotFoundError:
                continue  # another copy of this task just ended
            self._open[part] = {row["id"]: _question(row) for row in rows.to_pylist()}

    def _recall(self) -> None:
        """What a copy of this task kept when it ended; of two verdicts that was the first."""
        try:
            kept = parts.stored(self._store, parts.kept_key(self._bench, self._near))
        except FileNotFoundError:
            return
        self._known |= parts.verdicts_of(kept)

    def _hear(self, part: Part) -> None:
        try:
            told = parts.verdicts_of(parts.stored(self._store, part.verdicts))
        except FileNotFoundError:
            return  # another copy of this task just ended, and kept it
        for name, verdicts in told.items():
            self._known.setdefault(name, verdicts)
        self._open.pop(part, None)

    def _look(self) -> None:
        """Take the verdicts that came, and see whether more can."""
        there = Parts.below(self._store, self._bench, self._near)
        came = self._open.keys() & there.judged
        for part in came:
            self._hear(part)
        now = time.monotonic()
        if came:
            self._moved = self._heard = now
        elif now - self._looked > min(LOOK_EVERY, self._patience / 2):
            self._looked = now
            self._pose()
            self._ask_again([part for part in self._open if part not in there.asked])
            self._require_life(now)

    def _ask_again(self, lost: Sequence[Part]) -> None:
        """Questions whose part is gone: another copy of this task ended, and removed it."""
        if lost:
            self._recall()
            questions = [question for part in lost for question in self._open.pop(part).values()]
            self.ask([one for one in questions if one.generation_id in self._fresh])

    def _require_life(self, now: float) -> None:
        name = parts.lease_name(self._bench)
        if live_leases(self._store, name, self._bench):
            self._heard = now
        else:
            want(self._store, name)
        if now - self._heard > self._patience:
            word = word_left(self._store, name, self._began)
            why = f"; the last one ended with {word.error}: {word.text}" if word else ""
            raise VerdictsGone(
                f"no verify task gives the verdicts that a sampling policy waits for, for {self._patience:.0f} s{why}. "
                "Look at the task `beside` of the run; what was answered and judged is kept"
            )
        if now - self._moved > STANDSTILL:
            raise VerifierError(
                f"the verify task of a sampling policy lives and gave no verdict for {STANDSTILL:.0f} s: look at its "
                "log, and clear both tasks; what was answered and judged is kept"
            )


def _question(row: dict[str, str]) -> Question:
    """A question as far as it need be told again."""
    return Question(row["id"], row["problem_id"], "", None, None, None, row["answer"])
