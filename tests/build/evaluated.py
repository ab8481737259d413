"""The recipe `evaluate_demo` on some of its rows, with fake servers in its models' places."""

from __future__ import annotations

import hashlib
import json
import os
import signal

from rich.console import Console

from tests.build.several import Servers
from tracemill.engine.resources import SHIPPED, Resources
from tracemill.engine.trial import trial_root
from tracemill.local.run import Run
from tracemill.models.endpoints import ENDPOINTS
from tracemill.models.fake import FakeServer
from tracemill.recipe import load_recipe

ROWS = 24
SAMPLES = 4
SHARES = {"teacher-weak": 0.3, "teacher-small": 0.9}
_FILE = SHIPPED / "problems" / "demo_open.jsonl"
OPEN = {row["prompt"]: row for row in map(json.loads, _FILE.read_text(encoding="utf-8").splitlines())}


def asked(models: Servers) -> list[tuple[str, str, int]]:
    """Model, prompt and seed of every answer that was asked for."""
    return [
        (name, request["messages"][-1]["content"], request["seed"])
        for name, server in models.by_host.items()
        for request in server.generated
    ]


def gold_of(prompt: str) -> str | None:
    """The answer to the problem that a prompt puts, with whatever a model is told beside it; None for programs."""
    gold: str | None = OPEN[max((text for text in OPEN if text in prompt), key=len)]["reference_answer"]
    return gold


def right(prompt: str, seed: int, share: float) -> bool:
    """Whether a model that is right in such a share of its samples is right in this one."""
    return int(hashlib.sha256(f"{prompt}{seed}".encode()).hexdigest()[:8], 16) / 16**8 < share


def said(prompt: str, seed: int, share: float) -> str:
    """What such a model says; of programs always a wrong one."""
    gold = gold_of(prompt)
    answer = f"\\boxed{{{gold if right(prompt, seed, share) else -1}}}"
    program = "```python\ndef nothing(x):\n    return None\n```"
    return f"<think>\nhm {seed}\n</think>\n<answer>\n{answer if gold else program}\n</answer>"


def servers() -> Servers:
    """A server for each of the recipe's models."""
    return Servers({n: FakeServer(say=lambda p, s, share=share: said(p, s, share)) for n, share in SHARES.items()})  # type: ignore[misc]


def demo(folder: str, models: Servers) -> Run:
    """The recipe on ROWS rows, on a store below the folder; nothing was run yet."""
    at = {name: [{"url": f"http://{name}", "model": name}] for name in models.by_host}
    machine = Resources(workers=1, environment={ENDPOINTS: json.dumps(at)}, transport=models)
    recipe = load_recipe("evaluate_demo").tried_on(ROWS)
    return Run(recipe, trial_root(f"{folder}/store", ROWS), machine, Console(quiet=True))


def demo_that_dies(folder: str, answers: int) -> None:
    """Run it in this process, which is killed (SIGKILL) when the second model has given so many answers."""
    models = servers()
    given = []

    def say(prompt: str, seed: int) -> str:
        given.append(seed)
        if len(given) > answers:
            os.kill(os.getpid(), signal.SIGKILL)
        return said(prompt, seed, SHARES["teacher-small"])

    student = models.by_host["teacher-small"]
    student.say = say
    student.seconds = lambda prompt, seed: (seed % 10) / 10  # so that answers come one after the other
    demo(folder, models).go()
