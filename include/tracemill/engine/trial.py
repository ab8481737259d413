"""Where a recipe is tried on a few rows: in a store of its own below the whole's, with the whole's paid answers.

ROOT/trials/rows-50/     the trial's shards, funnel and release: none of it is a shard or a version of the whole
ROOT/samples/            the answers of both: what the trial paid for the whole run finds, and the other way round
"""

from __future__ import annotations

import re

FOLDER = "trials"
_TRIAL = re.compile(rf"(.+)/{FOLDER}/rows-\d+")


def trial_root(root: str, rows: int | None) -> str:
    """The root of the trial on so many rows; the whole's own for None."""
    return root if rows is None else f"{root.rstrip('/')}/{FOLDER}/rows-{rows}"


def whole_of(root: str) -> str | None:
    """The whole's root, for a trial's: it must be made first, as nobody makes a store among other files, and has the
    answers of both.
    """
    found = _TRIAL.fullmatch(root.rstrip("/"))
    return found[1] if found else None
