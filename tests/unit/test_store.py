"""The store's promises: whole objects or none, not-found is not unreadable, damage is seen, the first seal wins."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.build.fakes import SickDisk
from tracemill.engine.objects import scratch_folder
from tracemill.engine.step import Inputs, ledger_rows
from tracemill.engine.store import MARKER, Counts, Manifest, Store, StoredFile
from tracemill.errors import CorruptShard, StoreError

TABLE = pa.table({"id": [f"p{k}" for k in range(2500)], "text": [f"{k} " * 40 for k in range(2500)]})
NOBODY = 65_534  # the user id that owns nothing
NOTHING = Counts(entered=0, kept=0, rejected={}, quarantined={})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


def manifest(fingerprint: str, **changes: object) -> Manifest:
    values = {"step": "s", "index": 7, "fingerprint": fingerprint, "unit": "row", "counts": NOTHING, "tables": {}}
    return Manifest.model_validate({**values, **changes})


def keys(store: Store) -> set[str]:
    root = Path(store.root)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_table_comes_back_whole_and_in_batches(store: Store) -> None:
    stored = store.put_table(TABLE, "s", 0, "anything")

    assert stored.rows == 2500
    assert store.get_table(stored) == TABLE
    assert store.get_table(stored, ["id"]) == TABLE.select(["id"])
    batches = list(store.get_batches(stored, ["id"]))
    assert [batch.num_rows for batch in batches] == [1000, 1000, 500]
    assert pa.Table.from_batches(batches) == TABLE.select(["id"])


@pytest.mark.parametrize("rows", [[], [0], [2499, 3, 3, 1000, 999], list(range(2500))], ids=len)
def test_some_rows_come_back_in_the_order_asked_for(store: Store, rows: list[int]) -> None:
    stored = store.put_table(TABLE, "s", 0, "anything")

    assert store.get_rows(stored, np.array(rows, np.int64), ["id"]) == TABLE.select(["id"]).take(
        pa.array(rows, pa.int64())
    )


def test_rows_of_a_table_that_two_steps_wrote_are_numbered_through(store: Store) -> None:
    parts = [store.put_table(part, step, 0, "mine") for step, part in (("a", TABLE.slice(0, 7)), ("b", TABLE.slice(7)))]
    sealed = [manifest("f", step=step, tables={"mine": one}) for step, one in zip("ab", parts, strict=True)]
    inputs = Inputs(store, 0, {0: sealed}, [], 1)

    places = np.array([2000, 6, 7, 0], np.int64)
    assert inputs.rows("mine", ["id"], places, 0)["id"].to_pylist() == ["p2000", "p6", "p7", "p0"]


def test_a_ledger_that_turned_nothing_away_is_not_read(store: Store) -> None:
    problems = pa.Table.from_pylist([{"id": f"p{k}"} for k in range(3)])
    ledger = ledger_rows("problem", ["p0", "p1", "p2"], ["kept", "rejected", "kept"])
    tables = {
        "problems": store.put_table(problems, "a", 0, "ours"),
        "ledger": store.put_table(ledger, "a", 0, "ledger"),
    }
    gone = StoredFile(key="a/00000/ledger-gone.parquet", sha256="0", bytes=1, rows=3)
    counts = Counts(entered=3, kept=2, rejected={"": 1}, quarantined={})
    every = Counts(entered=3, kept=3, rejected={}, quarantined={})
    sealed = [
        manifest("f", step="a", unit="problem", counts=counts, tables=tables),
        manifest("f", step="b", unit="problem", counts=every, tables={"ledger": gone}),
    ]
    assert Inputs(store, 0, {0: sealed}, [], 1).alive("problem").to_pylist() == ["p0", "p2"]


def test_the_same_rows_are_the_same_bytes_under_the_same_key(store: Store, tmp_path: Path) -> None:
    other = Store.at(str(tmp_path / "other"), create=True)

    first, again = store.put_table(TABLE, "s", 0, "t"), store.put_table(TABLE, "s", 0, "t")
    elsewhere = other.put_table(TABLE, "s", 0, "t")

    assert first == again == elsewhere
    assert store.read_bytes(first.key) == other.read_bytes(first.key)
    assert keys(store) == {MARKER, first.key}


def test_a_file_that_is_there_is_not_written_again(store: Store) -> None:
    stored = store.put_table(TABLE, "s", 0, "t")
    before = (Path(store.root) / stored.key).stat().st_mtime_ns

    store.put_table(TABLE, "s", 0, "t")

    assert (Path(store.root) / stored.key).stat().st_mtime_ns == before


def test_half_a_file_of_the_same_name_is_replaced(store: Store) -> None:
    stored = store.put_table(TABLE, "s", 0, "t")
    path = Path(store.root) / stored.key
    path.write_bytes(path.read_bytes()[:100])

    store.put_table(TABLE, "s", 0, "t")

    assert store.get_table(stored) == TABLE


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(flip, "damaged", id="one bit flipped inside a page"),
        pytest.param(lambda data: data[: len(data) // 2], "damaged", id="cut in half"),
        pytest.param(lambda data: b"", "damaged", id="empty file"),
        pytest.param(lambda data: b"<html>504</html>" * 9, "damaged", id="an error page in its place"),
        pytest.param(None, "missing", id="file deleted"),
    ],
)
def test_damage_is_seen_and_the_remedy_works(store: Store, damage: Callable[[bytes], bytes] | None, said: str) -> None:
    stored = store.put_table(TABLE, "s", 0, "t")
    path = Path(store.root) / stored.key
    data = path.read_bytes()
    path.unlink()
    if damage is not None:
        path.write_bytes(damage(data))

    with pytest.raises(CorruptShard, match=said) as caught:
        store.get_table(stored)

    folder = str(path.parent)
    assert f"delete {folder} and {folder}.json, and run again" in str(caught.value)
    path.unlink(missing_ok=True)
    assert store.get_table(store.put_table(TABLE, "s", 0, "t")) == TABLE


def test_a_driver_that_fails_while_reading_a_table_is_not_called_damage(store: Store) -> None:
    stored = store.put_table(TABLE, "s", 0, "t")

    class Dropping:
        """A handle whose connection drops after the first bytes."""

        def __init__(self, path: str) -> None:
            self.file = Path(path).open("rb")  # noqa: SIM115 - closed by close()

        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError(errno.ECONNRESET, "connection reset by peer")

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

    class DroppingDisk(SickDisk):
        def open(self, path: str, mode: str = "rb", **options: object) -> Dropping:
            return Dropping(path)

    sick = Store(DroppingDisk(), store.root)
    with pytest.raises(StoreError, match="connection reset by peer"):
        sick.get_table(stored)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(PermissionError(errno.EACCES, "permission denied"), id="no permission"),
        pytest.param(OSError(errno.EIO, "input/output error"), id="broken disk"),
        pytest.param(TimeoutError("timed out"), id="network"),
    ],
)
def test_unreadable_is_an_error_and_never_taken_for_not_done(store: Store, failure: OSError) -> None:
    sick = Store(SickDisk(reading=failure), store.root)

    with pytest.raises(StoreError, match=r"check access and retry"):
        sick.manifest("s", 7)
    with pytest.raises(StoreError):
        sick.opened(create=True)
    assert keys(store) == {MARKER}


def test_not_found_is_none(store: Store) -> None:
    assert store.manifest("s", 7) is None
    assert store.sealed_as("s", 7, "f" * 40) is None
    assert store.size("s/nothing") is None


def test_a_full_disk_leaves_the_old_object_and_says_what_to_do(store: Store) -> None:
    store.write_bytes("s/00007.json", b"old")
    sick = Store(SickDisk(writing=OSError(errno.ENOSPC, "no space left on device")), store.root)

    with pytest.raises(StoreError, match="the disk is full: free space and retry"):
        sick.write_bytes("s/00007.json", b"new and longer")

    assert store.read_bytes("s/00007.json") == b"old"
    assert keys(store) == {MARKER, "s/00007.json"}


def test_a_missing_scratch_disk_is_not_a_missing_shard(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot make a scratch folder"), scratch_folder("s/t", tmp_path / "gone"):
        pytest.fail("there is no such folder")


@contextmanager
def ordinary_rights() -> Iterator[None]:
    """The rights of an ordinary user, also where the tests run as root, who may read everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_without_permission_is_a_store_error() -> None:
    with tempfile.TemporaryDirectory() as folder:  # tmp_path lies below a folder that root has closed
        Path(folder).chmod(0o755)
        store = Store.at(folder, create=True)
        store.write_bytes("s/00007.json", b"{}")
        (Path(store.root) / "s/00007.json").chmod(0)

        with ordinary_rights(), pytest.raises(StoreError, match="Permission denied"):
            store.manifest("s", 7)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"step": "s", "ind', id="cut"),
        pytest.param(b"[]", id="not an object"),
        pytest.param(b'{"step": "s"}', id="fields missing"),
    ],
)
def test_a_broken_manifest_is_corruption_not_absence(store: Store, text: bytes) -> None:
    store.write_bytes("s/00007.json", text)

    with pytest.raises(CorruptShard, match=r"00007\.json is not a manifest: delete it and rerun"):
        store.manifest("s", 7)


