"""BAAI/Infinity-Instruct: instructions of all kinds, many in Chinese, some of several turns (arXiv 2506.11116)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import own_id
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import Response, SourceRow
from tracemill.ingest.turns import conversation, messages


class InfinityInstructSource(DatasetSource):
    """`turns: first` takes the first question alone, as AM-DeepSeek-R1-Distilled does; `all` keeps the conversation
    up to its last question.
    """

    kind: Literal["infinity_instruct"]
    repo: str = "BAAI/Infinity-Instruct"
    config: str | None = "0625"
    turns: Literal["first", "all"] = "first"
    license: str | None = "cc-by-sa-4.0"
    published_as: ClassVar[str | None] = "InfinityInstruct"
    documented: ClassVar[tuple[str, ...]] = ("conversations",)

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; the answer to the last question taken is a response without a chain."""
        turns = [t for t in messages(value, "conversations") if t["role"] in ("system", "user", "assistant")]
        last = [i for i, turn in enumerate(turns) if turn["role"] == "user"]
        stop = (last[0] if self.turns == "first" else last[-1]) + 1 if last else 0
        question = turns[:stop]
        rest = turns[stop : stop + 1]
        if self.turns == "first":
            question = [turn for turn in question if turn["role"] != "assistant"]
        prompt, several = conversation(question)
        return SourceRow(
            native_id=own_id(value, "id"),
            prompt=prompt,
            messages=several,
            category=self.category or ability(value.get("label")),
            responses=tuple(Response(teacher="infinity_instruct", text=turn["content"]) for turn in rest),
        )


def ability(label: Any) -> str | None:
    """The first English ability category; the 3M release has a plain text here, and some rows have none."""
    if isinstance(label, dict):
        names = label.get("cate_ability_en")
        label = names[0] if isinstance(names, list) and names else names
    return label if isinstance(label, str) and label else None
