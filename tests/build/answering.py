"""Fake teachers in the places of the zoo's, that know the demo's open problems."""

from __future__ import annotations

import json
from typing import Any

from tracemill.engine.resources import SHIPPED
from tracemill.models.fake import FakeServer

_FILE = SHIPPED / "problems" / "demo_open.jsonl"
OPEN = {row["prompt"]: row for row in map(json.loads, _FILE.read_text(encoding="utf-8").splitlines())}


def asked(prompt: str) -> dict[str, Any]:
    """The problem that a prompt puts, with whatever a teacher is told beside it."""
    row: dict[str, Any] = OPEN[max((text for text in OPEN if text in prompt), key=len)]
    return row


def is_right(seed: int, share: int) -> bool:
    """Whether a teacher that is right in so many of four samples is right in this one."""
    return seed % 4 < share


def solving(share: int) -> FakeServer:
    """A teacher that is right in so many of four samples, by its seed; of programs it writes a wrong one."""

    def say(prompt: str, seed: int) -> str:
        answer = asked(prompt)["reference_answer"] if is_right(seed, share) else "no idea"
        said = f"\\boxed{{{answer}}}" if answer else "```python\ndef nothing(x):\n    return None\n```"
        return f"<think>\nhm\n</think>\n<answer>\n{said}\n</answer>"

    return FakeServer(say=say)
