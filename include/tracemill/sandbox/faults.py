"""Tells what is nobody's fault from what is the program's: a test that could not be run shows nothing.

The texts come from the run and the program may have written them: the worst it can do is to leave its row undecided.
"""

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .base import JobVerdict, Status
from .scripts import undecided
from .suites import PytestSuite, TestSuite

MISSING, REFUSED, BROKEN, SKIPPED, NO_TEST = "missing_module", "not_permitted", "broken_tests", "skipped", "no_tests"

_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_NO_NAME = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined")
_NO_FIXTURE = re.compile(r"fixture '(\w+)' not found")
_NO_PLUGIN = re.compile(r"async def functions are not natively supported|Unknown pytest\.mark|usefixtures")
_DENIED = re.compile(
    r"Operation not permitted|PermissionError|BlockingIOError|can't start new thread|Read-only file system"
    r"|No space left on device|Network is unreachable|Name or service not known|name resolution|gaierror"
)


@dataclass(frozen=True)
class Fault:
    """Why a run shows nothing: one word, and a sentence."""

    cause: str
    reason: str


def fault_in(text: str, unknown: Collection[str] = ()) -> Fault | None:
    """Return what `text` (an exception as printed) says is nobody's fault; `unknown`: names that only tests use."""
    if (found := _NO_MODULE.search(text)) and found[1].split(".")[0] != "solution":
        return Fault(MISSING, f"the sandbox has no module {found[1]!r}")
    if (found := _NO_NAME.search(text)) and found[2] != "solution":
        return Fault(MISSING, f"the sandbox's module {found[2]!r} has no {found[1]!r}")
    if (found := _UNDEFINED.search(text)) and found[1] in unknown:
        return Fault(BROKEN, f"the tests use {found[1]!r}, which nothing defines")
    if found := _NO_FIXTURE.search(text):
        return Fault(BROKEN, f"the tests need a fixture {found[1]!r} that is not there")
    if _NO_PLUGIN.search(text):
        return Fault(MISSING, "the tests need a plugin of pytest that the sandbox does not have")
    return (
        Fault(REFUSED, f"the sandbox refused what was tried: {text.strip()[-120:]}") if _DENIED.search(text) else None
    )


def common_fault(texts: Iterable[str], unknown: Collection[str] = ()) -> Fault | None:
    """Return the first fault when every text has one; a single failure without makes them the program's."""
    faults = [fault_in(text, unknown) for text in texts]
    return faults[0] if faults and None not in faults else None


def unknown_names(suite: TestSuite, borrowed: Collection[str]) -> frozenset[str]:
    """Return the names that tests use without defining them where it is said otherwise what the program defines."""
    if not isinstance(suite, PytestSuite):
        return frozenset()
    tree = ast.parse(suite.test_code)
    said = {n.strip() for n in (suite.entry_point or "").split(",") if n.strip()}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "solution":
            said |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            said |= {alias.name for alias in node.names if alias.name == "solution"}
    return frozenset(borrowed) - said if said and "*" not in said else frozenset()


def with_fault(verdict: JobVerdict) -> JobVerdict:
    """Return a failure for want of a module as one that shows nothing; every other verdict as it is."""
    if verdict.status is not Status.RUNTIME_ERROR:
        return verdict
    last = verdict.detail.get("stderr", "").strip().rpartition("\n")[2]
    fault = fault_in(last) if "ModuleNotFoundError" in last else None
    if fault is None and verdict.reason.endswith("raised ModuleNotFoundError"):
        fault = Fault(MISSING, "the sandbox lacks a module that the program imports")
    return undecided(verdict, fault.cause, fault.reason) if fault else verdict
