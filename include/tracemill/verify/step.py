"""Judges every response that a verifier can judge, and turns away those that fail. Unverifiable is never wrong.

Verdicts are also made for responses that an earlier step turned away, if their source published a verdict of its own:
so that `tracemill agreement` counts all of them; and for every response of the sources in `audit`. The ledger holds
only the responses that were still alive.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tracemill.engine.ids import Bucket, Unit
from tracemill.engine.resources import Resources
from tracemill.engine.standing import standing
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.tables import columns_of
from tracemill.verify import AnyVerifier
from tracemill.verify.verifier import Question, Verdict

PASS_MARK = 1.0  # score a response needs: all of it (DeepDistill, arXiv 2504.17565, section 2.4: above 0.99)
_QUESTION = ("prompt", "reference_answer", "test_case", "constraints", "reference_solution", "comparison")
_REPORT_EVERY = 10.0  # seconds
_log = logging.getLogger(__name__)


class Verify(Step):
    """Run the verifiers over one shard, each on the responses to which it applies.

    What the verdicts on a response come to (`engine/standing.py`) decides: one that fails any verifier is rejected
    with that verifier's reason; else, if any could not tell, quarantined with its reason; else kept. One to which none
    applies is kept with the reason `not_applicable`.

    With `defer` nothing is turned away here: fails and "could not tell" stay alive, with the reason `deferred`, for a
    `judge` step to decide. A verdict that an earlier step gave by the same verifier is not made again.
    `audit` names sources all of whose responses are judged, also those that an earlier step turned away.
    """

    kind: Literal["verify"]
    verifiers: Annotated[tuple[AnyVerifier, ...], Field(min_length=1)]
    defer: bool = False
    audit: tuple[str, ...] = ()

    version: ClassVar[int] = 3
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "verdicts", "prechecks", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("verdicts",)

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """What decides verdicts: each verifier's settings and version."""
        chosen = [{**verifier.settings(), "version": verifier.version} for verifier in self.verifiers]
        return {"kind": self.kind, "verifiers": chosen, "defer": self.defer, "audit": list(self.audit)}

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """What verdicts depend on besides: the environment that programs run in."""
        return {name: digest for v in self.verifiers for name, digest in v.material(resources).items()}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Judge one shard. Raises what a verifier raises when it cannot work at all (sandbox gone, worker broken)."""
        alive = inputs.alive("generation")
        problems = _problems(inputs)
        known = _known(inputs, [verifier.name for verifier in self.verifiers])
        verdicts: list[Verdict] = []
        for verifier in self.verifiers:
            done = set(known.filter(pc.equal(known["verifier"], verifier.name))["generation_id"].to_pylist())
            total = sum(map(verifier.applies, self._questions(inputs, problems, alive, done)))
            questions = filter(verifier.applies, self._questions(inputs, problems, alive, done))
            verdicts += _reported(verifier.judge(questions, resources), verifier.name, total)
        made = _table(verdicts)
        found = standing(pa.concat_tables([known, made]))
        return Output(ledger=_ledger(alive, found, self.defer), tables={"verdicts": made})

    def _questions(
        self, inputs: Inputs, problems: dict[str, tuple[str | None, ...]], alive: pa.Array, done: set[str]
    ) -> Iterator[Question]:
        """The responses to judge, in stored order: the living, the labelled, and the audited sources'; none twice."""
        audited = pa.array(self.audit, pa.string())
        for batch in inputs.batches("generations", ["id", "problem_id", "answer_content", "source_verdict", "source"]):
            rows = pa.Table.from_batches([batch])
            wanted = pc.or_(pc.is_valid(rows["source_verdict"]), pc.is_in(rows["source"], value_set=audited))
            rows = rows.filter(pc.or_(wanted, pc.is_in(rows["id"], value_set=alive)))
            texts = (rows[name].to_pylist() for name in ("id", "problem_id", "answer_content"))
            for generation, problem, answer in zip(*texts, strict=True):
                if generation not in done:
                    prompt, reference, tests, constraints, *more = problems[problem]
                    known = (prompt or "", reference, tests, constraints, answer or "")
                    yield Question(generation, problem, *known, *more)


