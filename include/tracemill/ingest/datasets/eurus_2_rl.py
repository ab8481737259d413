"""PRIME-RL/Eurus-2-RL-Data: maths with golds and code with inputs and outputs, for reinforcement learning."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import mapping, own_id, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.source import RowError, SourceRow
from tracemill.ingest.turns import conversation, messages

# What its makers put around every problem (PRIME-RL/PRIME, training/scripts/data_prepare.py and README).
ACTIONS = re.compile(r"When tackling complex reasoning tasks, you have access to .*Next action: \[NEXT ACTION NAME\]")
INSTRUCTION = re.compile(
    r"\s*(?:Present the answer in LaTex format:\s*\\boxed\{Your answer\}"
    r"|Write Python code to solve the problem\.\s*Present the code in\s*```python\s*Your code\s*```\s*at the end\.?)"
    r"\s*\Z",
    re.IGNORECASE,
)


class Eurus2RlSource(DatasetSource):
    """The gold of a code row is its test suite as JSON text. `extra_info.index` is 0 in every row: it names none."""

    kind: Literal["eurus_2_rl"]
    repo: str = "PRIME-RL/Eurus-2-RL-Data"
    license: str | None = "mit"
    documented: ClassVar[tuple[str, ...]] = ("data_source", "prompt", "ability", "reward_model.ground_truth")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; raises RowError for an ability other than math and code."""
        turns = [{**turn, "content": INSTRUCTION.sub("", turn["content"])} for turn in messages(value, "prompt")]
        prompt, several = conversation(turns, [ACTIONS])
        ability = text(value, "ability")
        if ability not in ("math", "code"):
            raise RowError("bad_value", f"ability {ability!r}; expected math or code")
        truth = text(value, "reward_model.ground_truth")
        return SourceRow(
            native_id=own_id(value, "extra_info.index"),
            prompt=prompt,
            messages=several,
            category=ability,
            reference_answer=truth if ability == "math" else None,
            test_case=mapping({"ground_truth": truth}, "ground_truth") if ability == "code" else None,
        )
