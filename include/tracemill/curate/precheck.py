"""Finds once a problem what no response could be shown to solve, so that no teacher is paid for it.

Tests that cannot run or fail the problem's own solution, tests without a value that a control run could change, several
right answers without a checker, a reference that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tracemill.engine.ids import Bucket, Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.tables.judgements import PRECHECKS
from tracemill.verify import AnyVerifier
from tracemill.verify.probes import Finding, findings
from tracemill.verify.verifier import Question

_COLUMNS = ("id", "prompt", "reference_answer", "test_case", "constraints", "reference_solution", "comparison")


class Precheck(Step):
    """Ask each verifier about the living problems to which it applies, before `distill`.

    A problem that no response could be shown to solve is quarantined with the reason, so that it goes to no teacher and
    its responses are not judged. `unsolvable: keep` lets it go on (kept with that reason); its reason is in the table
    `prechecks` either way. A problem without a verifier is kept.
    """

    kind: Literal["precheck"]
    verifiers: Annotated[tuple[AnyVerifier, ...], Field(min_length=1)]
    unsolvable: Literal["quarantine", "keep"] = "quarantine"

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("prechecks",)

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """What decides: each verifier's settings and version, and what becomes of what is found."""
        chosen = [{**verifier.settings(), "version": verifier.version} for verifier in self.verifiers]
        return {"kind": self.kind, "verifiers": chosen, "unsolvable": self.unsolvable}

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """What the verifiers' findings depend on besides: the programs' environment."""
        return {name: digest for v in self.verifiers for name, digest in v.material(resources).items()}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Check one shard. Raises what a verifier raises when it cannot work at all."""
        alive = inputs.alive("problem")
        found: dict[str, list[Finding]] = {}
        for verifier in self.verifiers:
            questions = filter(verifier.applies, _questions(inputs, alive))
            for finding in findings(verifier, questions, resources):
                found.setdefault(finding.problem_id, []).append(finding)
        ids = alive.to_pylist()
        rows = [_row(one) for problem in ids for one in sorted(found.get(problem, ()), key=lambda f: f.verifier)]
        return Output(self._ledger(ids, found), {"prechecks": PRECHECKS.of(rows)})

    def _ledger(self, ids: list[str], found: Mapping[str, Iterable[Finding]]) -> pa.Table:
        worst = [next((one for one in found.get(problem, ()) if one.reason), None) for problem in ids]
        turned: Bucket = "quarantined" if self.unsolvable == "quarantine" else "kept"
        buckets: list[Bucket] = ["kept" if one is None else turned for one in worst]
        reasons = [None if one is None else one.reason for one in worst]
        nothing = [None] * len(ids)
        details = [None if one is None else one.detail for one in worst]
        return ledger_rows("problem", ids, buckets, reasons, nothing, nothing, details)


def _questions(inputs: Inputs, alive: pa.Array) -> Iterator[Question]:
    for batch in inputs.batches("problems", list(_COLUMNS)):
        rows = pa.Table.from_batches([batch])
        rows = rows.filter(pc.is_in(rows["id"], value_set=alive))
        for problem, prompt, *texts in zip(*(rows[name].to_pylist() for name in _COLUMNS), strict=True):
            reference, tests, constraints, solution, comparison = texts
            yield Question(problem, problem, prompt or "", reference, tests, constraints, "", solution, comparison)


def _row(found: Finding) -> dict[str, Any]:
    return {
        "problem_id": found.problem_id,
        "verifier": found.verifier,
        "solvable": found.reason is None,
        "reason": found.reason,
        "detail": found.detail or None,
    }
