"""Lets a model judge the responses that no verifier could pass, as the papers do after math-verify."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import pyarrow as pa

from tracemill.judges import AnyJudge
from tracemill.judges.base import Judged
from tracemill.records import Unit
from tracemill.resources import Resources
from tracemill.steps.asking import AskingStep
from tracemill.steps.base import Inputs, Output
from tracemill.steps.fate import Fate, fate_ledger
from tracemill.steps.responses import Response, living_responses
from tracemill.tables import columns_of


class JudgeResponses(AskingStep):
    """Judge responses and write verdicts; see docs/design/roles.md.

    `only: undecided` asks about living responses that no earlier verdict passed: the second opinion of DeepDistill
    (arXiv 2504.17565, section 2.4), which may overrule a verifier's fail or "could not tell". For a fail to still live
    here, the verify step before must have `defer: true`. `only: all` judges every living response. `categories` limits
    both; a judge that `needs_reference` says nothing about problems without one.

    Ledger, by what is known in the end: kept when anything passed it, or when nothing was ever said about it
    (`not_applicable`); rejected `judged_wrong` below the pass mark (score and mark in the judge's numbers), or with the
    verifier's reason when the judge had nothing to say; quarantined `unparsable` when no judgement could be read.
    """

    kind: Literal["judge"]
    judge: AnyJudge
    only: Literal["undecided", "all"] = "undecided"
    categories: tuple[str, ...] | None = None

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "verdicts", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("verdicts",)

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The model's identity and the prompt's text."""
        return {**super().material(resources, inputs), "prompt": self.judge.material()}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Judge one shard. Raises ServingError when the model is gone for good."""
        responses, known = list(living_responses(inputs)), _known(inputs)
        asked = [r for r in responses if self._concerns(r, known.get(r.generation_id, {}))]
        questions = [
            {"input_query": r.prompt, "reference_answer": r.reference or "", "llm_answer": r.answer} for r in asked
        ]
        feed = self.feed(self.judge.model, resources, inputs)
        answers = self.judge.answers(feed, self.judge.prompt, questions, self.judge.parse)
        judged = {r.generation_id: j for r, j in zip(asked, answers, strict=True)}
        ids = [response.generation_id for response in responses]
        fates = [self._fate(judged.get(i), known.get(i, {})) for i in ids]
        verdicts = [self._verdict(r, judged[r.generation_id]) for r in asked]
        return Output(
            fate_ledger("generation", ids, fates), {"verdicts": pa.Table.from_pylist(verdicts, columns_of("verdicts"))}
        )

    def _concerns(self, response: Response, known: Mapping[str, str]) -> bool:
        if self.categories is not None and response.category not in self.categories:
            return False
        if self.judge.needs_reference and not response.reference:
            return False
        return self.only == "all" or "pass" not in known

    def _fate(self, judged: Judged[float] | None, known: Mapping[str, str]) -> Fate:
        mark = self.judge.pass_mark
        if judged is not None and judged.value is not None:
            if judged.value >= mark:
                return Fate("kept", None, judged.value, mark)
            return Fate("rejected", "judged_wrong", judged.value, mark)
        if judged is not None:
            reason, detail = _unread(judged)
            return Fate("quarantined", reason, detail=detail)
        if "pass" in known or not known:
            return Fate("kept", None if known else "not_applicable")
        return Fate("rejected", known["fail"]) if "fail" in known else Fate("quarantined", known["unverifiable"])

    def _verdict(self, response: Response, judged: Judged[float]) -> dict[str, Any]:
        value, (low, high) = judged.value, self.judge.scale
        if value is None:
            status, score, reason = "unverifiable", 0.0, _unread(judged)[0]
        else:
            status, score = ("pass" if value >= self.judge.pass_mark else "fail"), self.judge.share(value)
            reason = "judged_right" if status == "pass" else "judged_wrong"
        facts = {"value": value, "scale": [low, high], "pass_mark": self.judge.pass_mark, "attempts": judged.attempts}
        return {
            "generation_id": response.generation_id,
            "problem_id": response.problem_id,
            "verifier": self.judge.name,
            "status": status,
            "score": score,
            "reason": reason,
            "detail": json.dumps({**facts, "said": judged.said[:1000]}, ensure_ascii=False),
        }


def _known(inputs: Inputs) -> dict[str, dict[str, str]]:
    """By response: each status that an earlier verdict gave it, with a reason."""
    known: dict[str, dict[str, str]] = {}
    for row in inputs.table("verdicts", ["generation_id", "status", "reason"]).to_pylist():
        known.setdefault(row["generation_id"], {})[row["status"]] = row["reason"]
    return known


def _unread(judged: Judged[float]) -> tuple[str, str]:
    """Reason and detail of a judgement that did not come about."""
    if judged.refusal:
        return judged.refusal.reason, judged.refusal.detail
    return "unparsable", f"{judged.attempts} answers without a score; the last: {judged.said[:500]}"
