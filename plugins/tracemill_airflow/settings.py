"""What the environment says about every run: how long it may take, what a failure ends, and who is told.

    TRACEMILL_RUN_TIMEOUT    a run that takes longer fails: "36h", "90m", "2d"
    TRACEMILL_RUN_DEADLINE   a run that takes longer is reported, and goes on
    TRACEMILL_TASK_TIMEOUT   a task of a stage that works longer fails (serve tasks live as long as their stages)
    TRACEMILL_ON_FAILURE     "stop" (the default): a task that fails for good ends the run; "finish": other shards go on
    TRACEMILL_SERVE_AHEAD    model servers start so many stages before the one that asks them (0: when it asks)
    TRACEMILL_NOTIFY         Airflow connections that are told how runs end: "slack_team,mail_team"; empty: nobody

A value that cannot be read fails the first task of a run with its name, and not the parsing of a DAG file.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta

from tracemill.errors import RecipeError

RUN_TIMEOUT = "TRACEMILL_RUN_TIMEOUT"
RUN_DEADLINE = "TRACEMILL_RUN_DEADLINE"
TASK_TIMEOUT = "TRACEMILL_TASK_TIMEOUT"
ON_FAILURE = "TRACEMILL_ON_FAILURE"
NOTIFY = "TRACEMILL_NOTIFY"
AHEAD = "TRACEMILL_SERVE_AHEAD"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def span(name: str) -> timedelta | None:
    """The time that a variable gives, or None. Raises RecipeError with the variable's name for what is no time."""
    text = os.environ.get(name, "").strip()
    found = _SPAN.fullmatch(text)
    if found and float(found[1]) > 0:
        return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
    if text:
        raise RecipeError(f"the environment variable {name} is {text!r}: write a time such as 90m, 36h or 2d")
    return None


def span_or_none(name: str) -> timedelta | None:
    """The same for a DAG file: what cannot be read is none here, and `check` says so in the first task."""
    try:
        return span(name)
    except RecipeError:
        return None


def stops_on_failure() -> bool:
    """Whether a task that failed for good ends its run. Raises RecipeError for a word that is none of the two."""
    word = os.environ.get(ON_FAILURE, "stop").strip() or "stop"
    if word not in ("stop", "finish"):
        raise RecipeError(f"the environment variable {ON_FAILURE} is {word!r}: write stop or finish")
    return word == "stop"


def stages_ahead() -> int:
    """How many stages before the one that asks it a server starts. Raises RecipeError for what is no number."""
    text = os.environ.get(AHEAD, "0").strip() or "0"
    if not text.isdecimal():
        raise RecipeError(f"the environment variable {AHEAD} is {text!r}: write a number of stages, such as 3")
    return int(text)


def check() -> None:
    """Raise RecipeError with the first variable that cannot be read."""
    for name in (RUN_TIMEOUT, RUN_DEADLINE, TASK_TIMEOUT):
        span(name)
    stops_on_failure()
    stages_ahead()
