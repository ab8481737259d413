"""Holds each test of `make test-quick` to what quick means: a plugin, for `pytest -p tests.quick`.

A test that takes longer, listens on a port or loads Airflow fails with the mark that it lacks. So the target stays
quick while tests are added, and what the others do is written where they stand.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Generator
from typing import Any

import pytest

from tests.pace import slowness

SECONDS = 2.0  # of CPU on an idle core of 3 GHz: the test, its fixtures and the processes that it started
_FOREIGN = ("airflow", "vllm")
_seen: set[str] = set()


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.bind" and isinstance(arguments[1], tuple):
        _seen.add("listens on a port: mark it `server`")
    elif event == "import" and arguments[0] in _FOREIGN:
        _seen.add(f"loads {arguments[0]}: its place is not tests/unit")


sys.addaudithook(_watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Measure from the first fixture to the end of the last one."""
    item.stash[_BEGAN] = _cpu()
    _seen.clear()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test that passed and was not quick."""
    yield
    taken = _cpu() - item.stash[_BEGAN]
    if taken > SECONDS and (taken := taken / slowness()) > SECONDS:
        _seen.add(f"takes {taken:.1f} s of CPU where {SECONDS:.0f} are quick: mark it `slow`, or make it shorter")
    if _seen:
        pytest.fail(f"not a quick test: {'; '.join(sorted(_seen))}", pytrace=False)


def pytest_collection_finish() -> None:
    """Refuse a run whose test files load Airflow by being imported."""
    if loaded := sorted(set(_FOREIGN) & set(sys.modules)):
        raise pytest.UsageError(f"a test below tests/unit loads {', '.join(loaded)} when it is collected")


_BEGAN = pytest.StashKey[float]()


def _cpu() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime
