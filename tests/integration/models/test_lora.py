"""Two adapters and their base on one real vLLM: each answers under its own name, and only what an adapter changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.build.adapter import adapter
from tests.integration.models.conftest import ZOO, embedded
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.models.lease import live_leases
from tracemill.models.model import Model
from tracemill.models.request import Ask, Reply
from tracemill.models.server.heart import Heart
from tracemill.models.server.process import Server
from tracemill.models.server.replica import Replica
from tracemill.models.session import Feed
from tracemill.models.sharing import families

pytestmark = pytest.mark.timeout(900)
BASE = ZOO / "teacher-small"
HERE = Resources()


def adapted(name: str, folder: Path) -> Model:
    plain = embedded("teacher-small")
    return plain.model_copy(update={"name": name, "engine": plain.engine.model_copy(update={"lora": str(folder)})})


def said(model: Model, store: Store) -> list[str]:
    """What the model answers, greedily, through its own lease."""
    turns = [[{"role": "user", "content": f"Calculate {n} + {n + 3}."}] for n in range(6)]
    body = {"temperature": 0.0, "max_tokens": 60, "seed": 1}
    asks = [Ask("/v1/chat/completions", {"messages": messages, **body}) for messages in turns]
    answers = Feed(model, store, HERE, "near").answers(asks)
    return [answer.text for answer in answers if isinstance(answer, Reply)]


def test_two_adapters_and_their_base_share_a_server(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "store"), create=True)
    none = adapted("none", adapter(tmp_path / "none", rank=8, base=BASE, strength=0.0))
    much = adapted("much", adapter(tmp_path / "much", rank=24, base=BASE, strength=3.0))
    plain = embedded("teacher-small")
    ((first, *others),) = families([none, much, plain])
    with Server(first, HERE, 0, tmp_path / "log", others) as server:
        server.start()
        leases = [Replica(one, 0, store, HERE, lambda: False)._lease(one, server) for one in (none, much, plain)]
        with Heart(store, leases, server):
            answers = {one.name: said(one, store) for one in (none, much, plain)}
    assert [len(texts) for texts in answers.values()] == [6, 6, 6]
    assert answers["none"] == answers["teacher-small"]
    assert answers["much"] != answers["teacher-small"]
    identities = {lease.identity for lease in leases}
    assert len(identities) == 3, json.dumps(sorted(identities))
    assert live_leases(store, "much", leases[1].identity) == [], "they go with the server"
