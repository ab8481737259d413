"""Reads conversations in the two spellings that data sets use, and takes known instructions off a question."""

from __future__ import annotations

from typing import Any

from tracemill.sources.base import RowError
from tracemill.sources.columns import items

ROLES = {"human": "user", "gpt": "assistant"}

# What OpenThoughts and Bespoke-Stratos put before a problem, without a separator (open_thoughts/prompt.py).
INSTRUCTIONS = (
    ("Return your final response within \\boxed{}. ", "math"),
    (
        "Generate an executable Python function generated from the given prompt. The function should take stdin as "
        "input "
        "and print the output. Simply call the function after the definition.",
        "code",
    ),
    (
        "Generate an executable Python function generated from the given prompt. Return the function body without "
        "invoking it at the final solution.",
        "code",
    ),
)


def messages(value: dict[str, Any], name: str) -> list[dict[str, str]]:
    """Turns as [{role, content}], whichever spelling the source has. Raises RowError otherwise."""
    turns = []
    for turn in items(value, name):
        if not isinstance(turn, dict):
            raise RowError("bad_value", f"column {name!r}: a turn should be an object, is {type(turn).__name__}")
        role, content = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
        if not isinstance(role, str) or not isinstance(content, str):
            raise RowError("bad_value", f"column {name!r}: a turn has no role and content; it has {', '.join(turn)}")
        turns.append({"role": ROLES.get(role, role), "content": content})
    if not turns:
        raise RowError("null_value", f"column {name!r} has no turns")
    return turns


def asked(turns: list[dict[str, str]]) -> str:
    """What the human turns ask, joined by a blank line: the text for dedup and decontamination."""
    return "\n\n".join(turn["content"] for turn in turns if turn["role"] == "user")


def without_instruction(prompt: str) -> tuple[str, str | None]:
    """The problem itself, and the category that the instruction before it gives away."""
    for instruction, category in INSTRUCTIONS:
        if prompt.startswith(instruction):
            return prompt.removeprefix(instruction).strip(), category
    return prompt, None
