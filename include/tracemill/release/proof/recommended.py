"""Finds by trying which layout a template keeps whole: rows of every kind, in each layout in the order of preference.

Preferred is the field in which the template itself looks for thinking, so that it writes its own marks around it; then
the response in one text. Conversations come last: templates mark every response, so that earlier ones would be trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from tracemill.release.layout import SCHEMA, published_row
from tracemill.release.proof.batch import proved_batch
from tracemill.release.proof.prover import Prover
from tracemill.release.proof.templates import Template
from tracemill.release.trainers.layouts import LayoutName
from tracemill.release.writer import METADATA

_ASKED = "What is 2 + 2?"
_TRIED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Two and two.\n", "\n4\n", (_ASKED,)),
    ("And again.", "6", (_ASKED, "It is 4.", "And 3 + 3?")),
    ("解：二加二得四。", "答案是 $4$。", ("二加二等于多少？",)),
    ("def f(): ...\n\nreturns 4", "```python\nprint(2 + 2)\n```", ("Write a program.\n\n```\n```",)),
)


@dataclass(frozen=True)
class Recommended:
    """The layout for a template, or None with the reason. `system`: whether a system prompt is kept, too."""

    layout: LayoutName | None
    system: bool
    reason: str = ""


def recommended(template: Template) -> Recommended:
    """The first layout in which this template keeps every kind of row whole, the last turn alone in the loss."""
    reason = ""  # of the layout that was preferred
    for layout in _order(template):
        faults = tried(template, layout, None)
        if not faults:
            return Recommended(layout, not tried(template, layout, "Think first."))
        reason = reason or ", ".join(faults)
    return Recommended(None, False, reason)


def tried(template: Template, layout: LayoutName, system: str | None) -> list[str]:
    """The faults that rows of every kind have in this layout, each once; none where all are whole."""
    rows = pa.Table.from_pylist([_row(*each) for each in _TRIED], SCHEMA)
    blank = {"verdicts": [], "measurements": [], "teacher": "t"}
    about = pa.Table.from_pylist([{"generation_id": str(k), **blank} for k in range(len(_TRIED))], METADATA)
    lines = proved_batch(Prover(template), layout, system, rows, about)
    said = [
        f"{one.fault}: {one.detail}" if one.fault == "refused" else one.fault for line in lines for one in line.found
    ]
    return list(dict.fromkeys(said))


def _order(template: Template) -> list[LayoutName]:
    """`thinking` is asked for by gpt-oss alone; transformers copies `reasoning_content` there only since 5.x."""
    first: list[LayoutName] = []
    if "reasoning_content" in template.text:
        first = ["prompt_completion_reasoning"]
    elif "message.thinking" in template.text:
        first = ["prompt_completion_thinking"]
    last: list[LayoutName] = ["messages"] if template.marks else []
    return [*first, "prompt_completion", *last]


def _row(think: str, answer: str, turns: tuple[str, ...]) -> dict[str, object]:
    roles = [("user", "assistant")[place % 2] for place in range(len(turns))]
    messages = [{"role": role, "content": text} for role, text in zip(roles, turns, strict=True)]
    problem = {"source": "s", "prompt": "", "messages": messages, "reference_answer": None, "test_case": None}
    return published_row(problem, {"teacher": "t", "think_content": think, "answer_content": answer})
