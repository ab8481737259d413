"""A step that takes long is heard of where no bar shows it, and never after its end."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from tracemill.local.run import at_work


@pytest.mark.parametrize(("is_terminal", "is_heard"), [(False, True), (True, False)], ids=["a log", "a terminal"])
def test_a_step_at_work_is_heard_of_until_it_ends(is_terminal: bool, is_heard: bool) -> None:
    written = io.StringIO()
    with at_work(Console(file=written, force_terminal=is_terminal), "sign", every=0.01):
        time.sleep(0.2)
    said = written.getvalue()
    assert ("sign: at work for 0 s" in said) is is_heard
    time.sleep(0.05)
    assert written.getvalue() == said


def test_a_step_that_fails_is_silent_too() -> None:
    written = io.StringIO()
    with pytest.raises(ValueError, match="no"), at_work(Console(file=written), "sign", every=0.01):
        raise ValueError("no")
    said = written.getvalue()
    time.sleep(0.05)
    assert written.getvalue() == said
