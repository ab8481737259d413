"""Reads how many tokens an answer took from what a provider says of them, in whichever way it counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def tokens_of(usage: Mapping[str, Any], text: str) -> tuple[int | None, int | None]:
    """The tokens that were read and those that were written; None for what nobody counted.

    OpenAI counts a thought among the completion. xAI does not, nor does Gemini: there only the total has it, and it is
    paid for. So what the total has beyond both was written, unless it is as much as came from a cache that the prompt's
    count leaves out. A server that says 0 of a text, or less, has not counted.
    """
    prompt = count(usage.get("prompt_tokens")) or None
    completion = count(usage.get("completion_tokens"))
    total = count(usage.get("total_tokens")) or 0
    if prompt is not None and completion is not None and total > prompt + completion:
        beyond = total - prompt - completion
        from_cache = beyond == _detail(usage, "prompt_tokens_details", "cached_tokens")
        if from_cache and beyond != _detail(usage, "completion_tokens_details", "reasoning_tokens"):
            prompt += beyond
        else:
            completion += beyond
    return prompt, None if text and not completion else completion


def count(value: Any) -> int | None:
    """A number of tokens; None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _detail(usage: Mapping[str, Any], group: str, name: str) -> int | None:
    found = usage.get(group)
    return count(found.get(name)) if isinstance(found, Mapping) else None
