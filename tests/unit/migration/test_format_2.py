"""A store of format 2 that earlier code wrote is opened as it is: versions are known, answers are found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build.old_store import Old, unpacked
from tracemill.engine.runner import fingerprint_of, inputs_for
from tracemill.engine.store import Store
from tracemill.release.revocations import read_list
from tracemill.versions.versions import METADATA, version, version_numbers

KEPT = Path(__file__).parents[2] / "fixtures/store_format_2"


@pytest.fixture
def kept(tmp_path: Path) -> Old:
    return unpacked(tmp_path, KEPT)


def test_what_it_holds_is_read_as_it_was_written(kept: Old) -> None:
    store = Store.at(kept.root)
    assert version_numbers(store) == [1, 2, 3]
    assert [version(store, number).cause for number in (1, 2, 3)] == ["refresh", "refresh", "recall"]
    last = version(store, 3)
    assert store.get_table(last.files[METADATA]).num_rows == last.rows
    assert len(read_list(store, "late")) == 4


def test_a_run_with_todays_code_pays_for_nothing_again(kept: Old) -> None:
    before = version(Store.at(kept.root), 3).rows
    done = kept.refreshed(anyway=True)
    assert kept.server.requests == []
    assert done.published is not None
    assert done.published.version.rows == before + 1  # two programs that differ in indentation were one problem


def test_steps_that_turn_rows_away_write_the_same_ledgers_to_the_byte(kept: Old) -> None:
    store = Store.at(kept.root)
    for name in ("unique", "rules", "select"):
        step = kept.recipe.step(name)
        sealed = store.manifest(name, 0)
        inputs = inputs_for(kept.recipe, store, name, 0)
        assert sealed is not None
        again = store.put_table(step.run(kept.machine, inputs).ledger, name, 0, "ledger")
        assert again == sealed.tables["ledger"]
        if name != "rules":  # whose version was raised since, for texts that this store has none of
            assert fingerprint_of(step, kept.machine, inputs) == sealed.fingerprint
