"""A retry asks again for what the world refused, and for nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.build.distilled import Distilled
from tracemill.cli import app
from tracemill.engine.keys import remove
from tracemill.errors import RecipeError
from tracemill.models.fake import FakeServer
from tracemill.upkeep.retrying import refused, retry
from tracemill.versions.versions import version


def told(small: Distilled, *arguments: str) -> str:
    return CliRunner().invoke(app, ["retry", small.store.root, *arguments]).output


def test_a_poison_row_is_asked_again_and_no_other(tmp_path: Path) -> None:
    small = Distilled(tmp_path)
    small.run(FakeServer(poison="boats"))
    assert ("quarantined", "poison") in small.reason("distill", 0)
    first = small.publish().version
    assert "1 rows in 1 shards would be asked again" in told(small, "--reason", "poison", "--dry-run")
    assert small.run() == []
    assert "1 shards are unsealed" in told(small, "--reason", "poison")
    assert small.run() == ["two boats"]
    assert {reason for shard in (0, 1) for _, reason in small.reason("distill", shard)} == {"distilled"}
    second = small.publish().version
    assert (second.rows - first.rows, second.totals.added, second.totals.removed) == (1, 1, 0)
    assert version(small.store, 1) == first
    assert all(small.store.size(file.key) == file.bytes for file in first.files.values())


def test_an_answer_that_a_filter_cut_is_forgotten_and_asked_again(tmp_path: Path) -> None:
    """Trap: it is stored like any answer, so that unsealing its shard alone would find it again."""
    small = Distilled(tmp_path)
    small.run(FakeServer(faults={2: {"finish_reason": "content_filter"}}))
    assert small.run() == []
    assert "1 stored answers were forgotten" in told(small, "--reason", "content_filter")
    assert len(small.run()) == 1
    assert ("rejected", "filtered") not in [*small.reason("rules", 0), *small.reason("rules", 1)]


def test_killed_half_way_the_same_command_goes_on(tmp_path: Path) -> None:
    small = Distilled(tmp_path)
    small.run(FakeServer(poison="boats"))
    (found,) = refused("poison", small.recipe, small.store)
    remove(small.store, f"distill/{found.shard:05d}/{found.fingerprint}.json")  # and then it was killed
    assert refused("poison", small.recipe, small.store) == [found]
    retry("poison", [found], small.recipe, small.store, small.machine())
    assert refused("poison", small.recipe, small.store) == []
    assert small.run() == ["two boats"]


@pytest.mark.parametrize("reason", ["length", "bad_template", "wrong", "x"])
def test_what_the_world_did_not_refuse_is_not_asked_again(tmp_path: Path, reason: str) -> None:
    small = Distilled(tmp_path)
    with pytest.raises(RecipeError, match="Reasons to ask again are poison"):
        refused(reason, small.recipe, small.store)


def test_nothing_refused_is_nothing_to_do(tmp_path: Path) -> None:
    small = Distilled(tmp_path)
    small.run()
    assert "No sealed shard has a row" in told(small, "--reason", "refused")
    assert small.run() == []


def test_answers_without_an_end_are_forgotten_though_no_shard_was_sealed_with_them(tmp_path: Path) -> None:
    """Trap: the server names endings now, and the stored answers of before keep the run from ever asking it again."""
    small = Distilled(tmp_path)
    with pytest.raises(RecipeError, match="no finish reason at all"):
        small.run(FakeServer(faults={n: {"finish_reason": None} for n in range(1, 9)}))
    with pytest.raises(RecipeError, match="on the store"):
        small.run()
    assert "No sealed shard" in told(small, "--reason", "unknown", "--dry-run")
    assert "2 stored answers were forgotten" in told(small, "--reason", "unknown")
    assert len(small.run()) == 4
