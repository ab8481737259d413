"""Repairs references that most responses contradict, where a stronger model says what the responses say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from tracemill.distill import AnyTeacher
from tracemill.distill.judging import Judging
from tracemill.distill.policies import Fixed
from tracemill.distill.policy import Alike
from tracemill.distill.sampler import Sampler
from tracemill.distill.teacher import Assignment
from tracemill.distill.traces import Trace
from tracemill.engine.fate import Fate, fate_ledger
from tracemill.engine.ids import Unit, problem_id
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output
from tracemill.engine.tables import columns_of, empty
from tracemill.engine.tables.judgements import REPAIRS
from tracemill.models.step import AskingStep
from tracemill.text.extract import final_answer
from tracemill.text.members import members
from tracemill.text.think import split
from tracemill.verify.bench import Here
from tracemill.verify.math.same_answer import same_answers, same_spelling

MOST = 8  # different answers of one problem that are compared
Row = dict[str, Any]


class Repair(AskingStep):
    """Doubt a reference where more than `share` of a problem's responses give one other answer (arXiv 2505.08311).

    That is AM-Thinking-v1's rule: the most frequent answer against the reference by math-verify, and a stronger model
    where they differ. Responses of `of` (all teachers by default) that a `math` verifier has judged vote, `least` of
    them at least; turned away or not, as most were turned away for this very reference. `teacher` is the stronger
    model; each of its samples must state the common answer, and what it wrote before does not vote: it would confirm
    itself. One of several values that the reference lists is a part of it, and no doubt. What it states gives the
    reason.

    repaired    it does: the problem goes on under a new id, with the common answer as reference; detail: that id. What
                answered the old one is no response to the new; asked again it costs nothing, as the prompt is the same
    doubted     it states another answer; kept, or quarantined with `doubted: quarantine`
    unsettled   it states none, or one that cannot be compared; as doubted

    The table `repairs` has the evidence. Put a verify step before, and the distil step with its verify step behind.
    """

    kind: Literal["repair"]
    teacher: AnyTeacher  # the stronger model that is asked in doubt
    of: tuple[str, ...] = ()
    least: Annotated[int, Field(ge=2)] = 4
    share: Annotated[float, Field(ge=0.5, lt=1)] = 0.5
    doubted: Literal["keep", "quarantine"] = "keep"  # what becomes of references that stay in doubt

    version: ClassVar[int] = 2
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "provenance", "verdicts", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("problems", "provenance", "repairs")

    @model_validator(mode="after")
    def _asks_another(self) -> Self:
        if self.teacher.model.name in self.of:
            raise ValueError(f"{self.teacher.model.name!r} would confirm itself: name a stronger model as `teacher`")
        if not isinstance(self.teacher.policy, Fixed) or self.teacher.modes:
            raise ValueError("the stronger model is asked `samples` times in one way: remove its policy and modes")
        return self

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Look at one shard; nobody is asked where nothing is in doubt."""
        ids = inputs.alive("problem")
        doubts = list(_doubts(inputs, ids, self, resources.workers))
        said = self._said(doubts, resources, inputs) if doubts else {}
        for doubt in doubts:
            doubt["said"] = said[doubt["problem_id"]]
        _settle(doubts, resources.workers)
        made = [_repaired(one) for one in doubts if one["outcome"] == "repaired"]
        fates = {one["problem_id"]: self._fate(one) for one in doubts}
        kept = Fate("kept")
        rows = ids.to_pylist()
        tables = {
            "problems": pa.Table.from_pylist(made, columns_of("problems")),
            "provenance": _origins(inputs, made),
            "repairs": REPAIRS.of({**one, "asked": self.teacher.model.name} for one in doubts),
        }
        return Output(fate_ledger("problem", rows, [fates.get(one, kept) for one in rows]), tables)

    def _fate(self, doubt: Row) -> Fate:
        if doubt["outcome"] == "repaired":
            return Fate("rejected", "repaired", detail=doubt["repaired_as"])
        told = f"{doubt['votes']} of {doubt['responses']} responses say {doubt['common']}"
        return Fate("kept" if self.doubted == "keep" else "quarantined", doubt["outcome"], detail=told)

    def _said(self, doubts: list[Row], resources: Resources, inputs: Inputs) -> dict[str, list[str | None]]:
        """What the stronger model states in each of its samples, null where it states nothing."""
        posed = [_assignment(doubt["problem"]) for doubt in doubts]
        nobody = Judging((), empty("problems"), Here((), resources))
        sampler = Sampler(self.teacher, posed, nobody, Alike(self.teacher.policy))
        answers = self.feed(self.teacher.model, resources, inputs).followed(sampler)
        found: dict[str, list[str | None]] = {one.problem_id: [] for one in posed}
        for one, trace in sampler.traces(answers):
            whole = isinstance(trace, Trace) and trace.reply.finish_reason == "stop"
            text = split(trace.reply.text).answer if isinstance(trace, Trace) and whole else None
            found[one.problem_id].append(final_answer(text or ""))
        return found


