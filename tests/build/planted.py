"""Rows with one fault each that the proof must find: by the fault, for templates that show all thinking."""

from __future__ import annotations

from typing import Any

from tests.build.released import row
from tracemill.release.layout import response_text

TWO_TURNS = (("user", "What is 1 + 1?"), ("assistant", "It is 2."), ("user", "And 2 + 2?"))


def planted(blank: str, null: str) -> dict[str, dict[str, Any]]:
    """One row a fault (layout `am`, 1,024 tokens); `blank` stands for empty thinking, `null` is the column left out."""
    lost = row("I thought so.", "It is 4.")
    lost["messages"][-1]["content"] = "<answer>It is 4.</answer>"
    doubled = row("I thought so.", "It is 4.")
    doubled["messages"][-1]["content"] = "<think>I thought so.</think>\n" + response_text("I thought so.", "It is 4.")
    absent = row("I thought so.", "It is 4.")
    absent["messages"][-1]["info"][null] = None
    return {
        "thinking_missing": lost,
        "thinking_doubled": doubled,
        "empty_thinking": row(blank, "4"),
        "earlier_in_loss": row("And again.", "6", *TWO_TURNS),
        "answer_cut": row("Short.", "So we go on. " * 400),
        "null": absent,
    }
