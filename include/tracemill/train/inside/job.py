"""What one training is told, as a JSON file, and what it tells while it goes on, as lines of JSON in another."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

EVENTS = "events.jsonl"
FINISHED = "finished"  # the folder below `work` that is there when the training is over: MODEL and HISTORY
MODEL = "model"
HISTORY = "history.json"
MASKS = "masks.txt"


class Told(Exception):
    """The training cannot go on, and its text says why: other settings or other rows are needed, no other try."""


@dataclass(frozen=True)
class Job:
    """One training. `work`: its folder, where checkpoints lie and the student will. Lengths are tokens.

    `rows`: Parquet files, in order; `left_out`: ids of rows that are not trained on. `marked`: the loss is on what the
    template marks as the assistant's (conversations), else on the completion. `batch`: rows of a step (packs of
    `max_length` tokens, where rows are packed), of which each of `devices` has `per_device` at once.
    """

    identity: str
    work: str
    base: str
    revision: str | None
    tokenizer: str
    rows: tuple[str, ...]
    left_out: tuple[str, ...]
    marked: bool
    max_length: int | None
    packing: bool
    learning_rate: float
    warm_up: float
    epochs: float
    batch: int
    devices: int
    per_device: int
    seed: int
    precision: str
    attention: str
    recompute: bool
    save_every: int
    shown: int
    on_cpu: bool
    ends: str | None = None  # the token that ends a response, at which whatever serves the student is to stop

    @property
    def accumulated(self) -> int:
        """How many times each device goes through `per_device` rows before a step."""
        return self.batch // (self.per_device * self.devices)

    def write(self, path: Path) -> None:
        """Write it for the process that trains."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def read_job(path: Path) -> Job:
    """The job of a file that `Job.write` wrote."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return Job(**{**data, "rows": tuple(data["rows"]), "left_out": tuple(data["left_out"])})


@dataclass(frozen=True)
class Events:
    """Where a training tells what happens, a line an event; processes that are not the first say nothing."""

    path: Path
    speaks: bool = True

    def tell(self, event: str, **facts: Any) -> None:
        """Append one event with the time."""
        if not self.speaks:
            return
        line = json.dumps({"event": event, "at": round(time.time(), 3), **facts}, ensure_ascii=False)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
