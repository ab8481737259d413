"""Rules for the result of one call, applied outside the sandbox to plain values only."""

from collections.abc import Callable, Sequence
from typing import Any

from tracemill.sandbox.judging.calls import Accept
from tracemill.sandbox.judging.results import OVERSIZE
from tracemill.sandbox.worker.codec import Opaque

Judge = Callable[[Any], Any]


class OpaqueValue(Exception):
    """A result has no plain form, so only the program itself could compare it: the suite must be run, not lowered."""


def holds_opaque(value: Any) -> bool:
    """Return whether a rebuilt value holds something that could not leave the program."""
    if isinstance(value, Opaque):
        return True
    if isinstance(value, dict):
        return any(holds_opaque(item) for pair in value.items() for item in pair)
    return isinstance(value, (list, tuple, set, frozenset)) and any(map(holds_opaque, value))


def ended_well(word: str, value: Any) -> bool:
    """The rule that a call returned, whatever its value."""
    return word in ("ok", OVERSIZE)


def accept_by(judge: Judge) -> Accept:
    """Return the rule that a call ended well and `judge` finds its plain value right."""

    def accept(word: str, value: Any) -> bool:
        if word == OVERSIZE:
            raise OpaqueValue  # too large to be compared here: the tests are run beside the program instead
        if word != "ok":
            return False
        if holds_opaque(value):
            raise OpaqueValue
        try:
            return bool(judge(value))
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError):
            return False

    return accept


def raises(names: Sequence[str]) -> Accept:
    """Return the rule that a call raised one of `names`, or a subclass of it."""
    return lambda word, value: word == "raised" and isinstance(value, list) and any(name in names for name in value)
