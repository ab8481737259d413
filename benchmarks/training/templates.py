"""How many of trl's templates keep every row whole, each in its layout: rows of every kind, and releases at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.training.rows import KINDS, released
from tracemill.release.proof.survey import survey
from tracemill.release.trainers.opened import Opened, release_folder

_RELEASES = Path("var/releases")  # of `make demo`, `make real-sample` and whatever else was published here


def figures() -> dict[str, int]:
    """`templates_whole`: those that keep each row of each release, the last turn alone in the loss."""
    whole: set[str] = set()
    surveyed = 0
    rows = 0
    with ExitStack() as open_files:
        for found in _releases(open_files):
            lines = list(survey(found, None, None, None))
            kept = {one.template for one in lines if one.all_whole}
            whole = whole & kept if surveyed else kept
            surveyed += 1
            rows += max(one.rows for one in lines)
    return {"releases_surveyed": surveyed, "rows_surveyed": rows, "templates_whole": len(whole)}


def _releases(open_files: ExitStack) -> Iterator[Opened]:
    yield open_files.enter_context(released(KINDS))[0]
    for path in sorted(_RELEASES.glob("**/metadata.parquet")):
        yield release_folder(path.parent)
