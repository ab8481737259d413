"""Whoever asks ahead takes no place for a server from those whose turn it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tracemill.engine.store import Store
from tracemill.models.costs import ServerLife, write
from tracemill.models.lease import STALE, want
from tracemill.models.turns import Turn


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


def serve(store: Store, *models: str, seen: float = 0.0, ended: bool = False) -> ServerLife:
    """A server that was heard of so many seconds ago."""
    now = time.time()
    life = ServerLife(
        server="s" + "".join(models), models=models, replica=0, host="h", unit="GPU", devices=1, began=now - 900,
        seen=now - seen, ended=ended,
    )  # fmt: skip
    write(store, life)
    return life


def test_nobody_is_before_who_waits_for_nobody(store: Store) -> None:
    assert Turn(store, ["first", "second"]).has_come()
    want(store, "third")
    assert Turn(store, ["first", "second"]).has_come()


@pytest.mark.parametrize(
    ("seen", "ended", "models", "come"),
    [
        pytest.param(0.0, False, ("first",), True, id="it loads or serves"),
        pytest.param(0.0, False, ("base", "first"), True, id="an adapter on its base's server"),
        pytest.param(0.0, False, ("other",), False, id="another model has the place"),
        pytest.param(0.0, True, ("first",), False, id="its server has left, and it is waited for again"),
        pytest.param(STALE + 5, False, ("first",), False, id="its server was killed"),
    ],
)
def test_who_is_waited_for_comes_first_until_it_has_a_place(
    store: Store, seen: float, ended: bool, models: tuple[str, ...], come: bool
) -> None:
    want(store, "first")
    serve(store, *models, seen=seen, ended=ended)
    assert Turn(store, ["first"]).has_come() is come


def test_every_model_before_it_has_to_have_its_place(store: Store) -> None:
    turn = Turn(store, ["first", "second"])
    want(store, "first")
    want(store, "second")
    life = serve(store, "first")
    assert not turn.has_come()
    serve(store, "second")
    assert turn.has_come()
    write(store, life.model_copy(update={"ended": True}))
    assert not turn.has_come(), "the first is waited for, and has gone"
