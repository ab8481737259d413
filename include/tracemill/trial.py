"""Where a recipe is tried on a few rows: in a store of its own below the whole's, with the whole's paid answers.

ROOT/trials/rows-50/     the trial's shards, funnel and release: none of it is a shard or a version of the whole
ROOT/samples/            the answers of both: what the trial paid for the whole run finds, and the other way round
"""

from __future__ import annotations

import re
from dataclasses import replace

from tracemill.resources import Resources
from tracemill.serving.keys import SAMPLES

FOLDER = "trials"
_TRIAL = re.compile(rf"(.+)/{FOLDER}/rows-\d+")
_UP = "../.."  # from a trial's root to the whole's


def trial_root(root: str, rows: int | None) -> str:
    """The root of the trial on so many rows; the whole's own for None."""
    return root if rows is None else f"{root.rstrip('/')}/{FOLDER}/rows-{rows}"


def whole_of(root: str) -> str | None:
    """The whole's root, for a trial's: it must be made first, as nobody makes a store among other files."""
    found = _TRIAL.fullmatch(root.rstrip("/"))
    return found[1] if found else None


def with_shared_answers(resources: Resources, rows: int | None) -> Resources:
    """The machine of a trial: its paid answers lie where those of the whole do."""
    place = resources.environment.get(SAMPLES, "samples")
    if rows is None or "://" in place or place.startswith("/"):
        return resources
    return replace(resources, environment={**resources.environment, SAMPLES: f"{_UP}/{place}"})
