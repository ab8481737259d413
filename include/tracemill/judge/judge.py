"""Lets a model judge the responses that no verifier could pass, as the papers do after math-verify."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tracemill.engine.fate import Fate, fate_ledger
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.responses import Response, living_responses
from tracemill.engine.standing import OVERRULED, standing
from tracemill.engine.step import Inputs, Output
from tracemill.engine.tables import columns_of
from tracemill.judge.asker import Judged
from tracemill.judge.judges import AnyJudge
from tracemill.models.step import AskingStep


class JudgeResponses(AskingStep):
    """Judge responses and write verdicts; see docs/design/roles.md.

    `only: undecided` asks about living responses whose verdicts do not come to a pass and whose fate its word can
    change: the second opinion of DeepDistill (arXiv 2504.17565, section 2.4) on math-verify's fail or "could not tell".
    Its pass sets aside the verdicts of the verifiers in `overrules` and no other: it is not asked about a response that
    breaks an instruction. For a fail to still live here, the verify step before must have `defer: true`. `only: all`
    judges every living response. `categories` limits both; a judge that `needs_reference` says nothing without one.

    `checked` responses a shard that the verifiers passed are asked about too, those with the smallest ids: not to
    decide anything, but so that the card can say how often the judge agrees with what was verified (table `opinions`).

    Ledger, by what all verdicts come to in the end (`engine/standing.py`): kept when that is a pass, or nothing was
    ever said (`not_applicable`); rejected `judged_wrong` below the pass mark (score and mark in the judge's numbers),
    or with the verifier's own reason; quarantined with the verifier's reason, or when no judgement could be read.
    """

    kind: Literal["judge"]
    judge: AnyJudge
    only: Literal["undecided", "all"] = "undecided"
    categories: tuple[str, ...] | None = None
    overrules: tuple[str, ...] = OVERRULED
    checked: Annotated[int, Field(ge=0)] = 0

    version: ClassVar[int] = 5
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "verdicts", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("verdicts", "opinions")

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The model's identity and the prompt's text."""
        return {**super().material(resources, inputs), "prompt": self.judge.material()}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Judge one shard. Raises ServingError when the model is gone for good."""
        responses = list(living_responses(inputs))
        known = inputs.table("verdicts")
        before = _by_response(standing(known))
        asked, checked = self._chosen(responses, before, self._hopeless(known))
        feed = self.feed(self.judge.model, resources, inputs)
        questions = [_question(response) for response in (*asked, *checked)]
        answers = self.judge.answers(feed, self.judge.prompt, questions, self.judge.parse)
        judged = {r.generation_id: j for r, j in zip((*asked, *checked), answers, strict=True)}
        said = [self._verdict(r, judged[r.generation_id]) for r in asked]
        verdicts = pa.Table.from_pylist(said, columns_of("verdicts"))
        after = _by_response(standing(pa.concat_tables([known, verdicts])))
        ids = [r.generation_id for r in responses]
        decisive = {r.generation_id for r in asked}
        fates = [self._fate(judged[i] if i in decisive else None, after.get(i)) for i in ids]
        opinions = [self._opinion(before[i], judged[i]) for i in judged if i in before]
        tables = {"verdicts": verdicts, "opinions": pa.Table.from_pylist(opinions, columns_of("opinions"))}
        return Output(fate_ledger("generation", ids, fates), tables)

    def _chosen(
        self, responses: list[Response], known: dict[str, dict[str, Any]], hopeless: set[str]
    ) -> tuple[list[Response], list[Response]]:
        """The responses that are asked about: those whose fate it decides, and those that only check the judge."""
        asked = [r for r in responses if self._concerns(r, known.get(r.generation_id), hopeless)]
        taken = {response.generation_id for response in asked}
        passed = [r for r in responses if r.reference and known.get(r.generation_id, {}).get("status") == "pass"]
        spare = sorted((r for r in passed if r.generation_id not in taken), key=lambda r: r.generation_id)
        return asked, spare[: self.checked]

    def _hopeless(self, known: pa.Table) -> set[str]:
        """The responses that a pass of this judge could not save: they fail by what it may not overrule."""
        others = known.filter(pc.invert(pc.is_in(known["verifier"], value_set=pa.array(self.overrules, pa.string()))))
        return set(standing(others).filter(pl.col("status") != "pass")["generation_id"])

    def _concerns(self, response: Response, known: dict[str, Any] | None, hopeless: set[str]) -> bool:
        if self.categories is not None and response.category not in self.categories:
            return False
        if self.judge.needs_reference and not response.reference:
            return False
        if self.only == "all":
            return True
        return response.generation_id not in hopeless and (known is None or known["status"] != "pass")

    def _fate(self, judged: Judged[float] | None, found: dict[str, Any] | None) -> Fate:
        """By the verdicts together; the judge's numbers where its word decided, and its silence where it was asked."""
        value = judged.value if judged else None
        mark = self.judge.pass_mark
        numbers = (None, None) if value is None else (value, mark)
        if judged is not None and value is None:
            reason, detail = _unread(judged)
            return Fate("quarantined", reason, detail=detail)
        if value is not None and value < mark:
            return Fate("rejected", "judged_wrong", *numbers)
        if found is None:
            return Fate("kept", "not_applicable")
        if found["status"] == "pass":
            return Fate("kept", None, *numbers)
        return Fate("rejected" if found["status"] == "fail" else "quarantined", found["reason"])

    def _opinion(self, known: dict[str, Any], judged: Judged[float]) -> dict[str, Any]:
        status = "unverifiable" if judged.value is None else self._status(judged.value)
        return {
            "generation_id": known["generation_id"],
            "judge": self.judge.name,
            "verifiers": known["passed_by"] or known["verifier"],
            "verified": known["status"],
            "judged": status,
        }

    def _status(self, value: float) -> str:
        return "pass" if value >= self.judge.pass_mark else "fail"

    def _verdict(self, response: Response, judged: Judged[float]) -> dict[str, Any]:
        value, (low, high) = judged.value, self.judge.scale
        if value is None:
            status = "unverifiable"
            score = 0.0
            reason = _unread(judged)[0]
        else:
            status = self._status(value)
            score = self.judge.share(value)
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
            "overrules": list(self.overrules),
        }


def _question(response: Response) -> dict[str, str]:
    values = (response.prompt, response.reference or "", response.answer)
    return dict(zip(("input_query", "reference_answer", "llm_answer"), values, strict=True))


def _by_response(found: pl.DataFrame) -> dict[str, dict[str, Any]]:
    wanted = found.select("generation_id", "status", "verifier", "reason", "passed_by")
    return {row["generation_id"]: row for row in wanted.to_dicts()}


def _unread(judged: Judged[float]) -> tuple[str, str]:
    """Reason and detail of a judgement that did not come about."""
    if judged.refusal:
        return judged.refusal.reason, judged.refusal.detail
    return "unparsable", f"{judged.attempts} answers without a score; the last: {judged.said[:500]}"
