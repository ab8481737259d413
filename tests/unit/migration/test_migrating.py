"""A store of format 1 keeps its versions, revocations and paid answers by the ids of today, whatever kills the work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.build.old_store import Old, unpacked
from tracemill.engine.identities import former_ids, migration, successors
from tracemill.engine.ids import problem_id
from tracemill.engine.pipeline import PLAN
from tracemill.engine.store import FORMAT, MARKER, Store
from tracemill.errors import MissingInput, StoreError
from tracemill.migration.migrating import Migrated as Counts
from tracemill.release.revocations import read_list, revocations
from tracemill.report.why import why
from tracemill.versions.held_back import held_back
from tracemill.versions.refresh import Refreshed
from tracemill.versions.versions import latest, version

UPPER, LOWER = "What is the ASCII code of 'B'?", "What is the ASCII code of 'b'?"
LATE = "Two numbers add up to 30 and differ by 4. What is the larger one?"


@pytest.fixture
def old(tmp_path: Path) -> Old:
    return unpacked(tmp_path)


def table(store: Store, step: str, name: str) -> list[dict[str, Any]]:
    manifest = store.manifest(step, 0)
    assert manifest is not None
    rows: list[dict[str, Any]] = store.get_table(manifest.tables[name]).to_pylist()
    return rows


def lines(store: Store) -> set[tuple[str, str | None]]:
    return {(line.problem_id, line.generation_id) for line in read_list(store, "late")}


def test_an_older_store_is_refused_with_the_command_that_mends_it(old: Old) -> None:
    with pytest.raises(StoreError, match=rf"format 1 .* run `tracemill migrate {old.root}`"):
        Store.at(old.root)


@pytest.mark.parametrize(
    ("marker", "says"),
    [
        pytest.param(b'{"format": 99}', "is of format 99 and this tracemill knows 2: update tracemill", id="newer"),
        pytest.param(b"", "is damaged", id="empty"),
        pytest.param(b"{}", "is damaged", id="no format"),
        pytest.param(b"[2]", "is damaged", id="a list"),
        pytest.param(b'{"format": "2"}', "is damaged", id="a text"),
        pytest.param(b'{"format": true}', "is damaged", id="true"),
        pytest.param(b'{"format": 0}', "is damaged", id="zero"),
        pytest.param(b"\xff\xfe", "is damaged", id="no text"),
    ],
)
@pytest.mark.parametrize("old_too", [False, True], ids=["to work", "to migrate"])
def test_a_marker_that_says_something_else_is_refused(tmp_path: Path, marker: bytes, says: str, old_too: bool) -> None:
    (tmp_path / MARKER).write_bytes(marker)
    with pytest.raises(StoreError, match=says):
        Store.at(str(tmp_path), create=True, old=old_too)
    assert (tmp_path / MARKER).read_bytes() == marker


@dataclass(frozen=True)
class Migrated:
    """The store before and after its migration and the refresh that followed."""

    old: Old
    lines: set[tuple[str, str | None]]
    problems: dict[str, str]
    held_back: list[dict[str, Any]]
    files: set[Path]
    counts: Counts
    carried: list[dict[str, Any]]
    again: Counts
    done: Refreshed

    @property
    def store(self) -> Store:
        return Store.at(self.old.root)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """Two migrations, then a refresh: what was there before, in between and after."""
    old = unpacked(tmp_path_factory.mktemp("migrated"))
    known, problems, late = lines(old.store), _problems(old), table(old.store, "cluster", "held_back")
    files = {path for path in (old.folder / "store").rglob("*") if path.is_file()}
    counts = old.migrated()
    kept, carried = state(old), table(old.store, "cluster", "held_back")
    again = old.migrated()
    assert state(old) == kept, "a second migration does nothing more"
    return Migrated(old, known, problems, late, files, counts, carried, again, old.refreshed())


def test_the_next_version_is_the_last_one_and_nothing_is_paid_for_again(migrated: Migrated) -> None:
    now = latest(migrated.store)
    assert now is not None
    assert migrated.done.published is not None
    assert (migrated.done.published.fresh, now.number, now.rows) == (True, 4, version(migrated.store, 3).rows)
    assert (now.totals.added, now.totals.removed, now.totals.reasons) == (0, 0, {})
    assert migrated.old.server.requests == []
    before, after = ({row["problem_id"] for row in _released(migrated.store, number)} for number in (3, 4))
    assert not before & after, "no id is the same as before"


def _released(store: Store, number: int) -> list[dict[str, Any]]:
    stored = version(store, number).files["metadata.parquet"]
    rows: list[dict[str, Any]] = store.get_table(stored, ["problem_id", "generation_id"]).to_pylist()
    return rows


def test_all_successors_of_a_revoked_problem_are_revoked(migrated: Migrated) -> None:
    """By its old id the code of 'B' and that of 'b' were one; the benchmark had the first."""
    now = lines(migrated.store)
    assert migrated.lines < now, "nothing leaves a list"
    assert {problem_id(UPPER), problem_id(LOWER)} <= set(revocations(migrated.store))
    assert migrated.counts.revocations == len(now - migrated.lines) == len(migrated.lines)
    assert migrated.again.revocations == 0
    released = {row["problem_id"] for row in _released(migrated.store, 4)}
    assert released.isdisjoint(revocations(migrated.store))


def test_what_the_order_of_arrival_held_back_is_held_back_still(migrated: Migrated) -> None:
    (before,), (carried,) = migrated.held_back, migrated.carried
    assert carried["problem_id"] == carried["kept_instead"] == problem_id(LATE)
    assert (carried["shard"], carried["kept_shard"]) == (before["shard"], before["kept_shard"])
    assert carried in held_back(migrated.old.recipe, migrated.store).to_pylist()


def test_an_old_id_is_told_by_its_successors(migrated: Migrated) -> None:
    (ancestor,) = (identity for identity, prompt in migrated.problems.items() if prompt == UPPER)
    assert set(successors(migrated.store, ancestor)) == {problem_id(UPPER), problem_id(LOWER)}
    with pytest.raises(MissingInput, match=f"older store format; today it is .*{problem_id(UPPER)}"):
        why(ancestor, migrated.old.recipe, migrated.store)
    assert why(problem_id(LOWER), migrated.old.recipe, migrated.store)["kind"] == "problem"


def _problems(old: Old) -> dict[str, str]:
    manifests = old.store.manifests(("ingest", shard) for shard in range(5))
    tables = [old.store.get_table(one.tables["problems"], ["id", "prompt"]) for one in manifests if one]
    return {row["id"]: row["prompt"] for rows in tables for row in rows.to_pylist()}


def test_ties_are_decided_by_the_older_id(migrated: Migrated) -> None:
    rows = _released(migrated.store, 3)
    old = pl.Series("id", [row["generation_id"] for row in rows])
    now = pl.Series("id", [row["generation_id"] for row in _released(migrated.store, 4)] + ["g-new"])
    assert set(former_ids(migrated.store, now)) == {*old, "g-new"}


def test_old_shards_stay(migrated: Migrated) -> None:
    assert all(path.is_file() for path in migrated.files)


def test_news_and_the_format_together_list_the_news_alone(old: Old) -> None:
    old.add("school", {"id": 1, "q": "How many faces has a dodecahedron?", "gold": "12", "r": None, "ok": None})
    old.migrated()
    done = old.refreshed()
    assert done.published is not None
    (added,) = Store.at(old.root).get_table(done.published.version.changes).to_pylist()
    assert (added["change"], added["problem_id"]) == ("added", problem_id("How many faces has a dodecahedron?"))
    assert len(old.server.requests) == 1


def state(old: Old) -> dict[str, Any]:
    """What a migration leaves, without times."""
    store = old.store
    made, plan = migration(store), store.manifest(PLAN, 0)
    assert made is not None
    assert plan is not None
    return {
        "format": store.format(),
        "pairs": {name: stored.sha256 for name, stored in made.tables.items()},
        "lines": lines(store),
        "anchors": table(store, "cluster", "anchors"),
        "plan": plan.tables["plan"].sha256,
    }


class Dying(Store):
    """A store whose process dies at the nth object that it writes."""

    left = 10**9

    def put(self, local: Path, key: str) -> None:
        self.count()
        super().put(local, key)

    def create_bytes(self, key: str, data: bytes) -> bool:
        self.count()
        return super().create_bytes(key, data)

    def count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_killed_at_any_write_it_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    """One store dies again and again, each time a little later; the last writes are tried one by one."""
    whole, broken = unpacked(tmp_path / "whole"), unpacked(tmp_path / "broken")
    watched = Dying(whole.store.fs, whole.store.root)
    whole.migrated(watched)
    writes = 10**9 - watched.left
    assert writes > 30
    for deaths in (0, 1, 2, 5, 11, *range(9)):
        dying = Dying(broken.store.fs, broken.store.root)
        dying.left = deaths
        with suppress(KeyboardInterrupt):
            broken.migrated(dying)
        assert broken.store.format() == (1 if dying.left < 0 else FORMAT)
    broken.migrated()
    assert state(broken) == state(whole)


def shell(old: Old) -> dict[str, str]:
    """The environment of a user's shell."""
    return {**os.environ, **old.environment, "PYTHONPATH": str(Path(__file__).parents[3] / "include")}


