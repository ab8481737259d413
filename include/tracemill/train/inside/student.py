"""trl's SFTTrainer, which also notes what each step was made of, and stops at a loss that is no number."""

from __future__ import annotations

import time
import zlib
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import TrainerCallback
from trl import SFTTrainer

from tracemill.train.inside.checkpoints import complete
from tracemill.train.inside.job import Events, Job, Told
from tracemill.train.inside.packs import keeps_apart
from tracemill.train.inside.sequences import sequences

_OF_ROWS = ("input_ids", "labels", "attention_mask", "position_ids")


class NotANumber(Exception):
    """The loss of these rows (their tokens) is no number; the weights are as they were before the step."""

    def __init__(self, step: int, loss: float, rows: list[list[int]]) -> None:
        super().__init__(f"step {step}: loss {loss}")
        self.step = step
        self.loss = loss
        self.rows = rows


class Student(SFTTrainer):  # type: ignore[misc]  # trl has no types
    """Notes of every step what it was made of, in a log that is part of each checkpoint and so outlives a restart.

    `tokens` were seen and `learned` by all devices in `seconds`; `rows` is a checksum of the tokens in their order, by
    which two trainings can be compared.
    """

    _loss: float
    _rows: int
    _tokens: int
    _learned: int

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._began = time.monotonic()
        self._packs_tried = not self.args.packing
        self._forget()

    def training_step(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        """One forward and backward pass. Raises NotANumber before anything is learned from such a loss, and Told before
        the first one for a model that does not keep the rows of a pack apart.
        """
        ids = inputs["input_ids"]
        self._try_packs(model, ids)
        labels = inputs["labels"]
        rows = {name: inputs[name] for name in _OF_ROWS if name in inputs}
        self._rows = zlib.crc32(ids.cpu().numpy().tobytes(), self._rows)
        self._tokens += int(inputs["attention_mask"].sum()) if "attention_mask" in inputs else ids.numel()
        self._learned += int((labels != -100).sum())
        loss = super().training_step(model, inputs, *rest, **named)
        if not torch.isfinite(loss).all():
            told = [ids for ids, _ in sequences(rows)]
            raise NotANumber(self.state.global_step + 1, float(loss.detach().sum()), told)
        self._loss += float(loss.detach())
        return loss

    def _try_packs(self, model: Any, ids: torch.Tensor) -> None:
        if self._packs_tried:
            return
        self._packs_tried = True
        bare = self.accelerator.unwrap_model(model)
        if not keeps_apart(model, bare.config, ids.to(self.accelerator.device), short=self.args.bf16):
            raise Told(
                f"{type(bare).__name__} reads the rows of a pack as one text here, so "
                "that each would be learned behind another one: set schedule.packing to false"
            )

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add what the step was made of."""
        if "loss" in logs:
            here = self.accelerator.device
            tokens, learned = self._of_all(torch.tensor([self._tokens, self._learned], device=here), "sum")
            (loss,) = self._of_all(torch.tensor([self._loss], dtype=torch.float64, device=here), "mean")
            now = time.monotonic()
            made = {"tokens": tokens, "learned": learned, "rows": self._rows, "seconds": round(now - self._began, 3)}
            logs = {**logs, "loss": loss, **made}  # transformers rounds its own
            self._began = now
            self._forget()
        super().log(logs, start_time)

    def _of_all(self, mine: torch.Tensor, how: str) -> list[Any]:
        found: list[Any] = self.accelerator.reduce(mine, how).tolist()
        return found

    def _forget(self) -> None:
        self._loss = 0.0
        self._rows = 0
        self._tokens = 0
        self._learned = 0


class Keeper(TrainerCallback):  # type: ignore[misc]  # transformers is not typed here
    """Gives whole checkpoints their place, and tells of every step."""

    def __init__(self, job: Job, events: Events) -> None:
        self._job = job
        self._events = events

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """All processes have written their parts of the checkpoint: now it may be seen."""
        PartialState().wait_for_everyone()
        if state.is_world_process_zero:
            complete(Path(self._job.work), state.global_step, self._job.identity)
            self._events.tell("saved", step=state.global_step)
        PartialState().wait_for_everyone()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """A step is done."""
        if logs and "loss" in logs:
            facts = {name: logs.get(name) for name in ("loss", "learning_rate", "tokens", "learned", "rows", "seconds")}
            self._events.tell("step", step=state.global_step, of=state.max_steps, **facts)
