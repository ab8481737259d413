"""The verify step: every living response in one bucket, and verdicts also for the labelled ones that are gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, ledger_rows
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.engine.tables import columns_of
from tracemill.verify.math.verifier import MathVerifier
from tracemill.verify.step import Verify
from tracemill.verify.verifier import Question, Verdict

RESPONSES = [  # id, problem, answer, verdict of the source
    ("right", "sum", r"\boxed{4}", True),
    ("wrong", "sum", r"\boxed{5}", None),
    ("blank", "sum", None, None),
    ("rejected_and_labelled", "sum", r"\boxed{4}", True),
    ("rejected", "sum", r"\boxed{4}", None),
    ("prose", "essay", r"\boxed{4}", None),
    ("no_reference", "poem", "roses are red", None),
    ("problem_gone_but_labelled", "duplicate", r"\boxed{4}", False),
    ("problem_gone", "duplicate", r"\boxed{4}", None),
]
PROBLEMS = [
    ("sum", "4"),
    ("essay", "because light bends when it enters water"),
    ("poem", None),
    ("duplicate", "4"),
]


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = columns_of(name)
    return pa.Table.from_pylist([{f.name: row.get(f.name) for f in schema} for row in rows], schema=schema)


def sealed(store: Store, step: str, unit: str, tables: dict[str, pa.Table]) -> Manifest:
    stored = {name: store.put_table(rows, step, 0, name) for name, rows in tables.items()}
    counts = Counts(entered=0, kept=0, rejected={}, quarantined={})
    return store.seal(Manifest(step=step, index=0, fingerprint=step, unit=unit, counts=counts, tables=stored))


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    store = Store.at(str(tmp_path / "store"), create=True)
    problems = [{"id": name, "prompt": name, "reference_answer": answer} for name, answer in PROBLEMS]
    responses = [
        {"id": name, "problem_id": problem, "answer_content": answer, "source_verdict": known}
        for name, problem, answer, known in RESPONSES
    ]
    ingested = {"problems": table("problems", problems), "generations": table("generations", responses)}
    earlier = [
        sealed(store, "ingest", "row", {**ingested, "ledger": ledger_rows("row", ["o1"])}),
        sealed(store, "unique", "problem", {"ledger": ledger_rows("problem", ["duplicate"], "rejected", "exact")}),
        sealed(
            store,
            "rules",
            "generation",
            {"ledger": ledger_rows("generation", ["rejected", "rejected_and_labelled"], "rejected", "no_think")},
        ),
    ]
    return Inputs(store, 0, {0: earlier}, [], 1)


@pytest.fixture
def step() -> Verify:
    return Verify(kind="verify", verifiers=(MathVerifier(),))


@pytest.fixture
def output(step: Verify, inputs: Inputs) -> Output:
    return step.run(Resources(workers=1), inputs)


def test_every_living_response_is_in_one_bucket(step: Verify, inputs: Inputs, output: Output) -> None:
    rows = {row["id"]: (row["bucket"], row["reason"], row["score"]) for row in output.ledger.to_pylist()}
    assert rows == {
        "right": ("kept", None, 1.0),
        "wrong": ("rejected", "wrong_answer", 0.0),
        "blank": ("rejected", "no_answer", 0.0),
        "prose": ("quarantined", "prose_gold", None),
        "no_reference": ("kept", "not_applicable", None),
    }
    assert sorted(output.ledger["id"].to_pylist()) == sorted(step.entering(inputs).to_pylist())


def test_labelled_responses_are_judged_even_when_they_are_gone(output: Output) -> None:
    verdicts = {row["generation_id"]: row["status"] for row in output.tables["verdicts"].to_pylist()}
    assert verdicts == {
        "right": "pass",
        "wrong": "fail",
        "blank": "fail",
        "rejected_and_labelled": "pass",
        "problem_gone_but_labelled": "pass",
        "prose": "unverifiable",
    }


def test_the_same_shard_gives_the_same_rows(step: Verify, inputs: Inputs, output: Output) -> None:
    again = step.run(Resources(workers=2), inputs)
    assert again.ledger.equals(output.ledger)
    assert again.tables["verdicts"].equals(output.tables["verdicts"])


def test_a_rejected_row_shows_the_numbers_that_decided(output: Output) -> None:
    [wrong] = [row for row in output.ledger.to_pylist() if row["id"] == "wrong"]
    assert wrong["threshold"] == 1.0
    assert '"gold": "4", "answer": "5"' in wrong["detail"]


class Doubtful(MathVerifier):
    """A verifier that can never tell."""

    def judge(self, questions: Iterable[Question], resources: Resources) -> Iterator[Verdict]:
        """Say unverifiable of each."""
        for question in questions:
            yield Verdict(question.generation_id, question.problem_id, "doubtful", "unverifiable", 0.0, "who_knows")


def test_the_graver_of_two_verdicts_decides(inputs: Inputs) -> None:
    both = Verify(kind="verify", verifiers=(Doubtful(), MathVerifier())).run(Resources(workers=1), inputs)
    rows = {row["id"]: (row["bucket"], row["reason"]) for row in both.ledger.to_pylist()}
    assert rows["wrong"] == ("rejected", "wrong_answer")
    assert rows["right"] == ("quarantined", "who_knows")
    assert rows["no_reference"] == ("kept", "not_applicable")
    assert both.tables["verdicts"].num_rows == 12


def test_a_verifiers_settings_and_version_are_part_of_the_fingerprint(step: Verify, inputs: Inputs) -> None:
    assert step.settings(inputs) == {
        "kind": "verify",
        "verifiers": [{"kind": "math", "cpu_seconds": 10.0, "memory_mib": 1024, "version": 4}],
        "defer": False,
        "audit": [],
    }
    slower = Verify(kind="verify", verifiers=(MathVerifier(cpu_seconds=20),))
    assert slower.settings(inputs) != step.settings(inputs)


def test_an_empty_shard_gives_empty_tables(tmp_path: Path, step: Verify) -> None:
    store = Store.at(str(tmp_path / "empty"), create=True)
    output = step.run(Resources(workers=1), Inputs(store, 0, {0: []}, [], 1))
    assert (output.ledger.num_rows, output.tables["verdicts"].num_rows) == (0, 0)
