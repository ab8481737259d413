"""Keeps every worker busy: one thread, one lane per worker, scripts of judgement advanced as events arrive."""

import logging
import selectors
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

from tracemill.sandbox.backends.slot import Slot, SlotLost
from tracemill.sandbox.base import Job, JobVerdict, Sandbox, SandboxError, SandboxSettings
from tracemill.sandbox.canaries import prove_isolation
from tracemill.sandbox.dispatch import refused
from tracemill.sandbox.judging.script import ProgramLost
from tracemill.sandbox.lanes import Lane, StartSlot, Tenant

_log = logging.getLogger(__name__)
_TICK_SECONDS = 1.0


class Pool:
    """A sandbox of `settings.workers` lanes over any backend; `grade` is its isolation in words."""

    def __init__(self, settings: SandboxSettings, start: StartSlot, grade: str) -> None:
        self._settings = settings
        self._grade = grade
        self._selector = selectors.DefaultSelector()
        self._lanes = [Lane(start, self._selector, settings) for _ in range(settings.workers)]
        self._judging = False

    @property
    def isolation(self) -> str:
        """The grade of isolation, as written into every verdict."""
        return self._grade

    def adopt(self, slot: Slot) -> None:
        """Use a slot that is already started as the first lane's."""
        self._lanes[0].adopt(slot, "solution")

    def judge(self, jobs: Iterable[Job]) -> Iterator[JobVerdict]:
        """Yield one verdict per job as they come; see Sandbox.judge."""
        if self._judging:
            raise SandboxError("this sandbox is judging already; open another one")
        self._judging = True
        try:
            for verdict in self._judge(iter(jobs)):
                yield verdict.model_copy(update={"isolation": self._grade})
        finally:
            self._judging = False
            for lane in self._lanes:
                if lane.job is not None:
                    lane.abandon()

    def _judge(self, jobs: Iterator[Job]) -> Iterator[JobVerdict]:
        more = True
        while True:
            for lane in self._lanes:
                while more and lane.job is None:
                    job = next(jobs, None)
                    if job is None:
                        more = False
                        break
                    verdict = refused(job) or self._begin(lane, job)
                    if verdict is not None:
                        yield verdict
            if all(lane.job is None for lane in self._lanes):
                return
            yield from self._turn()

    def _begin(self, lane: Lane, job: Job) -> JobVerdict | None:
        try:
            return lane.begin(job)
        except (SlotLost, ProgramLost) as error:
            return self._again(lane, error)

    def _turn(self) -> Iterator[JobVerdict]:
        for key, _ in self._selector.select(_TICK_SECONDS):
            lane, tenant = key.data
            if lane.tenants.get(tenant.role) is tenant:
                yield from self._hear(lane, tenant)
        now = time.monotonic()
        for lane in self._lanes:
            if lane.deadline < now:
                verdict = self._again(lane, SlotLost("a worker did not answer in time"))
                if verdict is not None:
                    yield verdict

    def _hear(self, lane: Lane, tenant: Tenant) -> Iterator[JobVerdict]:
        try:
            for event in tenant.events():
                if lane.job is None:
                    continue
                verdict = lane.advance(event)
                if verdict is not None:
                    yield verdict
        except (SlotLost, ProgramLost) as error:
            if lane.job is None:
                lane.drop(tenant.role)
                return
            verdict = self._again(lane, error)
            if verdict is not None:
                yield verdict

    def _again(self, lane: Lane, error: Exception) -> JobVerdict | None:
        job = lane.after_a_loss(error)
        _log.warning("sandbox: job %s goes to a fresh worker: %s", job.id, error)
        return self._begin(lane, job)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in self._lanes:
            lane.drop_all()
        self._selector.close()


def open_sandbox(settings: SandboxSettings) -> Sandbox:
    """Start a sandbox of the kind that `settings` name and prove its isolation; raises SandboxUnavailable."""
    start, grade = _backend(settings)
    first = start("solution")
    pool = Pool(settings, start, grade(first))
    pool.adopt(first)
    try:
        prove_isolation(pool)
    except BaseException:
        pool.__exit__(None, None, None)
        raise
    return pool


def _backend(settings: SandboxSettings) -> tuple[StartSlot, Callable[[Slot], str]]:
    if settings.kind == "docker":
        from tracemill.sandbox.backends.docker import ContainerSlot, docker_client, grade

        client = docker_client(settings)
        return lambda role: ContainerSlot(client, settings, role), grade
    from tracemill.sandbox.backends.namespace import NamespaceSlot, isolation

    return lambda role: NamespaceSlot(settings, role), isolation
