"""Checkpoints: only whole ones are seen, only those of this training are taken, and two are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracemill.train.inside.checkpoints import MARK, WHOLE, WRITING, complete, forget_halves, newest
from tracemill.train.inside.job import Told


def writes(work: Path, step: int, identity: str = "mine") -> None:
    half_written(work, step)
    complete(work, step, identity)


def half_written(work: Path, step: int) -> Path:
    folder = work / WRITING / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"w" * step)
    return folder


def test_a_half_written_checkpoint_is_skipped_and_removed(tmp_path: Path) -> None:
    writes(tmp_path, 3)
    half_written(tmp_path, 6)
    found = newest(tmp_path, "mine")
    assert found == tmp_path / WHOLE / "checkpoint-3"
    forget_halves(tmp_path)
    assert not (tmp_path / WRITING).exists()


def test_steps_are_ordered_as_numbers_and_two_are_kept(tmp_path: Path) -> None:
    for step in (9, 10, 11):
        writes(tmp_path, step)
    assert sorted(path.name for path in (tmp_path / WHOLE).iterdir()) == ["checkpoint-10", "checkpoint-11"]
    assert newest(tmp_path, "mine") == tmp_path / WHOLE / "checkpoint-11"


def test_a_step_that_is_written_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    writes(tmp_path, 3)
    writes(tmp_path, 3)
    mark = json.loads((tmp_path / WHOLE / "checkpoint-3" / MARK).read_text())
    assert mark == {"identity": "mine", "step": 3, "files": {"model.safetensors": 3}}


def test_a_kill_while_a_checkpoint_is_removed_leaves_none_without_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap: the mark goes first, and what is left is taken for another training's, so that none can go on."""
    writes(tmp_path, 3)
    writes(tmp_path, 6)

    def killed(path: Path, **_: object) -> None:
        if path.is_dir():
            (path / MARK).unlink()
            raise KeyboardInterrupt

    monkeypatch.setattr("tracemill.train.inside.checkpoints.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        writes(tmp_path, 6)
    assert newest(tmp_path, "mine") == tmp_path / WHOLE / "checkpoint-3"


@pytest.mark.parametrize("harm", ["cut", "lost", "mark of old"])
def test_a_damaged_checkpoint_is_none_and_the_one_before_is_taken(tmp_path: Path, harm: str) -> None:
    """Trap: a file that a full disk cut ends each try in a traceback, and the checkpoint before it lies beside it."""
    writes(tmp_path, 3)
    writes(tmp_path, 6)
    last = tmp_path / WHOLE / "checkpoint-6"
    if harm == "lost":
        (last / "model.safetensors").unlink()
    else:
        (last / "model.safetensors").write_bytes(b"w")
    if harm == "mark of old":
        (last / MARK).write_text('{"identity": "mine", "step": 6}')
    assert newest(tmp_path, "mine") == (last if harm == "mark of old" else tmp_path / WHOLE / "checkpoint-3")


@pytest.mark.parametrize("mark", ['{"identity": "other"}', "{", "[]", None], ids=["other", "torn", "odd", "none"])
def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path, mark: str | None) -> None:
    writes(tmp_path, 3, "other")
    path = tmp_path / WHOLE / "checkpoint-3" / MARK
    path.unlink() if mark is None else path.write_text(mark)
    with pytest.raises(Told, match="is a checkpoint of another training"):
        newest(tmp_path, "mine")


def test_a_training_that_begins_has_none(tmp_path: Path) -> None:
    assert newest(tmp_path, "mine") is None
