"""Stands in for the python of .venv-train: does what its first line says instead of training. Run by path.

A test writes a copy that begins with `HOW = ...`; the job is the last argument, as in a real training.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

HOW = "trains"

job = json.loads(Path(sys.argv[-1]).read_text())
work = Path(job["work"])


def tell(event: str, **facts: object) -> None:
    with (work / "events.jsonl").open("a") as file:
        file.write(json.dumps({"event": event, "at": time.time(), **facts}) + "\n")


(work / "masks.txt").write_text("asked⟦learned⟧\n")
tell("mask", text="asked⟦learned⟧")
tell("began", rows=3, sequences=3, resumed=None)
if HOW == "refuses":
    tell("refused", why="the loss of step 2 is nan, with the rows g7, g9: look at them")
    sys.exit(3)
if HOW == "dies":
    print("CUDA out of memory", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
if HOW == "raises":
    print("Traceback (most recent call last):\n  File 'x.py', line 1\nValueError: the disk is full")
    print("Traceback (most recent call last):\n  File '/lib/accelerate/commands/launch.py', line 999")
    print("subprocess.CalledProcessError: Command '[...]' returned non-zero exit status 1.", flush=True)
    sys.exit(1)
model = work / "finished" / "model"
model.mkdir(parents=True)
(model / "model.safetensors").write_bytes(b"weights")
(model / "config.json").write_text("{}")
step = {"step": 1, "loss": 1.5, "learning_rate": 0.001, "tokens": 90, "learned": 40, "rows": 7, "seconds": 0.5}
(work / "finished" / "history.json").write_text(json.dumps([step, {**step, "step": 2, "loss": 1.25}]))
tell("finished", step=2)
