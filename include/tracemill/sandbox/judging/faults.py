"""Tells what is nobody's fault from what is the program's: a test that could not be run shows nothing.

The texts come from the run and the program may have written them: the worst it can do is to leave its row undecided.
"""

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tracemill.sandbox.base import JobVerdict, Status
from tracemill.sandbox.judging.script import NOT_RUN, undecided
from tracemill.sandbox.languages import Language
from tracemill.sandbox.suites import PytestSuite, TestSuite

MISSING = "missing_module"
REFUSED = "not_permitted"
BROKEN = "broken_tests"
SKIPPED = "skipped"
NO_TEST = "no_tests"

_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_NO_NAME = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined")
_NO_FILE = re.compile(r"FileNotFoundError: \[Errno 2\] No such file or directory: '(/[^']+)'")
_NO_FIXTURE = re.compile(r"fixture '(\w+)' not found")
_NO_PLUGIN = re.compile(r"async def functions are not natively supported|Unknown pytest\.mark|usefixtures")
_NO_DATA = re.compile(r"Please use the NLTK Downloader|\[E050\] Can't find model")  # nltk, spaCy
_DENIED = re.compile(
    r"Operation not permitted|PermissionError|BlockingIOError|can't start new thread|Read-only file system"
    r"|Too many open files|No space left on device|Network is unreachable|Name or service not known"
    r"|name resolution|gaierror|unsupported locale setting"
)
_DENIED_NATIVE = re.compile(r"[Oo]peration not permitted|\bEPERM\b|\bEROFS\b|\bENOSPC\b")
_EXCEPTION = re.compile(r"(?:[\w.]+\.)?(?:\w*Error|gaierror)\b")
_SCRATCH = ("/tmp/", "/dev/")
_REFUSALS = frozenset(("PermissionError", "BlockingIOError", "gaierror", "URLError"))
_ONLY_CRASHES = frozenset((Status.RUNTIME_ERROR.value, Status.ACCEPTED.value, NOT_RUN))


@dataclass(frozen=True)
class Fault:
    """Why a run shows nothing: one word, and a sentence."""

    cause: str
    reason: str


def fault_in(text: str, unknown: Collection[str] = ()) -> Fault | None:
    """Return what `text`, a printed exception, says is nobody's fault; `unknown`: what only tests name."""
    if (found := _NO_MODULE.search(text)) and found[1].split(".")[0] != "solution":
        return Fault(MISSING, f"the sandbox has no module {found[1]!r}")
    if (found := _NO_NAME.search(text)) and found[2] != "solution":
        return Fault(MISSING, f"the sandbox's module {found[2]!r} has no {found[1]!r}")
    if (found := _UNDEFINED.search(text)) and found[1] in unknown:
        return Fault(BROKEN, f"the tests use {found[1]!r}, which nothing defines")
    if (found := _NO_FILE.search(text)) and found[1] in unknown:
        return Fault(BROKEN, f"the tests read {found[1]!r}, which is not here")
    if found := _NO_FIXTURE.search(text):
        return Fault(BROKEN, f"the tests need a fixture {found[1]!r} that is not there")
    if found := _NO_DATA.search(text):
        return Fault(MISSING, f"the sandbox lacks data of a library: {found[0]}")
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
    """Return the names that tests use without defining them where it is said otherwise what the program defines.

    And the files that tests open where no program can write: nobody but the machine could have brought them.
    """
    if not isinstance(suite, PytestSuite):
        return frozenset()
    tree = ast.parse(suite.test_code)
    said = {n.strip() for n in (suite.entry_point or "").split(",") if n.strip()}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "solution":
            said |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            said |= {alias.name for alias in node.names if alias.name == "solution"}
    names = frozenset(borrowed) - said if said and "*" not in said else frozenset()
    return names | _opened_by(tree)


def _opened_by(tree: ast.Module) -> frozenset[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    first = [c.args[0] for c in calls if isinstance(c.func, ast.Name) and c.func.id == "open"]
    paths = [argument.value for argument in first if isinstance(argument, ast.Constant)]
    return frozenset(p for p in paths if isinstance(p, str) and p.startswith("/") and not p.startswith(_SCRATCH))


def with_fault(verdict: JobVerdict, language: Language) -> JobVerdict:
    """Return a failure for want of what the sandbox lacks or refuses as one that shows nothing; others as they are."""
    fault = _fault_of_native(verdict, language) if language.native else _fault_of_python(verdict)
    return undecided(verdict, fault.cause, fault.reason) if fault else verdict


def _fault_of_python(verdict: JobVerdict) -> Fault | None:
    if verdict.status is not Status.RUNTIME_ERROR:
        return None
    said = verdict.detail.get("stderr", "").strip()
    last = said.rpartition("\n")[2]
    raised = verdict.reason.rpartition("raised ")[2] if "raised " in verdict.reason else ""
    if "ModuleNotFoundError" in (raised, last.partition(":")[0]):
        missing = Fault(MISSING, "the sandbox lacks a module that the program imports")
        return fault_in(last) or (missing if raised else None)
    if not _ONLY_CRASHES.issuperset(verdict.detail.get("tests", ())):
        return None
    if raised in _REFUSALS:
        return Fault(REFUSED, f"the sandbox refused what was tried: {raised}")
    return fault_in(last) if _EXCEPTION.match(last) else fault_in(said) if _NO_DATA.search(said) else None


def _fault_of_native(verdict: JobVerdict, language: Language) -> Fault | None:
    """Return what a compiler or runtime says is not there, or that a crash came of what the sandbox refused."""
    said = verdict.detail.get("stderr", "")
    if verdict.status not in (Status.COMPILE_ERROR, Status.RUNTIME_ERROR):
        return None
    if language.lacking and (found := re.search(language.lacking, said, re.MULTILINE)):
        return Fault(MISSING, f"the sandbox lacks what the program builds on: {found[0].strip()[:200]}")
    crashed = verdict.status is Status.RUNTIME_ERROR and _ONLY_CRASHES.issuperset(verdict.detail.get("tests", ()))
    refused = _DENIED_NATIVE.search(said) if crashed else None
    return Fault(REFUSED, f"the sandbox refused what was tried: {refused[0]}") if refused else None
