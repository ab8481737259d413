"""BAAI/Infinity-Instruct: instructions of all kinds, many in Chinese, some of several turns (arXiv 2506.11116)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.sources.base import Response, SourceRow
from tracemill.sources.columns import text
from tracemill.sources.dataset import DatasetSource
from tracemill.sources.turns import asked, messages


class InfinityInstructSource(DatasetSource):
    """`turns: first` takes the first question alone, as AM-DeepSeek-R1-Distilled does; `all` keeps the conversation
    up to its last question.
    """

    kind: Literal["infinity_instruct"]
    repo: str = "BAAI/Infinity-Instruct"
    config: str | None = "0625"
    turns: Literal["first", "all"] = "first"
    license: str | None = "cc-by-sa-4.0"
    documented: ClassVar[tuple[str, ...]] = ("id", "conversations", "label", "langdetect", "source")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the answer to the last question taken is a response without a chain."""
        turns = [turn for turn in messages(value, "conversations") if turn["role"] in ("user", "assistant")]
        last = [i for i, turn in enumerate(turns) if turn["role"] == "user"]
        stop = (last[0] if self.turns == "first" else last[-1]) + 1 if last else 0
        question, rest = turns[:stop], turns[stop : stop + 1]
        question = question[-1:] if self.turns == "first" else question
        return SourceRow(
            native_id=text(value, "id"),
            prompt=asked(question),
            messages=tuple(question) if len(question) > 1 else None,
            category=self.category or ability(value.get("label")),
            responses=tuple(Response(teacher="infinity_instruct", text=turn["content"]) for turn in rest),
        )


def ability(label: Any) -> str | None:
    """The first English ability category; the 3M release has a plain text here, and some rows have none."""
    if isinstance(label, dict):
        names = label.get("cate_ability_en") or []
        return str(names[0]) if names else None
    return label if isinstance(label, str) and label else None