def _problems(inputs: Inputs) -> dict[str, tuple[str | None, ...]]:
    rows = inputs.table("problems", ["id", *_QUESTION])
    checked = inputs.table("prechecks", ["problem_id", "solvable"])
    solved = checked.filter(checked["solvable"])["problem_id"].combine_chunks()
    at = rows.schema.get_field_index("reference_solution")
    # A solution that an earlier step has seen pass its tests need not pass them again.
    solutions = pc.if_else(pc.is_in(rows["id"], value_set=solved), None, rows["reference_solution"])
    rows = rows.set_column(at, "reference_solution", solutions)
    columns = [rows[name].to_pylist() for name in _QUESTION]
    return dict(zip(rows["id"].to_pylist(), zip(*columns, strict=True), strict=True))


def _known(inputs: Inputs, verifiers: list[str]) -> pa.Table:
    """What these verifiers said of responses in earlier steps of the recipe."""
    rows = inputs.table("verdicts")
    return rows.filter(pc.is_in(rows["verifier"], value_set=pa.array(verifiers, pa.string())))


def _reported(verdicts: Iterable[Verdict], verifier: str, total: int) -> Iterator[Verdict]:
    """Pass verdicts on, and say now and then how far it is and how long the rest may take."""
    began = reported = time.monotonic()
    done = 0
    for done, verdict in enumerate(verdicts, 1):
        yield verdict
        now = time.monotonic()
        if now - reported >= _REPORT_EVERY:
            reported = now
            rate = done / (now - began)
            left = (total - done) / rate
            _log.info("%s: %d of %d responses judged, %.0f/s, about %.0f s left", verifier, done, total, rate, left)
    _log.info("%s: %d of %d responses judged in %.1f s", verifier, done, total, time.monotonic() - began)


def _table(verdicts: list[Verdict]) -> pa.Table:
    """All verdicts, ordered by response and verifier: the order in which they got ready says nothing."""
    rows = sorted(verdicts, key=lambda v: (v.generation_id, v.verifier))
    schema = columns_of("verdicts")
    return pa.table([pa.array([getattr(v, f.name) for v in rows], f.type) for f in schema], schema=schema)


def _ledger(alive: pa.Array, found: pl.DataFrame, defer: bool) -> pa.Table:
    """Each living response in the bucket of what its verdicts come to."""
    living = pl.DataFrame({"generation_id": alive})
    rows = living.join(found, on="generation_id", how="left", maintain_order="left")
    status = pl.col("status")
    reason = pl.when(pl.col("status") != "pass").then(pl.col("reason"))
    bucket = pl.lit("kept") if defer else status.replace_strict(_BUCKETS, default="kept")
    word = pl.when(status.is_null()).then(pl.lit("not_applicable")).otherwise(reason)
    rows = rows.with_columns(
        bucket=bucket,
        word=pl.when(pl.lit(defer) & status.is_in(["fail", "unverifiable"])).then(pl.lit("deferred")).otherwise(word),
    )
    rows = rows.with_columns(
        pl.when(pl.col("bucket") != "quarantined").then(pl.col("score")),
        pl.when(pl.col("bucket") != "kept").then(pl.col("detail")),
    )
    scores = rows["score"].to_list()
    return ledger_rows(
        "generation",
        rows["generation_id"].to_list(),
        rows["bucket"].to_list(),
        rows["word"].to_list(),
        scores,
        [None if score is None else PASS_MARK for score in scores],
        rows["detail"].to_list(),
    )


_BUCKETS: dict[str, Bucket] = {"fail": "rejected", "unverifiable": "quarantined", "pass": "kept"}
