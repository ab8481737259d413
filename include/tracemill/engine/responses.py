"""The living responses of a shard with their problems: what judges, reward models and perplexity look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.compute as pc

from tracemill.engine.step import Inputs


@dataclass(frozen=True)
class Response:
    """One living response. `answer` is what it says after thinking, `thinking` the chain of thought."""

    generation_id: str
    problem_id: str
    prompt: str
    reference: str | None
    category: str | None
    thinking: str
    answer: str

    @property
    def messages(self) -> list[dict[str, str]]:
        """Two turns, as reward models read them: the prompt, and what comes after thinking.

        So does the 1.4M paper (arXiv 2503.19633, section 2.2.2). Final line breaks are taken off, as the authors of
        Decision-Tree-Reward-Llama-3.1-8B do (get_embeddings.py).
        """
        return [
            {"role": "user", "content": self.prompt.rstrip("\n")},
            {"role": "assistant", "content": self.answer.rstrip("\n")},
        ]


def living_responses(inputs: Inputs) -> Iterator[Response]:
    """The living responses of the shard, in stored order."""
    wanted = ["id", "prompt", "reference_answer", "category"]
    problems = {row["id"]: row for row in inputs.table("problems", wanted).to_pylist()}
    rows = inputs.table("generations", ["id", "problem_id", "raw", "think_content", "answer_content"])
    for row in rows.filter(pc.is_in(rows["id"], value_set=inputs.alive("generation"))).to_pylist():
        problem = problems[row["problem_id"]]
        yield Response(
            generation_id=row["id"],
            problem_id=row["problem_id"],
            prompt=problem["prompt"] or "",
            reference=problem["reference_answer"],
            category=problem["category"],
            thinking=row["think_content"] or "",
            answer=row["answer_content"] or (row["raw"] or "" if row["think_content"] is None else ""),
        )
