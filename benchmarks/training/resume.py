"""How far the loss of a training that is killed with -9 three times is from that of one that nobody disturbs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.build.training import LACKING, after_save, at_step, has_environment, job, killed, run, while_saving

_KILLS = (at_step(4), while_saving(9), after_save(15))  # between checkpoints, within one, right after one


def figures() -> dict[str, float | int]:
    """`resume_loss_gap`: the greatest difference at any step. `resume_order_changed`: steps made of other rows."""
    if not has_environment():
        print(LACKING)
        return {}
    with TemporaryDirectory(prefix="tracemill-") as scratch:
        whole = run(job(Path(scratch) / "whole", 80))
        one = job(Path(scratch) / "killed", 80)
        for kill in _KILLS:
            killed(one, kill)
        resumed = run(one)
    pairs = list(zip(whole, resumed, strict=True))
    return {
        "resume_steps": len(pairs),
        "resume_kills": len(_KILLS),
        "resume_loss_gap": max(abs(a["loss"] - b["loss"]) for a, b in pairs),
        "resume_order_changed": sum(a["rows"] != b["rows"] for a, b in pairs),
    }
