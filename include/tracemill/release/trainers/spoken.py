"""Says what a row tells a student, whatever its layout: the turns before the response, the thinking, the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracemill.release.trainers.layouts import LayoutName

_PARTS = re.compile(r"<think>(.*)</think>\s*<answer>(.*)</answer>\s*", re.DOTALL)
_THINKING = ("reasoning_content", "thinking")


@dataclass(frozen=True)
class Spoken:
    """The words of one row. `earlier`: (role, text) of every turn before the response; None where a text is null."""

    earlier: tuple[tuple[str, str | None], ...]
    think: str | None
    answer: str | None


def spoken(row: Mapping[str, Any], layout: LayoutName) -> Spoken:
    """What a row of that layout says. A response in one text is parted at its tags; without them it is all answer."""
    if layout == "am_thinking":
        *before, last = row["conversations"] or [{}]
        system = [("system", row["system"])] if row["system"] else []
        told = [("user" if turn["from"] == "human" else turn["from"], turn["value"]) for turn in before]
        return Spoken((*system, *told), *_of_info(last))
    turns = [*(row.get("prompt") or ()), *(row.get("completion") or ())] or row.get("messages") or [{}]
    *before, last = turns
    said = _of_info(last) if layout == "am" else _of_fields(last)
    return Spoken(tuple(_texts(before)), *said)


def _texts(turns: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, str | None]]:
    return ((turn["role"], turn["content"]) for turn in turns)


def _of_info(turn: Mapping[str, Any]) -> tuple[str | None, str | None]:
    info = turn.get("info") or {}
    return info.get("think_content"), info.get("answer_content")


def _of_fields(turn: Mapping[str, Any]) -> tuple[str | None, str | None]:
    content = turn.get("content")
    for name in _THINKING:
        if name in turn:
            return turn[name], content
    parts = _PARTS.fullmatch(content or "")
    return (parts[1], parts[2]) if parts else (None, content)
