"""What a client costs and what it loses, against servers on loopback: no model, so that only our own work is measured.

The server is a process of its own (`python -m benchmarks.serving.wire SLOTS SECONDS WORDS`), so the processor time of
this process is the client's alone: requests, answers, and the sample store, as a shard fetches them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.lease import Lease
from tracemill.models.model import Model, Serve
from tracemill.models.request import Ask, Reply
from tracemill.models.server.heart import Heart
from tracemill.models.server.metrics import Gauges
from tracemill.models.session import Feed

IDENTITY = {"weights": "org/fake", "revision": "1"}
IN_FLIGHT = 2000
WORDS = 4000  # of an answer, about as many tokens
PATIENCE = 300.0  # seconds without a server after which a measurement fails


def spoken(words: int) -> Any:
    """What the fake server says: a function of prompt and seed alone."""
    return lambda prompt, seed: f"<think>{'so ' * words}</think>{prompt} {seed}"


@contextmanager
def server(slots: int, seconds: float, words: int) -> Iterator[str]:
    """A fake server in a process of its own; its address."""
    command = [sys.executable, "-m", "benchmarks.serving.wire", str(slots), str(seconds), str(words)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the fake server has no pipes")
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(30)


def asks(count: int) -> list[Ask]:
    """Requests that differ in their prompts."""
    turns = [[{"role": "user", "content": f"problem {n}"}] for n in range(count)]
    return [Ask("/v1/chat/completions", {"messages": messages, "seed": 1, "max_tokens": 100_000}) for messages in turns]


def feed_of(root: Path, url: str = "", **serve: Any) -> Feed:
    """One shard's feed: from the endpoint at `url`, or from whatever has a lease on the store."""
    model = Model(name="fake", serve=Serve(**{"patience": PATIENCE, **serve}), **IDENTITY)
    named = json.dumps({"fake": [{"url": url, "model": "fake"}]} if url else {})
    return Feed(model, Store.at(str(root), create=True), Resources(workers=1, environment={ENDPOINTS: named}), "near")


def lease_of(url: str, replica: int = 0) -> Lease:
    """A lease of one of the servers that a feed asks."""
    return Lease(model="fake", identity="org/fake@1", replica=replica, url=url, host="h", pid=1 + replica, renewed=0)


class Sound:
    """A server that is always well, as a heart sees it."""

    def healthy(self) -> bool:
        """It is."""
        return True

    def gauges(self) -> Gauges:
        """It has nothing to do."""
        return Gauges()


@contextmanager
def leased_feed(root: Path, url: str, **serve: Any) -> Iterator[Feed]:
    """A feed from a server whose lease is renewed while the block runs, as a serve task does it: on a busy machine a
    measurement takes longer than a lease counts, and its client would wait for a server that is there.
    """
    feed = feed_of(root, **serve)
    with Heart(feed.store, lease_of(url), Sound()):
        yield feed


def client_cost() -> dict[str, float]:
    """Processor milliseconds of the client for an answer of WORDS words at IN_FLIGHT requests in flight."""
    wanted = asks(3 * IN_FLIGHT)
    with (
        tempfile.TemporaryDirectory() as folder,
        server(IN_FLIGHT, 3.0, WORDS) as url,
        leased_feed(Path(folder), url, concurrency=IN_FLIGHT) as feed,
    ):
        began, wall = time.process_time(), time.monotonic()
        found = feed.answers(wanted)
        spent = time.process_time() - began
        took = time.monotonic() - wall
    if not all(isinstance(one, Reply) for one in found):
        raise RuntimeError("an answer is missing")
    return {
        "client_ms_per_answer": round(1000 * spent / len(wanted), 3),
        "answers_per_s": round(len(wanted) / took, 1),
        "answers_per_cpu_s": round(len(wanted) / spent, 1),
    }


def over_subscribed() -> dict[str, float]:
    """Rows lost and tokens wasted when sixteen times as much is in flight as the server works on."""
    wanted = asks(512)
    with tempfile.TemporaryDirectory() as folder, on_socket(FakeServer(say=spoken(50)), slots=16, seconds=0.25) as full:
        feed = feed_of(Path(folder), full.url, concurrency=256, silence=2.0)
        found = feed.answers(wanted)
        useful = sum(one.completion_tokens or 0 for one in found if isinstance(one, Reply))
        lost = sum(not isinstance(one, Reply) for one in found)
        wasted = 1 - useful / max(1, full.generated)
    with tempfile.TemporaryDirectory() as folder, on_socket(FakeServer(say=spoken(50)), slots=512) as quiet:
        expected = feed_of(Path(folder), quiet.url).answers(wanted)
    same = [getattr(a, "text", None) == getattr(b, "text", "") for a, b in zip(found, expected, strict=True)]
    return {"lost_at_16x": lost, "wasted_tokens_at_16x": round(wasted, 4), "changed_at_16x": same.count(False)}


def main() -> None:
    """Serve until standard input ends."""
    slots, seconds, words = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    with on_socket(FakeServer(say=spoken(words)), slots=slots, seconds=seconds) as served:
        print(served.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