class TestRoot:
    def test_a_missing_root_is_refused_without_create(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="holds no tracemill store"):
            Store.at(str(tmp_path / "store"))

    def test_an_unmounted_disk_is_not_an_empty_store(self, store: Store, tmp_path: Path) -> None:
        store.seal(manifest("a" * 40))
        mounted = tmp_path / "mounted elsewhere"
        Path(store.root).rename(mounted)
        Path(store.root).mkdir()

        with pytest.raises(StoreError, match="holds no tracemill store"):
            Store.at(store.root)

    def test_a_folder_with_other_files_is_no_place_for_a_new_store(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("mine")

        with pytest.raises(StoreError, match=r"thesis\.txt.*give an empty or a new folder"):
            Store.at(str(tmp_path), create=True)
        assert os.listdir(tmp_path) == ["thesis.txt"]  # noqa: PTH208

    def test_a_root_that_another_copy_is_just_making_is_joined(self, tmp_path: Path) -> None:
        (tmp_path / f"{MARKER}.0123.part").write_text("{}")

        Store.at(str(tmp_path), create=True)

        assert (tmp_path / MARKER).is_file()

    def test_a_root_that_is_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")

        with pytest.raises(StoreError):
            Store.at(str(tmp_path / "file"), create=True)

    @pytest.mark.parametrize("key", ["/etc/passwd", "../outside", "s/../../outside"])
    def test_no_key_leaves_the_root(self, store: Store, key: str) -> None:
        with pytest.raises(StoreError, match="would leave the store"):
            store.write_bytes(key, b"x")


class TestSeal:
    def test_a_shard_exists_when_its_manifest_does(self, store: Store) -> None:
        stored = store.put_table(TABLE, "s", 7, "t")
        assert store.manifest("s", 7) is None

        sealed = store.seal(manifest("a" * 40, tables={"t": stored}))

        assert store.manifest("s", 7) == sealed
        assert store.get_table(sealed.tables["t"]) == TABLE

    def test_the_first_seal_of_a_fingerprint_wins(self, store: Store) -> None:
        mine = manifest("a" * 40, files={"x": StoredFile(key="s/mine", sha256="1", bytes=1)})
        late = manifest("a" * 40, files={"x": StoredFile(key="s/late", sha256="2", bytes=1)})

        assert store.seal(mine) == mine
        assert store.seal(late) == mine
        assert store.manifest("s", 7) == mine

    def test_old_settings_come_back_without_work(self, store: Store) -> None:
        a, b = store.seal(manifest("a" * 40)), store.seal(manifest("b" * 40))
        assert store.manifest("s", 7) == b

        assert store.sealed_as("s", 7, "a" * 40) == a
        assert store.manifest("s", 7) == a

    def test_only_one_of_two_creators_is_told_that_it_was_first(self, store: Store) -> None:
        assert store.create_bytes("s/x", b"first") is True
        assert store.create_bytes("s/x", b"second") is False
        assert store.read_bytes("s/x") == b"first"
