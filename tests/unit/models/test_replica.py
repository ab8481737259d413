"""How a server's life ends that nobody may ask for now: once it has nothing to do, and not while anything flies."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.build.asks import model
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.models.lease import want
from tracemill.models.server import replica as module
from tracemill.models.server.metrics import Gauges
from tracemill.models.server.replica import Replica


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.02)


def sound(gauges: Gauges) -> tuple[Any, Any]:
    """A server that works, and its heart."""
    return SimpleNamespace(check=lambda: None), SimpleNamespace(gauges=gauges, check=lambda _model: None)


def test_a_paused_server_goes_though_somebody_wanted_it_a_moment_ago(tmp_path: Path) -> None:
    """Trap: who waits for a model says so every few seconds, and that word holds for a minute."""
    store = Store.at(str(tmp_path), create=True)
    want(store, "tiny")
    paused = Replica(model(idle=300), 0, store, Resources(), lambda: False, paused=lambda: True)
    server, heart = sound(Gauges(generated=40))
    assert paused._watch(server, heart).why == "idle"


def test_a_paused_server_stays_until_what_flies_is_answered(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path), create=True)
    paused = Replica(model(idle=300), 0, store, Resources(), lambda: False, paused=lambda: True)
    server, heart = sound(Gauges(running=2))
    answered = threading.Timer(0.3, lambda: setattr(heart, "gauges", Gauges()))
    began = time.monotonic()
    answered.start()
    assert paused._watch(server, heart).why == "idle"
    assert time.monotonic() - began >= 0.3
