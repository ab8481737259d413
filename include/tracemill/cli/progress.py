"""Shows how far a long count is, and when it will end: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_EVERY = 15.0  # seconds between lines where no terminal is


@contextmanager
def counted(what: str, total: int, console: Console) -> Iterator[Callable[[int], None]]:
    """Yields the function that hears how many more are done."""
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda more: bar.advance(task, more)
        return
    yield _Lines(what, total, console).add


class _Lines:
    def __init__(self, what: str, total: int, console: Console) -> None:
        self._what = what
        self._total = total
        self._console = console
        self._done = 0
        self._began = time.monotonic()
        self._said = self._began

    def add(self, more: int) -> None:
        self._done += more
        now = time.monotonic()
        if now - self._said < _EVERY or self._done >= self._total:
            return
        self._said = now
        left = (self._total - self._done) * (now - self._began) / self._done
        self._console.print(f"{self._what}: {self._done:,} of {self._total:,}, {left / 60:.0f} minutes left")
