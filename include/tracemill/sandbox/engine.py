"""Keeps every worker busy: one thread, one lane per worker, scripts of judgement advanced as events arrive."""

import logging
import selectors
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from .base import Job, JobVerdict, Sandbox, SandboxError, SandboxSettings
from .canaries import prove_isolation
from .judging import refused, script_for
from .scripts import Event, Order, ProgramLost, Script
from .slots import Slot, SlotLost

_log = logging.getLogger(__name__)
_ATTEMPTS = 2
_TICK_SECONDS = 1.0

StartSlot = Callable[[str], Slot]


class _Tenant:
    """A slot and the program it was given last; what a slot still says about an earlier one is not heard."""

    def __init__(self, slot: Slot, role: str) -> None:
        self.slot, self.role = slot, role
        self.open, self.served = False, 0
        self.ooms = slot.oom_kills() or 0

    def give(self, order: Order) -> None:
        if order.message["order"] == "open":
            self.open = True
            self.served += 1
            order.message["number"] = self.served
        self.slot.send(order.message, order.blob)

    def close(self) -> None:
        if self.open:
            self.slot.send({"order": "close"})
            self.open = False

    def events(self) -> Iterator[Event]:
        """Yield what concerns the open program; raises SlotLost."""
        for message, blob in self.slot.read():
            if not self.open or message.get("number", self.served) != self.served:
                continue
            self._count_oom(message)
            message["role"] = self.role
            yield message, blob

    def _count_oom(self, message: dict[str, Any]) -> None:
        if message.get("event") == "ran" and message.get("exit") == -9:
            kills = self.slot.oom_kills()
            if kills is not None:
                message["oom"], self.ooms = kills > self.ooms, kills


class _Lane:
    """One worker's place: the job in hand, its script, and slots by role, started when first needed."""

    def __init__(self, start: StartSlot, selector: selectors.BaseSelector, settings: SandboxSettings) -> None:
        self._start, self._selector, self._settings = start, selector, settings
        self.tenants: dict[str, _Tenant] = {}
        self.job: Job | None = None
        self._script: Script | None = None
        self.attempt = 0
        self.deadline = float("inf")

    def tenant(self, role: str) -> _Tenant:
        if role not in self.tenants:
            tenant = _Tenant(self._start(role), role)
            self.tenants[role] = tenant
            self._selector.register(tenant.slot, selectors.EVENT_READ, (self, tenant))
        return self.tenants[role]

    def drop(self, role: str) -> None:
        tenant = self.tenants.pop(role, None)
        if tenant is not None:
            self._selector.unregister(tenant.slot)
            tenant.slot.stop()

    def drop_all(self) -> None:
        for role in list(self.tenants):
            self.drop(role)

    def begin(self, job: Job) -> JobVerdict | None:
        self.job, self.attempt = job, self.attempt + 1
        self._script = script_for(job, job.limits or self._settings.limits)
        return self.advance(None)

    def advance(self, event: Event | None) -> JobVerdict | None:
        """Send `event` to the script and its next order to the slot; return the verdict when there is one."""
        assert self._script is not None
        try:
            order = self._script.send(event)  # type: ignore[arg-type]
        except StopIteration as stop:
            self._finish()
            verdict: JobVerdict = stop.value
            return verdict
        if order is not None and order.message["order"] == "close":
            self.tenant(order.role).close()
            return self.advance(({"event": "closed"}, b""))
        if order is not None:
            self.deadline = time.monotonic() + order.seconds
            self.tenant(order.role).give(order)
        return None

    def _finish(self) -> None:
        self.job, self._script, self.attempt, self.deadline = None, None, 0, float("inf")
        for role, tenant in list(self.tenants.items()):
            try:
                tenant.close()
            except SlotLost:
                self.drop(role)
                continue
            if tenant.served >= self._settings.recycle:
                self.drop(role)


class Pool:
    """A sandbox of `settings.workers` lanes over any backend; `grade` is its isolation in words."""

    def __init__(self, settings: SandboxSettings, start: StartSlot, grade: str) -> None:
        self._settings, self._grade = settings, grade
        self._selector = selectors.DefaultSelector()
        self._lanes = [_Lane(start, self._selector, settings) for _ in range(settings.workers)]
        self._judging = False

    @property
    def isolation(self) -> str:
        """The grade of isolation, as written into every verdict."""
        return self._grade

    def adopt(self, slot: Slot) -> None:
        """Use a slot that is already started as the first lane's."""
        lane = self._lanes[0]
        lane.tenants["solution"] = tenant = _Tenant(slot, "solution")
        self._selector.register(slot, selectors.EVENT_READ, (lane, tenant))

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
                    lane.drop_all()
                    lane._finish()

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

    def _begin(self, lane: _Lane, job: Job) -> JobVerdict | None:
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

    def _hear(self, lane: _Lane, tenant: _Tenant) -> Iterator[JobVerdict]:
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

    def _again(self, lane: _Lane, error: Exception) -> JobVerdict | None:
        """Give the job to fresh slots, once; then raise SandboxError."""
        job, attempt = lane.job, lane.attempt
        lane.drop_all()
        assert job is not None
        if attempt >= _ATTEMPTS:
            raise SandboxError(f"the sandbox failed twice on job {job.id}: {error}") from error
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
        from .containers import ContainerSlot, docker_client, grade

        client = docker_client(settings)
        return lambda role: ContainerSlot(client, settings, role), grade
    from .namespace import NamespaceSlot, isolation

    return lambda role: NamespaceSlot(settings, role), isolation
