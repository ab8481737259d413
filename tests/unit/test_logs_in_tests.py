"""What a test does to Python's logging is no other's: a warning was looked for that one two files before silenced."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

ROOT = logging.getLogger()


@pytest.mark.parametrize(
    "silence",
    [
        pytest.param(lambda: ROOT.setLevel(logging.ERROR), id="as Celery's worker for tests does"),
        pytest.param(lambda: logging.disable(logging.CRITICAL), id="as Airflow's commands do"),
        pytest.param(ROOT.handlers.clear, id="as our command line does"),
        pytest.param(lambda: None, id="the test behind them"),
    ],
)
def test_a_warning_is_seen_whatever_the_test_before_did(
    silence: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("tracemill.some.module").warning("seen")
    assert "seen" in caplog.text
    silence()