def _doubts(inputs: Inputs, alive: pa.Array, step: Repair, workers: int) -> Iterator[Row]:
    """The living problems most of whose responses give one answer that is not the reference."""
    votes = _votes(inputs, step)
    counted = votes.group_by("problem_id", "answer").agg(
        pl.len().alias("votes"),
        (pl.col("status") == "fail").all().alias("failed"),
        pl.col("stated").sort().first(),
        pl.col("teacher").unique().sort().alias("teachers"),
    )
    counted = counted.sort("problem_id", "votes", "answer", descending=[False, True, False])
    parts = [part.head(MOST).to_dicts() for part in counted.partition_by("problem_id", maintain_order=True)]
    parts = [part for part in parts if part[0]["failed"]]
    pairs = [(part[0]["stated"], other["stated"]) for part in parts for other in part[1:]]
    same = dict(zip(pairs, same_answers(pairs, workers), strict=True))
    sizes = dict(votes.group_by("problem_id").len().iter_rows())
    found = {}
    for first, *others in parts:
        alike = [other for other in others if same[first["stated"], other["stated"]] == "equal"]
        given = first["votes"] + sum(other["votes"] for other in alike)
        responses = sizes[first["problem_id"]]
        if responses >= step.least and given > step.share * responses and all(one["failed"] for one in alike):
            names = sorted({name for one in (first, *alike) for name in one["teachers"]})
            counts = {"votes": given, "responses": responses, "teachers": names}
            found[first["problem_id"]] = {"common": first["stated"], **counts}
    rows = list(_problems(inputs, alive, found))
    wanting = _wanting({row["id"]: (found[row["id"]]["common"], row["reference_answer"]) for row in rows}, workers)
    for row in (one for one in rows if one["id"] not in wanting):
        own = {"problem_id": row["id"], "problem": row, "reference": row["reference_answer"]}
        yield {**own, **found[row["id"]]}


def _wanting(answers: dict[str, tuple[str, str]], workers: int) -> set[str]:
    """The problems whose common answer is one of several that their reference lists: it lacks the others."""
    pairs = {name: [(common, one) for one in members(reference)] for name, (common, reference) in answers.items()}
    every = [pair for own in pairs.values() for pair in own]
    same = dict(zip(every, same_answers(every, workers), strict=True))
    return {name for name, own in pairs.items() if any(same[pair] == "equal" for pair in own)}


def _votes(inputs: Inputs, step: Repair) -> pl.DataFrame:
    """One row a response that a math verifier decided and that states an answer, in the verifier's spelling."""
    may = pl.col("teacher").is_in(step.of) if step.of else pl.col("teacher").ne_missing(step.teacher.model.name)
    verdicts = pl.DataFrame(inputs.table("verdicts", ["generation_id", "problem_id", "verifier", "status"]))
    decided = verdicts.filter(pl.col("verifier").str.starts_with("math"), pl.col("status").is_in(["pass", "fail"]))
    wanted = pa.array(decided["generation_id"].to_list(), pa.string())
    parts = [pl.DataFrame(schema={"generation_id": pl.String, "teacher": pl.String, "stated": pl.String})]
    for batch in inputs.batches("generations", ["id", "teacher", "answer_content"]):
        own = batch.filter(pc.is_in(batch["id"], value_set=wanted))
        stated = [final_answer(text or "") for text in own["answer_content"].to_pylist()]
        parts.append(
            pl.DataFrame({"generation_id": own["id"], "teacher": own["teacher"], "stated": stated}, parts[0].schema)
        )
    said = pl.concat(parts).filter(may)
    spelled = pl.Series("answer", [same_spelling(one) for one in said["stated"].to_list()], pl.String)
    return said.with_columns(spelled).drop_nulls("answer").join(decided, on="generation_id")


def _problems(inputs: Inputs, alive: pa.Array, wanted: Iterable[str]) -> Iterator[Row]:
    """The living ones of these problems that have a reference, in stored order."""
    ids = pc.filter(alive, pc.is_in(alive, value_set=pa.array(list(wanted), pa.string())))
    for batch in inputs.batches("problems"):
        own = batch.filter(pc.and_(pc.is_in(batch["id"], value_set=ids), pc.is_valid(batch["reference_answer"])))
        yield from own.to_pylist()


def _settle(doubts: list[Row], workers: int) -> None:
    """Give each doubt its outcome."""
    pairs = [(doubt["common"], said) for doubt in doubts for said in doubt["said"] if said]
    same = dict(zip(pairs, same_answers(pairs, workers), strict=True))
    for doubt in doubts:
        found = {same[doubt["common"], said] if said else "unknown" for said in doubt["said"]}
        outcome = "repaired" if found == {"equal"} else "doubted" if "different" in found else "unsettled"
        new = _new_id(doubt) if outcome == "repaired" else None
        doubt |= {"outcome": outcome, "repaired_as": new}


def _new_id(doubt: Row) -> str:
    """Another problem: the same text with another right answer."""
    row = doubt["problem"]
    turns = row["messages"] or [{"role": "user", "content": row["prompt"]}]
    return problem_id("", [*turns, {"role": "reference", "content": doubt["common"]}])


def _repaired(doubt: Row) -> Row:
    own = {"id": doubt["repaired_as"], "reference_answer": doubt["common"], "former": doubt["problem_id"]}
    return {**doubt["problem"], **own, "reference_solution": None}


def _origins(inputs: Inputs, made: list[Row]) -> pa.Table:
    """Where repaired problems come from: the source rows of the old ones."""
    new = {one["former"]: {"problem_id": one["id"], "reference_answer": one["reference_answer"]} for one in made}
    rows = inputs.table("provenance") if made else empty("provenance")
    own = rows.filter(pc.is_in(rows["problem_id"], value_set=pa.array(list(new), pa.string())))
    return pa.Table.from_pylist(
        [{**row, **new[row["problem_id"]]} for row in own.to_pylist()], columns_of("provenance")
    )


def _assignment(row: Row) -> Assignment:
    return Assignment(row["id"], row["prompt"], row["category"], row["messages"], row["difficulty"])
