"""Samples and leases on S3: listing, joining and removing by keys that have no leading slash there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from tracemill.engine.keys import keys_below, remove
from tracemill.engine.store import Store
from tracemill.models.lease import Lease, live_leases, renew, want, wanted, withdraw
from tracemill.models.request import Ask, Reply
from tracemill.models.samples import SampleStore

KEYS = [Ask("/v1/completions", {"prompt": str(n)}).key("w") for n in range(3)]


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    bucket = f"samples-{uuid.uuid4().hex}"  # moto keeps its buckets, and fsspec its drivers, as long as the process
    client = {"endpoint_url": f"http://{host}:{port}"}
    options = {"key": "k", "secret": "s", "client_kwargs": client, "skip_instance_cache": True}
    s3fs.S3FileSystem(**options).mkdir(bucket)
    yield Store.at(f"s3://{bucket}/base/run", create=True, **options)
    server.stop()


def test_parts_are_found_joined_and_removed(store: Store) -> None:
    samples = SampleStore(store, "w")
    for key in KEYS[:2]:
        samples.add({key: Reply(key)}, "near")
    assert len(keys_below(store, samples.folder)) == 2
    assert {reply.text for reply in samples.find(KEYS, "near").values()} == set(KEYS[:2])
    samples.join("near")
    (joined,) = keys_below(store, samples.folder)
    assert set(samples.find(KEYS, "elsewhere")) == set(KEYS[:2])
    remove(store, joined)
    remove(store, joined)
    assert samples.find(KEYS, "near") == {}


def test_leases_come_and_go(store: Store) -> None:
    lease = renew(store, Lease(model="tiny", identity="a", replica=0, url="u", host="h", pid=1, renewed=0))
    want(store, "tiny")
    assert wanted(store, "tiny")
    assert [found.url for found in live_leases(store, "tiny", "a")] == ["u"]
    withdraw(store, lease)
    assert live_leases(store, "tiny", "a") == []
