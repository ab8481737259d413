"""One worker's place in the pool: the job in hand, its script of judgement, and the slots that play its roles."""

import selectors
import time
from collections.abc import Callable, Iterator
from typing import Any

from tracemill.sandbox.backends.slot import Slot, SlotLost
from tracemill.sandbox.base import Job, JobVerdict, SandboxError, SandboxSettings, Status, SuiteError
from tracemill.sandbox.canaries import canary
from tracemill.sandbox.dispatch import script_for, test_count
from tracemill.sandbox.judging.script import Event, Order, Script, refusal, taken_down, undecided
from tracemill.sandbox.worker.frames import FrameError

_ATTEMPTS = 2

StartSlot = Callable[[str], Slot]


class Tenant:
    """A slot and the program it was given last; what a slot still says about an earlier one is not heard."""

    def __init__(self, slot: Slot, role: str) -> None:
        self.slot = slot
        self.role = role
        self.open = False
        self.served = 0
        self.ooms = slot.oom_kills() or 0

    def give(self, order: Order) -> None:
        """Send one order; raises SlotLost, or SuiteError when it cannot be sent to any slot."""
        if order.message["order"] == "open":
            self.open = True
            self.served += 1
            order.message["number"] = self.served
        try:
            self.slot.send(order.message, order.blob)
        except FrameError as error:
            raise SuiteError(f"a test is larger than a worker can take: {error}") from None

    def close(self) -> None:
        """Tell the worker that its program is done with; raises SlotLost."""
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
                message["oom"] = bool(message.get("oom")) or kills > self.ooms
                self.ooms = kills


class Lane:
    """One worker's place: the job in hand, its script, and slots by role, started when first needed."""

    def __init__(self, start: StartSlot, selector: selectors.BaseSelector, settings: SandboxSettings) -> None:
        self._start = start
        self._selector = selector
        self._settings = settings
        self.tenants: dict[str, Tenant] = {}
        self.job: Job | None = None
        self._script: Script | None = None
        self._attempt = 0
        self._suspect: Job | None = None  # lost two slots; a canary is running to tell whose fault that is
        self.deadline = float("inf")

    def tenant(self, role: str) -> Tenant:
        """Return the slot that plays `role`."""
        if role not in self.tenants:
            tenant = Tenant(self._start(role), role)
            self.tenants[role] = tenant
            self._selector.register(tenant.slot, selectors.EVENT_READ, (self, tenant))
        return self.tenants[role]

    def adopt(self, slot: Slot, role: str) -> None:
        """Take a slot that is started already."""
        self.tenants[role] = tenant = Tenant(slot, role)
        self._selector.register(slot, selectors.EVENT_READ, (self, tenant))

    def drop(self, role: str) -> None:
        """End the slot that plays `role`."""
        tenant = self.tenants.pop(role, None)
        if tenant is not None:
            self._selector.unregister(tenant.slot)
            tenant.slot.stop()

    def drop_all(self) -> None:
        """End every slot."""
        for role in list(self.tenants):
            self.drop(role)

    def begin(self, job: Job) -> JobVerdict | None:
        """Start judging `job`; returns its verdict if that needs no slot. Raises SlotLost."""
        self.job = job
        self._attempt = self._attempt + 1
        try:
            self._script = script_for(job, job.limits or self._settings.limits)
        except SuiteError as error:
            return self._conclude(self._unused(error))
        return self.advance(None)

    def after_a_loss(self, error: Exception) -> Job:
        """Return what fresh slots are to be given: the job once more, then the canary. Raises SandboxError at last."""
        self.drop_all()
        assert self.job is not None
        if self._suspect is not None:
            raise SandboxError(
                f"the sandbox failed twice on job {self._suspect.id}, then on a harmless program: {error}"
            )
        if self._attempt < _ATTEMPTS:
            return self.job
        self._suspect = self.job
        return canary()

    def advance(self, event: Event | None) -> JobVerdict | None:
        """Send `event` to the script and its next order to the slot; return the verdict when there is one."""
        assert self._script is not None
        try:
            order = self._script.send(event)  # type: ignore[arg-type]
            if order is not None and order.message["order"] != "close":
                self.deadline = time.monotonic() + order.seconds
                self.tenant(order.role).give(order)
        except StopIteration as stop:
            return self._conclude(stop.value)
        except SuiteError as error:  # the tests turn out to be unusable when they are used
            return self._conclude(self._unused(error))
        if order is not None and order.message["order"] == "close":
            self.tenant(order.role).close()
            return self.advance(({"event": "closed"}, b""))
        return None

    def _unused(self, error: SuiteError) -> JobVerdict:
        """Return the verdict that the job's tests, or its language, are of no use here."""
        assert self.job is not None
        nothing = refusal(self.job, test_count(self.job.suite), Status.UNVERIFIABLE, "")
        return undecided(nothing, error.cause, str(error))

    def _conclude(self, verdict: JobVerdict) -> JobVerdict:
        suspect = self._suspect
        self._finish()
        if suspect is None:
            return verdict
        if verdict.status is not Status.ACCEPTED:
            raise SandboxError(
                f"the sandbox failed twice on job {suspect.id}, and its canary is {verdict.status.value}"
            )
        return taken_down(suspect, test_count(suspect.suite), _ATTEMPTS)

    def _finish(self) -> None:
        self.job = None
        self._script = None
        self._suspect = None
        self._attempt = 0
        self.deadline = float("inf")
        for role, tenant in list(self.tenants.items()):
            try:
                tenant.close()
            except SlotLost:
                self.drop(role)
                continue
            if tenant.served >= self._settings.recycle:
                self.drop(role)

    def abandon(self) -> None:
        """Give up the job in hand, and its slots with it."""
        self.drop_all()
        self._finish()
