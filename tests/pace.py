"""Bounds on CPU time that hold on a slow or shared machine, and still tell a bounded work from an unbounded one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

_ATTEMPTS = 3
_UNIT = 1_000_000  # turns of a loop that an idle core of 3 GHz does in 0.04 s
_USUAL = 0.04


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what `work` returns; its fastest of three attempts needs at most `seconds` of this thread's CPU.

    The seconds are those of an idle core of 3 GHz. A core that shares its caches or its execution units with a busy
    neighbour counts more seconds for the same work, three times as many were seen: so each attempt is held against a
    fixed loop, run right before and right after it.
    """
    paces = []
    for _ in range(_ATTEMPTS):
        before = slowness()
        began = time.thread_time()
        result = work()
        taken = time.thread_time() - began
        paces.append(taken / max(before, slowness()))
        if paces[-1] <= seconds:
            return result
    raise AssertionError(f"{min(paces):.2f} s of CPU at the best of {_ATTEMPTS} attempts, where {seconds} are allowed")


def slowness() -> float:
    """How many seconds this core counts now for what takes an idle one of 3 GHz a second; at least 1."""
    began = time.thread_time()
    for _ in range(_UNIT):
        pass
    return max(time.thread_time() - began, _USUAL) / _USUAL
