"""Pruning frees what nothing reaches and nothing else, whenever it is stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.build.distilled import Distilled
from tracemill.cli import app
from tracemill.engine.store import Store
from tracemill.errors import CorruptShard
from tracemill.upkeep.pruning import Removable, prune, removable
from tracemill.versions.versions import version, version_numbers

ORPHAN = "rules/00000/ledger-0123456789abcdef0123.parquet"


def aged(store: Store, hours: float = 48) -> None:
    """Make everything below the root so many hours old."""
    then = time.time() - 3600 * hours
    for path in Path(store.root).rglob("*"):
        os.utime(path, (then, then))


def whole(store: Store) -> None:
    """Read all that the current manifests and the versions name. Raises CorruptShard for what is gone."""
    for path in Path(store.root).glob("*/[0-9][0-9][0-9][0-9][0-9].json"):
        if path.parent.name == "versions":
            continue
        manifest = store.manifest(path.parent.name, int(path.stem))
        assert manifest
        for table in manifest.tables.values():
            store.get_table(table)
        assert all(store.size(file.key) == file.bytes for file in manifest.files.values())
    for number in version_numbers(store):
        made = version(store, number)
        store.get_table(made.changes)
        assert all(store.size(file.key) == file.bytes for file in made.files.values())


@pytest.fixture
def small(tmp_path: Path) -> Distilled:
    made = Distilled(tmp_path)
    made.run()
    return made


def test_what_a_manifest_names_stays_and_what_nobody_names_goes(small: Distilled) -> None:
    store = small.store
    store.write_bytes(ORPHAN, b"x" * 100)
    store.write_bytes("rules/00000/ledger.parquet.0a.part", b"y")
    store.write_bytes("notes.txt", b"a person's own")
    aged(store)
    found = removable(store)
    assert {(one.key, one.bytes, one.why) for one in found} == {
        (ORPHAN, 100, "unnamed"),
        ("rules/00000/ledger.parquet.0a.part", 1, "half-written"),
    }
    assert len(list(prune(store, found))) == 2
    assert removable(store) == []
    whole(store)
    assert store.size("notes.txt")


def test_what_was_written_within_a_day_may_be_on_its_way_to_a_manifest(small: Distilled) -> None:
    small.store.write_bytes(ORPHAN, b"x")
    assert removable(small.store) == []


def test_what_a_task_found_there_and_is_about_to_name_stays(small: Distilled, tmp_path: Path) -> None:
    """Trap: data of long ago that a task need not write again, and whose manifest comes after the look."""
    store, local = small.store, tmp_path / "table"
    local.write_bytes(b"made before")
    stored = store.put_content(local, "rules/00000/ledger", ".parquet")
    aged(store)
    found = removable(store)
    store.put_content(local, "rules/00000/ledger", ".parquet")
    assert [one.key for one in found] == [stored.key]
    assert list(prune(store, found)) == []
    assert store.size(stored.key) == stored.bytes


def test_shards_of_earlier_settings_go_on_demand_and_versions_of_them_stay(small: Distilled) -> None:
    small.publish()
    small.settings = {"n": 19}
    small.run()
    store = small.store
    aged(store)
    assert removable(store) == []
    found = removable(store, earlier=True)
    assert {one.key.split("/")[0] for one in found} <= {"rules", "select", "release"}
    assert {one.why for one in found} == {"earlier settings"}
    list(prune(store, found))
    whole(store)
    assert removable(store, earlier=True) == []
    small.settings = {}
    assert small.run() == []  # no answer was touched
    whole(small.store)


def test_settings_that_changed_back_while_it_was_looked_at_keep_their_shards(small: Distilled) -> None:
    small.settings = {"n": 19}
    small.run()
    aged(small.store)
    found = removable(small.store, earlier=True)
    small.settings = {}
    small.run()
    list(prune(small.store, found))
    whole(small.store)


@pytest.mark.parametrize("place", ["trials/rows-5", "v2", "others/deep/v1"], ids=["trial", "release", "deeper"])
def test_a_store_below_the_root_is_another_store(small: Distilled, tmp_path: Path, place: str) -> None:
    """Trap: the shards of a store below are named from its own root, and look unnamed from above."""
    below = Path(small.store.root) / place
    shutil.copytree(small.store.root, tmp_path / "copy")
    shutil.copytree(tmp_path / "copy", below)
    aged(small.store)
    assert removable(small.store, earlier=True) == []
    (below / ORPHAN).write_bytes(b"x")
    os.utime(below / ORPHAN, (0, 0))
    assert removable(small.store) == []
    assert [one.key for one in removable(Store.at(str(below)))] == [ORPHAN]


def test_a_record_that_cannot_be_read_ends_the_look(small: Distilled) -> None:
    small.store.write_bytes(ORPHAN, b"x")
    small.store.write_bytes("rules/00000.json", b"{")
    aged(small.store)
    with pytest.raises(CorruptShard, match="nothing was removed"):
        removable(small.store)


STEPS = st.lists(st.sampled_from(["settings", "publish", "orphan", "look", "look for all", "remove some"]), max_size=5)


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, few=st.integers(0, 5))
def test_nothing_that_is_reached_is_ever_removed(
    steps: list[str], few: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    small = Distilled(tmp_path_factory.mktemp("pruned"), problems=("one apple", "two boats"))
    small.run()
    found: list[Removable] = []
    for number, step in enumerate(steps):
        if step == "settings":
            small.settings = {"n": 18 + number % 3}
            small.run()
        elif step == "publish":
            small.publish()
        elif step == "orphan":
            small.store.write_bytes(ORPHAN, b"x")
        elif step == "remove some":
            for _ in zip(range(few), prune(small.store, found, grace=0.0), strict=False):
                pass  # and then it is killed
        else:
            found = removable(small.store, earlier=step == "look for all", grace=0.0)
        whole(small.store)
        assert small.run() == []


def test_killed_half_way_leaves_a_whole_store(small: Distilled) -> None:
    small.settings = {"n": 19}
    small.run()
    aged(small.store)
    before = removable(small.store, earlier=True)
    code = (
        "import os, sys; from tracemill.engine.store import Store\n"
        "from tracemill.upkeep.pruning import prune, removable\n"
        "store = Store.at(sys.argv[1])\n"
        "for number, _ in enumerate(prune(store, removable(store, earlier=True))):\n"
        "    if number == 0: os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, small.store.root], check=False)
    assert ended.returncode == -signal.SIGKILL
    whole(small.store)
    rest = removable(small.store, earlier=True)
    assert len(rest) == len(before) - 1 > 0
    list(prune(small.store, rest))
    whole(small.store)


def test_the_command_says_what_it_would_do_and_does_it_when_told(small: Distilled) -> None:
    store = small.store
    store.write_bytes(ORPHAN, b"x" * 2000)
    aged(store)
    said = CliRunner().invoke(app, ["prune", store.root]).output
    assert "2.0 kB" in said
    assert ORPHAN in said
    assert "--yes" in said
    assert store.size(ORPHAN)
    known = json.loads(CliRunner().invoke(app, ["prune", store.root, "--json"]).output)
    assert known["objects"] == [{"key": ORPHAN, "bytes": 2000, "why": "unnamed"}]
    assert "Removed 1 objects" in CliRunner().invoke(app, ["prune", store.root, "--yes"]).output
    assert store.size(ORPHAN) is None


def test_paid_answers_go_by_name_alone_and_their_price_is_said(tmp_path: Path) -> None:
    small = Distilled(tmp_path, price={"input": 0, "output": 1e6})
    small.run()
    aged(small.store)
    assert not [one for one in removable(small.store, earlier=True) if one.key.startswith("samples")]
    said = CliRunner().invoke(app, ["prune", small.store.root, "--answers", "tiny"]).output
    assert "paid answers of tiny: 4," in said
    assert "which cost" in said
    assert small.run() == []
    assert "knows no model" in CliRunner().invoke(app, ["prune", small.store.root, "--answers", "big"]).output
    CliRunner().invoke(app, ["prune", small.store.root, "--answers", "tiny", "--yes"])
    assert not list((tmp_path / "store" / "samples").rglob("*.parquet"))
    assert small.run() == []  # what is sealed needs them no more
