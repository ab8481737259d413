"""A run whose teacher a server of the run serves, as far as leases and records tell, without any server."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.models.costs import ServerLife, write
from tracemill.models.fake import FakeServer
from tracemill.models.lease import Lease, renew
from tracemill.recipe import load_recipe

IDENTITY = "org/tiny@abc"
WRONG = 3  # what this number is added to comes out wrong


def say(prompt: str, _seed: int) -> str:
    """Adds the two numbers of a question, but for one that it gets wrong."""
    first, second = (int(word) for word in prompt.split() if word.isdigit())
    return f"<think>adding {first} and {second}</think>The answer is \\boxed{{{first + second + (first == WRONG)}}}."


def served(tmp_path: Path, model: Mapping[str, Any], **more: Any) -> str:
    """The file of a recipe with two sources of six sums each, distilled by this model up to the release."""
    for name in ("mine", "other"):
        start = 1 if name == "mine" else 101
        rows = [{"q": f"What is {n} plus {n * n + 10} ?", "a": str(n + n * n + 10)} for n in range(start, start + 6)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = {"prompt": "q", "reference_answer": "a"}
    source = {"kind": "jsonl", "category": "math", "columns": columns}
    data = {
        "name": "priced",
        "description": "Two shards of sums.",
        "sources": [{**source, "name": name, "path": str(tmp_path / f"{name}.jsonl")} for name in ("mine", "other")],
        "steps": {
            "distill": {"kind": "distill", "teacher": {"kind": "chat", "model": {"name": "tiny", **model}}},
            "verify_math": {"kind": "verify", "verifiers": [{"kind": "math"}]},
            "select": {"kind": "select"},
            "release": {"kind": "release"},
        },
        **more,
    }
    path = tmp_path / "priced.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return str(path)


WEIGHTS = {"weights": "org/tiny", "revision": "abc"}


def lease(store: Store, server: str) -> None:
    """Let the teacher answer at a server of that name."""
    told = {"model": "tiny", "identity": IDENTITY, "replica": 0, "host": "h", "pid": 1, "renewed": 0}
    renew(store, Lease.model_validate({**told, "url": f"http://{server}", "server": server}))


def tell(store: Store, server: str, **more: Any) -> ServerLife:
    """Write down a server's life: one GPU for a hundred seconds, of which it used half."""
    now = time.time()
    told = {"server": server, "models": ("tiny",), "replica": 0, "host": "h", "unit": "GPU", "devices": 1}
    life = ServerLife.model_validate({**told, "began": now - 100, "seen": now, "ended": True, "busy": 50.0, **more})
    write(store, life)
    return life


def ran(path: str, root: Path, server: FakeServer | None = None, *, steps: Sequence[str] = ()) -> Store:
    """Run the recipe on a store, where the server `one` serves its model; returns the store."""
    recipe = load_recipe(path)
    machine = Resources(workers=1, environment={}, transport=server or FakeServer(say=say))
    store = Store.at(str(root), create=True)
    lease(store, "one")
    for name in steps or recipe.pipeline():
        shards = shard_count(store) if name != "plan" and recipe.step(name).shape == "map" else 1
        for shard in range(shards):
            run_shard(recipe, store, name, shard, machine)
    return store
