"""PRIME-RL/Eurus-2-RL-Data: maths with golds and code with inputs and outputs, for reinforcement learning."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.sources.base import RowError, SourceRow
from tracemill.sources.columns import mapping, optional_text, text
from tracemill.sources.dataset import DatasetSource
from tracemill.sources.turns import messages


class Eurus2RlSource(DatasetSource):
    """The problem is the last user turn; the gold of a code row is its test suite as JSON text."""

    kind: Literal["eurus_2_rl"]
    repo: str = "PRIME-RL/Eurus-2-RL-Data"
    license: str | None = "mit"
    documented: ClassVar[tuple[str, ...]] = ("data_source", "prompt", "ability", "reward_model.ground_truth")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; raises RowError for an ability other than math and code."""
        turns = [turn["content"] for turn in messages(value, "prompt") if turn["role"] == "user"]
        ability = text(value, "ability")
        if ability not in ("math", "code") or not turns:
            raise RowError("bad_value", f"ability {ability!r} with {len(turns)} user turns; expected math or code")
        truth = text(value, "reward_model.ground_truth")
        index = optional_text(value, "extra_info.index") if value.get("extra_info") else None
        return SourceRow(
            native_id=f"{self.split}-{index}" if index else "",
            prompt=turns[-1],
            category=ability,
            reference_answer=(truth.strip() or None) if ability == "math" else None,
            test_case=mapping({"ground_truth": truth}, "ground_truth") if ability == "code" else None,
        )
