"""Has a model say how difficult each problem is and what it is about, and thins out what there is too much of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tracemill.engine.fate import Fate, fate_ledger
from tracemill.engine.ids import Difficulty, Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output
from tracemill.engine.tables import columns_of
from tracemill.judge.asker import Judged
from tracemill.judge.labels import Labeller, Tags, parse_difficulty
from tracemill.models.step import AskingStep

Share = Annotated[float, Field(ge=0, le=1)]


class Annotate(AskingStep):
    """Label every living problem; see docs/design/roles.md.

    `keep` gives the share of each difficulty that stays: the 1.4M paper (arXiv 2503.19633, section 2.1) down-samples
    easy and medium problems but does not say how far, so nothing is thinned out by default. Which problems stay is
    decided by their ids, so a problem's fate never depends on the others. Rejected: `downsampled`. A problem whose
    labels cannot be read stays: its annotation says `unverifiable`, and so does the ledger's reason.
    """

    kind: Literal["annotate"]
    labeller: Labeller
    keep: dict[Difficulty, Share] = Field(default_factory=dict)

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("annotations",)

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The model's identity and the prompts' texts."""
        return {**super().material(resources, inputs), "prompts": self.labeller.material()}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Label one shard. Raises ServingError when the model is gone for good."""
        rows = inputs.table("problems", ["id", "prompt"])
        rows = rows.filter(pc.is_in(rows["id"], value_set=inputs.alive("problem")))
        ids = rows["id"].to_pylist()
        prompts = rows["prompt"].to_pylist()
        questions = [{"input": prompt or ""} for prompt in prompts]
        feed = self.feed(self.labeller.model, resources, inputs)
        labeller = self.labeller
        difficulties = labeller.answers(feed, labeller.difficulty_prompt, questions, parse_difficulty)
        tags = labeller.answers(feed, labeller.category_prompt, questions, labeller.parse_tags)
        fates = [self._fate(i, d, t) for i, d, t in zip(ids, difficulties, tags, strict=True)]
        return Output(fate_ledger("problem", ids, fates), {"annotations": self._table(ids, difficulties, tags)})

    def _fate(self, problem: str, difficulty: Judged[str], tags: Judged[Tags]) -> Fate:
        """Kept, or thinned out: then the numbers are the problem's place in [0, 1) and the share that stays."""
        if difficulty.value is None or tags.value is None:
            refusal = difficulty.refusal or tags.refusal
            return Fate("kept", refusal.reason if refusal else "unverifiable")
        share = next((s for name, s in self.keep.items() if name == difficulty.value), 1.0)
        place = int.from_bytes(hashlib.sha256(problem.encode()).digest()[:6], "big") / 2**48
        if share == 1.0 or place < share:
            return Fate("kept")
        return Fate("rejected", "downsampled", place, share)

    def _table(self, ids: Sequence[str], difficulties: list[Judged[str]], tags: list[Judged[Tags]]) -> pa.Table:
        rows: list[dict[str, Any]] = [
            {
                "problem_id": problem,
                "annotator": self.labeller.model.name,
                "difficulty": difficulty.value,
                "category": tag.value.primary if tag.value else None,
                "topic": tag.value.topic if tag.value else None,
                "other_tags": list(tag.value.others) if tag.value else None,
                "status": "labelled" if difficulty.value and tag.value else "unverifiable",
                "attempts": difficulty.attempts + tag.attempts,
            }
            for problem, difficulty, tag in zip(ids, difficulties, tags, strict=True)
        ]
        return pa.Table.from_pylist(rows, columns_of("annotations"))
