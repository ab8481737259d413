"""A run without a scheduler serves its own models: only when a stage needs one, and not when that fails to start."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.build.served import MACHINE, sealed, written
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import ServingError
from tracemill.local.hosting import hosted
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.lease import Lease, renew

LEASE = Lease(
    model="tiny", identity="org/tiny@abc", replica=0, url="http://127.0.0.1:1", host="h", pid=1, renewed=time.time()
)
NO_VLLM = Resources(workers=1, environment={"TRACEMILL_VLLM_PYTHON": "/nowhere/python"})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


def test_a_server_that_cannot_start_is_an_error_at_once(tmp_path: Path, store: Store) -> None:
    recipe = written(tmp_path)
    sealed(recipe, store, ("ingest", "label"))
    began = time.monotonic()
    with pytest.raises(ServingError, match="make vllm"), hosted(recipe, store, "distill", [0, 1], NO_VLLM):
        pytest.fail("nobody serves this model")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("stage", "done"),
    [
        pytest.param("label", ("ingest",), id="a stage that asks no model"),
        pytest.param("distill", ("ingest", "label", "distill"), id="a stage that is sealed"),
    ],
)
def test_nothing_is_served_in_vain(tmp_path: Path, store: Store, stage: str, done: tuple[str, ...]) -> None:
    recipe = written(tmp_path)
    sealed(recipe, store, done)
    with hosted(recipe, store, stage, [0, 1], NO_VLLM) as names:
        assert names == ()


@pytest.mark.server
def test_an_endpoint_and_a_lease_of_another_are_left_to_answer(tmp_path: Path, store: Store) -> None:
    recipe = written(tmp_path)
    sealed(recipe, store, ("ingest", "label"))
    with hosted(recipe, store, "distill", [0, 1], MACHINE) as names:
        assert names == ()
    with on_socket(FakeServer()) as other:
        renew(store, LEASE.model_copy(update={"url": other.url}))
        with hosted(recipe, store, "distill", [0, 1], NO_VLLM) as names:
            assert names == ()


def test_a_lease_that_outlived_its_server_is_not_believed(tmp_path: Path, store: Store) -> None:
    """Trap: after a kill -9 the lease is fresh for a minute, and a run that believes it waits for nobody."""
    recipe = written(tmp_path)
    sealed(recipe, store, ("ingest", "label"))
    renew(store, LEASE)
    with pytest.raises(ServingError, match="make vllm"), hosted(recipe, store, "distill", [0, 1], NO_VLLM):
        pytest.fail("nobody serves this model")
