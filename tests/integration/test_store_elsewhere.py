"""The store's promises on an S3 server and on a disk that is really full."""

from __future__ import annotations

import errno
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from tests.build.fakes import FakePlan, fake_recipe
from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Manifest, Store
from tracemill.errors import StoreError
from tracemill.recipe import Recipe

KEY = {"key": "test", "secret": "test"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def options(endpoint: str) -> dict[str, Any]:
    """How fsspec reaches the server; `bucket` exists."""
    import s3fs

    options = {**KEY, "client_kwargs": {"endpoint_url": endpoint}}
    disk = s3fs.S3FileSystem(**options, skip_instance_cache=True)
    if not disk.exists("bucket"):
        disk.mkdir("bucket")
    return options


def run(recipe: Recipe, store: Store) -> list[str]:
    """Run everything; the names of the shards that were computed."""
    computed = []
    for name, step in recipe.pipeline().items():
        for index in range(shard_count(store)) if step.shape == "map" else [0]:
            result = run_shard(recipe, store, name, index, Resources(workers=1))
            computed += [] if result.reused else [f"{name}[{index}]"]
    return computed


def test_a_recipe_on_s3_gives_the_bytes_of_a_local_disk(options: dict[str, Any], tmp_path: Path) -> None:
    here = Store.at(str(tmp_path / "store"), create=True)
    there = Store.at("s3://bucket/run/one", create=True, **options)
    assert run(fake_recipe(), here) == run(fake_recipe(), there) != []

    for path in Path(here.root).rglob("*.parquet"):
        assert there.read_bytes(str(path.relative_to(here.root))) == path.read_bytes()
    assert run(fake_recipe(), Store.at("s3://bucket/run/one", **options)) == []


def test_a_new_shard_is_seen_by_a_store_that_looked_before(options: dict[str, Any]) -> None:
    """Listing caches of the driver must not hide what another process wrote."""
    writer = Store.at("s3://bucket/run/two", create=True, **options)
    reader = Store.at("s3://bucket/run/two", **options)
    assert reader.manifest("plan", 0) is None

    run_shard(fake_recipe(plan=FakePlan(shards=3)), writer, "plan", 0, Resources(workers=1))

    assert reader.manifest("plan", 0) is not None


def test_the_first_seal_wins_on_s3(options: dict[str, Any]) -> None:
    one, two = (Store.at("s3://bucket/run/three", create=True, **options) for _ in range(2))
    counts = {"entered": 0, "kept": 0, "rejected": {}, "quarantined": {}}
    values = {"step": "s", "index": 0, "fingerprint": "f" * 40, "unit": "row", "counts": counts, "tables": {}}
    first, late = (Manifest.model_validate({**values, "seconds": seconds}) for seconds in (1.0, 2.0))

    assert one.seal(first) == first
    assert two.seal(late) == first


class Refuses(BaseHTTPRequestHandler):
    """An S3 server that holds every object already, and says so in the words of `refusal`."""

    protocol_version = "HTTP/1.1"  # which knows "Expect: 100-continue", as clients of S3 send it
    refusal = ""

    def do_PUT(self) -> None:
        assert self.headers["If-None-Match"] == "*"
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(412)
        self.send_header("Content-Length", str(len(self.refusal)))
        self.end_headers()
        self.wfile.write(self.refusal.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


_REFUSAL = "<Error><Code>PreconditionFailed</Code><Message>did not hold</Message>{}</Error>"


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(_REFUSAL.format("<Condition>If-None-Match</Condition>"), id="AWS names the condition"),
        pytest.param(_REFUSAL.format("<Resource>/bucket/run/a</Resource>"), id="SeaweedFS and MinIO do not"),
        pytest.param("", id="a bare 412, as of a proxy"),
    ],
)
def test_an_object_that_is_there_is_no_failing_store_however_the_server_says_so(refusal: str) -> None:
    """Trap: of two copies of a task the later one failed with "cannot write" where it should take the first one's."""
    import s3fs

    with ThreadingHTTPServer(("127.0.0.1", 0), type("Server", (Refuses,), {"refusal": refusal})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = {"endpoint_url": f"http://127.0.0.1:{server.server_port}"}
        disk = s3fs.S3FileSystem(**KEY, client_kwargs=client, skip_instance_cache=True)
        assert ObjectStore(disk, "bucket/run").create_bytes("a", b"mine") is False
        server.shutdown()


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        pytest.param("s3://no-such-bucket/run", {}, id="no such bucket"),
        pytest.param("s3://bucket/run", {"endpoint": "http://127.0.0.1:9"}, id="server gone"),
    ],
)
def test_a_server_that_does_not_answer_is_no_empty_store(
    options: dict[str, Any], url: str, changes: dict[str, str]
) -> None:
    client = {**options["client_kwargs"], **({"endpoint_url": changes["endpoint"]} if changes else {})}
    quick = {"connect_timeout": 1, "retries": {"max_attempts": 1}}

    with pytest.raises(StoreError, match="run" if changes else "no-such-bucket"):
        Store.at(url, create=True, **KEY, client_kwargs=client, config_kwargs=quick, skip_instance_cache=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB; only root may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    with ballast.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(1024))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return


def test_a_full_disk_stops_with_one_clear_error_and_a_retry_goes_on(small_disk: Path, tmp_path: Path) -> None:
    recipe, store = fake_recipe(), Store.at(str(small_disk / "store"), create=True)
    run_shard(recipe, store, "plan", 0, Resources(workers=1))
    ballast = small_disk / "ballast"
    fill(ballast)

    with pytest.raises(StoreError, match="the disk is full: free space and retry"):
        run_shard(recipe, store, "ingest", 0, Resources(workers=1))
    assert store.manifest("ingest", 0) is None
    assert not list(Path(store.root).rglob("*.part"))

    ballast.unlink()
    assert "ingest[0]" in run(recipe, store)
    alone = Store.at(str(tmp_path / "alone"), create=True)
    run(recipe, alone)
    released, expected = store.manifest("gather", 0), alone.manifest("gather", 0)
    assert released is not None
    assert expected is not None
    assert released.files == expected.files
