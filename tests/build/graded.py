"""One shard of invented problems, responses and judgements, graded: what came of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tests.build.tables import inputs_of
from tracemill.engine.resources import Resources
from tracemill.engine.runner import reconcile
from tracemill.engine.step import Inputs
from tracemill.grade.step import Grade

Rows = Sequence[Mapping[str, Any]]
GRADE: TypeAdapter[Grade] = TypeAdapter(Grade)


def grade(**settings: Any) -> Grade:
    """The step with these settings."""
    return GRADE.validate_python({"kind": "grade", **settings})


def response(identity: str, **fields: Any) -> dict[str, Any]:
    """A whole response of the teacher `t` to the problem `p`."""
    return {"id": identity, "problem_id": "p", "teacher": "t", "sample_index": 0, "style": "am", **fields}


def verdict(identity: str, verifier: str, status: str, score: float | None = None, **fields: Any) -> dict[str, Any]:
    """What a verifier said of a response; the score is that of the status unless given."""
    worth = {"pass": 1.0}.get(status, 0.0) if score is None else score
    row = {"generation_id": identity, "problem_id": "p", "verifier": verifier, "status": status, "score": worth}
    return {**row, "reason": f"{verifier} says {status}", **fields}


def run(inputs: Inputs, **settings: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, str | None]]:
    """The scores, the grades, and the reason in the ledger by problem; every row is accounted for."""
    step = grade(**settings)
    output = step.run(Resources(workers=1), inputs)
    reconcile("grade", step, inputs, output)
    reasons = {row["id"]: row["reason"] for row in output.ledger.to_pylist()}
    return output.tables["scores"].to_pylist(), output.tables["grades"].to_pylist(), reasons


def scores_of(folder: Path, category: str | None, verdicts: Rows, rewards: Rows = (), **settings: Any) -> list[Any]:
    """(rule, raw, score, passed, reason) of the response `g` to a problem of that category."""
    found = inputs_of(
        folder,
        {
            "problems": [{"id": "p", "category": category}],
            "generations": [response("g")],
            "verdicts": verdicts,
            "rewards": rewards,
        },
    )
    ((row,), _, _) = run(found, **settings)
    return [row[name] for name in ("rule", "raw", "score", "passed", "reason")]