@pytest.mark.slow
def test_kill_9_and_the_command_again(old: Old) -> None:
    """From the shell, as a user does it."""
    command = [sys.executable, "-m", "tracemill", "migrate", old.root]
    environment = shell(old)
    first = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while not (old.folder / "store/ingest/00002.json").exists() and first.poll() is None:
        time.sleep(0.01)
        if (old.folder / "store/migrations").exists():
            break
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert json.loads((old.folder / "store" / MARKER).read_text()) == {"format": 1}
    dry = subprocess.run([*command, "--dry-run"], env=environment, capture_output=True, text=True, check=True)
    assert "are read again" in dry.stdout
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "Next: tracemill refresh RECIPE" in again.stdout
    assert Store.at(old.root).format() == FORMAT
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "is of format 2 already" in done.stdout


@pytest.mark.slow
def test_a_dry_run_writes_nothing(old: Old) -> None:
    before = {path: path.read_bytes() for path in (old.folder / "store").rglob("*") if path.is_file()}
    command = [sys.executable, "-m", "tracemill", "migrate", old.root, "--dry-run"]
    done = subprocess.run(command, env=shell(old), capture_output=True, text=True, check=True)
    assert "44 rows" in done.stdout
    assert {path: path.read_bytes() for path in (old.folder / "store").rglob("*") if path.is_file()} == before


def test_without_its_sources_a_store_stays_as_it_was(old: Old) -> None:
    for path in (old.folder / "sources").iterdir():
        path.unlink()
    with pytest.raises(Exception, match="no file matches"):
        old.migrated()
    assert old.store.format() == 1
