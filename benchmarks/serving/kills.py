"""kill -9 of the client, of the serve process, and of vLLM itself, in the middle of the shards: what is paid twice?"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import replace

from benchmarks.serving.served import answered, awaited_lease, ended_afterwards, start_client, start_server
from benchmarks.serving.workload import CONCURRENCY, Workload, made
from tracemill.serving.guard import descendants
from tracemill.serving.lease import Lease
from tracemill.shards import Store

SHARDS_AT_ONCE = 4


def kills(workload: Workload) -> dict[str, object]:
    """Kill each of the three once; every run must complete. The server is started again as Airflow's retry would."""
    results: dict[str, object] = {}
    for victim in ("client", "serve", "vllm"):
        own = replace(workload, folder=workload.folder / victim)
        twice = one_kill(own, victim)
        allowed = CONCURRENCY * SHARDS_AT_ONCE
        print(f"kill -9 of {victim}: complete, {twice} answers paid twice (at most {allowed} in flight)")
        results[f"paid_twice_{victim}"] = twice
    return results


def one_kill(workload: Workload, victim: str) -> int:
    """Distil, kill the victim when about a third is done, start it again; returns how many answers were paid twice."""
    problems, root = workload.problems, workload.folder / "store"
    workload.write()
    server, client = start_server(workload, root), start_client(workload, root)
    with ended_afterwards(server, client):
        lease = awaited_lease(workload, root)
        paid = _await_answers(lease, problems // 3, client)
        _kill(victim, server, client)
        moment = time.time()
        if victim == "client":
            client = start_client(workload, root)
        else:
            assert server.wait(60) != 0, "the serve process took its server's death for success"
            server = start_server(workload, root)
            lease = awaited_lease(workload, root, after=moment)
        with ended_afterwards(server, client):
            last = _await_end(lease, client)
    assert len(made(Store.at(root.as_uri())).tokens) == problems
    return max(0, last - problems + (0 if victim == "client" else paid))


def _await_answers(lease: Lease, count: int, client: subprocess.Popen[bytes]) -> int:
    """Wait until the server has answered so many; returns how many it has."""
    while True:
        found = answered(lease)
        if found and found[0] >= count:
            return found[0]
        if client.poll() is not None:
            raise RuntimeError(f"the client ended with {client.returncode} before it could be killed")
        time.sleep(0.1)


def _await_end(lease: Lease, client: subprocess.Popen[bytes]) -> int:
    """Wait until the client is done; returns how many requests the server had answered when last seen."""
    last = 0
    while client.poll() is None:
        found = answered(lease)
        last = found[0] if found else last
        time.sleep(0.3)
    if client.returncode:
        raise RuntimeError(f"the client failed with {client.returncode}; see client.log")
    found = answered(lease)
    return found[0] if found else last


def _kill(victim: str, server: subprocess.Popen[bytes], client: subprocess.Popen[bytes]) -> None:
    if victim == "client":
        client.kill()
        client.wait()
    elif victim == "serve":
        server.kill()
    else:
        guard = next(iter(descendants(server.pid)))
        os.kill(next(iter(descendants(guard))), signal.SIGKILL)
