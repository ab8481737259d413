"""One per cent of new problems: which share of the tokens is generated again?"""

from __future__ import annotations

from pathlib import Path

from benchmarks.serving.served import answered, awaited_lease, ended_afterwards, start_client, start_server
from benchmarks.serving.workload import Workload, made
from tracemill.engine.store import Store


def refresh(workload: Workload) -> dict[str, object]:
    """Distil, add one per cent, distil again; the share is the second run's tokens over the first one's."""
    problems, root = workload.problems, workload.folder / "store"
    spent = [_tokens(workload, root, more) for more in (0, max(1, problems // 100))]
    assert len(made(Store.at(root.as_uri())).tokens) == problems + max(1, problems // 100)
    share = spent[1] / spent[0]
    print(f"refresh with 1 % new problems: {spent[1]:.0f} tokens after {spent[0]:.0f}, a share of {share:.4f}")
    return {"regenerated_share": round(share, 4)}


def _tokens(workload: Workload, root: Path, more: int) -> float:
    """Tokens that a server generates for one run over the problems."""
    workload.write(more)
    server, client = start_server(workload, root), start_client(workload, root)
    generated = 0.0
    with ended_afterwards(server, client):
        lease = awaited_lease(workload, root)
        while client.poll() is None:
            found = answered(lease)
            generated = found[1].generated if found else generated
    if client.returncode:
        raise RuntimeError(f"the client failed with {client.returncode}; see {root.parent / 'client.log'}")
    return generated
