"""The responses of a shard: the living ones with their problems, as judges see them, and what a model was asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.step import Inputs
from tracemill.engine.tables import empty

CUT_OUT = "phrase_cut_out"  # in the ledger: a phrase was cut out of the response, and another one stands for it


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


def told_once(inputs: Inputs, rows: pa.Table) -> pa.Table:
    """The rows of `generations` without those that another one stands for: what a model was asked, each once."""
    parts = [empty("ledger").select(["id", "reason"])]
    for manifest in inputs.sealed.get(inputs.index, ()):
        if CUT_OUT in manifest.counts.rejected:
            parts.append(inputs.store.get_table(manifest.tables["ledger"], ["id", "reason"]))
    ledger = pa.concat_tables(parts)
    former = ledger.filter(pc.equal(ledger["reason"], CUT_OUT))["id"]
    return rows.filter(pc.invert(pc.is_in(rows["id"], value_set=former)))


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
