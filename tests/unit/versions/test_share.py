"""The measure of a refresh counts what was computed, and refuses to measure nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build.small import ONE, small, text
from tracemill.versions.share import refresh_share

OLD = [text(k) for k in range(20)]


def test_the_share_counts_shards_and_cpu_seconds(tmp_path: Path) -> None:
    made = small(tmp_path, OLD)
    share = refresh_share(made.recipe, str(made.root), ONE, lambda: made.write([*OLD, text(90)]))
    assert (share.full.computed, share.full.reused) == (3 + 5 * 2, 0)
    assert (share.grown.computed, share.grown.reused) == (3 + 5, 5 * 2)
    assert share.shards == 8 / 18
    assert (share.idle.computed, share.idle.reused) == (0, 0)
    assert 0 < share.idle.cpu_seconds < share.grown.cpu_seconds
    assert share.cpu > 0


def test_nothing_new_is_not_measured(tmp_path: Path) -> None:
    made = small(tmp_path, OLD[:3])
    with pytest.raises(ValueError, match="let `grow` add rows"):
        refresh_share(made.recipe, str(made.root), ONE, lambda: None)
