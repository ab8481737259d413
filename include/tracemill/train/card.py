"""Writes a student's card: what it was made from, how, at what cost; and the picture of its loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from tracemill.engine.objects import store_io
from tracemill.release.drawing import BAR, INK, drawn
from tracemill.release.markdown import table
from tracemill.release.proof.templates import TRL
from tracemill.train.schedule import Schedule
from tracemill.train.telling import spoken

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CARD = "README.md"
PICTURE = "loss.png"
_KEPT = ("license", "language")  # of the card of the release: they hold for a student, too
TOO_LONG = "too_long"
_LAST = 20  # steps whose mean loss is called the last one


@dataclass(frozen=True)
class Facts:
    """What a student was made from. `release`: the head of its card; `proof`: what the proof says of itself.

    `left_out`: rows that were not trained on, by id with the reason.
    """

    base: str
    identity: str
    release: Mapping[str, Any]
    proof: Mapping[str, Any]
    rows: int
    left_out: Mapping[str, str]

    def cost(self, curve: pa.Table) -> dict[str, Any]:
        """Steps, tokens, those of them in the loss, and seconds of the training itself, over all its tries."""
        sums = {name: pc.sum(curve[name]).as_py() or 0 for name in ("tokens", "learned", "seconds")}
        return {"base": self.base, "steps": curve.num_rows, **sums, "seconds": round(sums["seconds"], 1)}


def write_card(facts: Facts, schedule: Schedule, curve: pa.Table, folder: Path) -> dict[str, Path]:
    """The card and the picture as files below `folder`, by their names."""
    with store_io("cannot write the student's scratch files"):
        (folder / CARD).write_text(student_card(facts, schedule, curve), encoding="utf-8")
        drawn(lambda figure: _curve(figure, curve), folder / PICTURE)
    return {CARD: folder / CARD, PICTURE: folder / PICTURE}


def student_card(facts: Facts, schedule: Schedule, curve: pa.Table) -> str:
    """The text of README.md."""
    title = facts.release.get("pretty_name", "tracemill release")
    kept = {name: facts.release[name] for name in _KEPT if name in facts.release}
    head = {**kept, "library_name": "transformers", "pipeline_tag": "text-generation", "tags": ["tracemill", "sft"]}
    block = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    cost = facts.cost(curve)
    losses = curve["loss"].to_pylist()
    last = losses[-_LAST:]
    made = (
        ("weights before", facts.base),
        ("data", f"{title}, content {facts.proof['release'][:12]} (`tracemill versions`)"),
        ("rows", facts.rows),
        *_left_out(Counter(facts.left_out.values())),
        ("template and layout", f"{facts.proof['template']}, {facts.proof['layout']}"),
        ("a response ends with", facts.proof.get("ends") or "no token of its own"),
        ("system prompt", facts.proof["system"] or "none"),
        ("rows with a fault, which the recipe allows", _faults(facts.proof["faults"])),
        ("longest row (tokens)", facts.proof["max_length"]),
        ("tokens seen, and those of them in the loss", f"{cost['tokens']:,}, {cost['learned']:,}"),
        ("steps", cost["steps"]),
        ("time of the training itself", spoken(cost["seconds"])),
        ("loss of the first step, mean of the last steps", f"{losses[0]:.4f}, {sum(last) / len(last):.4f}"),
    )
    how = [(name.replace("_", " "), str(value)) for name, value in schedule.model_dump().items()]
    return f"""---
{block}---
# Student of {facts.base} on {title}

Trained by tracemill with trl {TRL} (SFTTrainer, AdamW, cosine to 0). The loss is on the response alone; every row was
proved to reach it whole, but for what the table says. Its identity is `{facts.identity}`: rows, template, tokenizer,
weights and settings.

{table(("what", "value"), made)}
{table(("setting", "value"), how)}
![The loss, step by step]({PICTURE})

`masks.txt` shows the first rows as they were trained, what is in the loss between ⟦ and ⟧. The licence of the data is
that of what was learned from them; the weights before have their own.
"""


def _left_out(rows: Mapping[str, int]) -> list[tuple[str, int]]:
    other = sorted(reason for reason in rows if reason != TOO_LONG)
    return [
        ("rows left out as too long", rows.get(TOO_LONG, 0)),
        *((f"rows left out, of which there is no text ({reason})", rows[reason]) for reason in other),
    ]


def _faults(found: Mapping[str, int]) -> str:
    return ", ".join(f"{fault} {rows:,}" for fault, rows in found.items()) or "none"


def _curve(figure: Figure, curve: pa.Table) -> None:
    axes = figure.add_subplot()
    axes.plot(curve["step"].to_pylist(), curve["loss"].to_pylist(), color=BAR, linewidth=1.2)
    axes.set_xlabel("step", color=INK)
    axes.set_ylabel("loss (nats a token)", color=INK)
    axes.set_title("Loss of the training", color=INK, loc="left")
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="x", integer=True)
    figure.tight_layout()
