"""Which shards a task of a mapped group works on, and what it is called in the UI for them."""

from __future__ import annotations

from collections.abc import Sequence

FEW_TASKS = 2  # airflow.md in docs/design: a task costs seconds before it works
MANY_TASKS = 200
SHARDS_A_TASK = 8
FEW_SHARDS = 4  # more are not named one by one


def batches(shards: Sequence[int], shards_per_task: int = 0) -> list[list[int]]:
    """The shards dealt out like cards, `shards_per_task` to a task or as many as suit their number.

    Neighbours are of one source: in runs of them one task would have all the programs, and the others nothing to run.
    """
    tasks = min(MANY_TASKS, max(FEW_TASKS, len(shards) // SHARDS_A_TASK))
    size = max(1, shards_per_task or -(-len(shards) // tasks))
    hands = -(-len(shards) // size)
    return [list(shards[first::hands]) for first in range(hands)]


def span(shards: list[int]) -> str:
    """What a task is called in the UI: "shard 3", "shards 0, 2, 4", "shards 0, 4 … 36"."""
    if len(shards) == 1:
        return f"shard {shards[0]}"
    if len(shards) <= FEW_SHARDS:
        return f"shards {', '.join(map(str, shards))}"
    return f"shards {shards[0]}, {shards[1]} … {shards[-1]}"
