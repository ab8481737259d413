"""A store upon another reads what it lacks from there, writes nothing there, and takes no failure for an absence."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tracemill.ablate.overlay import Overlay
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.errors import CorruptShard, StoreError

ROWS = pa.table({"a": ["one", "two"]})
OTHER = pa.table({"a": ["three"]})


def sealed(store: Store, rows: pa.Table, fingerprint: str) -> Manifest:
    counts = Counts(entered=0, kept=0, rejected={}, quarantined={})
    stored = store.put_table(rows, "s", 0, "some")
    found = Manifest(step="s", index=0, fingerprint=fingerprint, unit="row", counts=counts, tables={"some": stored})
    return store.seal(found)


@pytest.fixture
def under(tmp_path: Path) -> Store:
    store = Store.at(str(tmp_path / "store"), create=True)
    sealed(store, ROWS, "f" * 40)
    return store


def rows(store: Store) -> list[str]:
    found = store.manifest("s", 0)
    assert found is not None
    values: list[str] = store.get_table(found.tables["some"])["a"].to_pylist()
    return values


def test_what_was_sealed_below_is_there_until_something_is_sealed_here(under: Store) -> None:
    upper = Overlay.below(under, "ablations/x")
    assert rows(upper) == ["one", "two"]
    sealed(upper, OTHER, "e" * 40)
    assert (rows(upper), rows(under)) == (["three"], ["one", "two"])
    assert rows(Overlay.below(upper, "seed-0")) == ["three"]


def test_what_is_sealed_below_for_these_settings_is_found_and_not_made_again(under: Store) -> None:
    upper = Overlay.below(under, "ablations/x")
    sealed(upper, OTHER, "e" * 40)
    before = sorted(Path(under.root).glob("s/**/*"))
    again = upper.sealed_as("s", 0, "f" * 40)
    assert again is not None
    assert rows(upper) == ["one", "two"]
    assert sorted(Path(under.root).glob("s/**/*")) == before


def test_the_same_rows_lie_in_both_so_that_each_can_be_pruned_alone(under: Store) -> None:
    upper = Overlay.below(under, "ablations/x")
    found = sealed(upper, ROWS, "e" * 40)
    assert (Path(upper.root) / found.tables["some"].key).is_file()


def test_a_damaged_table_here_is_damage_and_no_reason_to_look_below(under: Store) -> None:
    upper = Overlay.below(under, "ablations/x")
    found = sealed(upper, ROWS, "e" * 40)
    (Path(upper.root) / found.tables["some"].key).write_bytes(b"PAR1 damaged PAR1")
    with pytest.raises(CorruptShard, match="is damaged"):
        rows(upper)


def test_what_is_at_neither_place_is_not_there_and_other_files_are_refused(under: Store) -> None:
    upper = Overlay.below(under, "ablations/x")
    assert upper.manifest("t", 0) is None
    with pytest.raises(FileNotFoundError):
        upper.read_bytes("t/none")
    (Path(under.root) / "mine").mkdir()
    (Path(under.root) / "mine" / "notes.txt").write_text("x")
    with pytest.raises(StoreError, match="holds other files"):
        Overlay.below(under, "mine")
