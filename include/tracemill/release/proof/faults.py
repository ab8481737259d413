"""Names what may be wrong with a row on its way into the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

Fault = Literal[
    "null",
    "empty_thinking",
    "empty_answer",
    "empty_block",
    "refused",
    "thinking_missing",
    "answer_missing",
    "thinking_doubled",
    "answer_doubled",
    "altered",
    "prompt_missing",
    "prompt_mismatch",
    "unreadable",
    "control_inside",
    "end_missing",
    "end_unknown",
    "thinking_outside_loss",
    "answer_outside_loss",
    "end_outside_loss",
    "earlier_in_loss",
    "thinking_cut",
    "answer_cut",
    "end_cut",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
Part = Literal["thinking", "answer"]
PARTS: tuple[Part, ...] = get_args(Part)
OF: Mapping[tuple[Part, str], Fault] = {
    ("thinking", "missing"): "thinking_missing",
    ("thinking", "doubled"): "thinking_doubled",
    ("thinking", "outside"): "thinking_outside_loss",
    ("thinking", "cut"): "thinking_cut",
    ("answer", "missing"): "answer_missing",
    ("answer", "doubled"): "answer_doubled",
    ("answer", "outside"): "answer_outside_loss",
    ("answer", "cut"): "answer_cut",
}


class Found(NamedTuple):
    """A fault of a row, and what there is to say about it."""

    fault: Fault
    detail: str = ""
