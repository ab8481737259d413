"""The life of a row: where it came from, each decision with its numbers, and where it ended."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from tests.build.fakes import FakePlan, FakeRecipe, Gather, fake_recipe
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Counts, Manifest, Store, StoredFile
from tracemill.engine.tables import columns_of
from tracemill.errors import MissingInput
from tracemill.report.why import print_life, why

Tables = Mapping[str, list[dict[str, Any]]]
RECIPE: FakeRecipe = fake_recipe(plan=FakePlan(shards=2))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two shards and a release. Problem `p1` came in both, and the second copy was dropped; `p2` was rejected."""
    store = Store.at(str(tmp_path / "store"), create=True)
    run_shard(RECIPE, store, "plan", 0, Resources(workers=1))
    seal(
        store,
        "ingest",
        0,
        problems=[{"id": "p1", "prompt": "What is 2+2?"}, {"id": "p2", "prompt": "What is [red]?"}],
        generations=[
            {"id": "g1", "problem_id": "p1"},
            {"id": "g2", "problem_id": "p1"},
            {"id": "g3", "problem_id": "p2"},
        ],
        provenance=[provenance("s/a", "p1"), provenance("s/b", "p2")],
        quarantine=[{"origin": "s/bad", "row": 7, "reason": "malformed_json", "detail": "line 8 is cut"}],
        ledger=[kept("s/a", "row"), kept("s/b", "row"), away("s/bad", "row", "quarantined", "malformed_json")],
    )
    seal(
        store,
        "ingest",
        1,
        problems=[{"id": "p1", "prompt": "what is 2+2?"}],
        generations=[{"id": "g4", "problem_id": "p1"}],
        provenance=[provenance("t/a", "p1")],
        ledger=[kept("t/a", "row")],
    )
    match = {"problem_id": "p2", "benchmark": "aime24", "item": "7", "rule": "ngram", "score": 0.75, "threshold": 0.5}
    seal(
        store,
        "sieve",
        0,
        contamination=[{**match, "contaminated": True}],
        verdicts=[{"generation_id": "g2", "verifier": "math", "status": "fail", "reason": "wrong_answer"}],
        ledger=[
            kept("p1", "problem"),
            away("p2", "problem", "rejected", "contaminated_ngram", 0.75, 0.5),
            kept("g1", "generation"),
            away("g2", "generation", "rejected", "wrong_answer"),
        ],
    )
    seal(store, "sieve", 1, ledger=[away("p1", "problem", "rejected", "exact_duplicate", 1.0, 1.0)])
    seal(store, "gather", 0, files=("train.jsonl.zst",), ledger=[kept("g1", "generation")])
    return store


def seal(store: Store, step: str, index: int, files: tuple[str, ...] = (), **tables: list[dict[str, Any]]) -> None:
    stored = {
        name: store.put_table(pa.Table.from_pylist(rows, schema=columns_of(name)), step, index, name)
        for name, rows in tables.items()
    }
    made = {name: StoredFile(key=name, sha256="0", bytes=0) for name in files}
    counts = Counts(entered=0, kept=0, rejected={}, quarantined={})
    values = {"step": step, "index": index, "fingerprint": "f" * 40, "unit": "row", "counts": counts}
    store.seal(Manifest.model_validate({**values, "tables": stored, "files": made}))


def provenance(origin: str, problem: str) -> dict[str, Any]:
    return {"origin": origin, "problem_id": problem, "source": origin[0], "file": "x.jsonl", "row": 1, "license": "MIT"}


def kept(identity: str, unit: str) -> dict[str, Any]:
    return {"id": identity, "unit": unit, "bucket": "kept"}


def away(identity: str, unit: str, bucket: str, reason: str, *numbers: float) -> dict[str, Any]:
    score, threshold = numbers or (None, None)
    return {"id": identity, "unit": unit, "bucket": bucket, "reason": reason, "score": score, "threshold": threshold}


@pytest.mark.parametrize(
    ("identity", "kind", "fate"),
    [
        pytest.param("g1", "generation", "released", id="a released response"),
        pytest.param("g2", "generation", "generation rejected by sieve: wrong_answer", id="a wrong response"),
        pytest.param(
            "g3",
            "generation",
            "problem rejected by sieve: contaminated_ngram (score 0.75, threshold 0.5)",
            id="a response whose problem was turned away",
        ),
        pytest.param(
            "g4",
            "generation",
            "problem rejected by sieve: exact_duplicate (score 1, threshold 1)",
            id="a response to the dropped copy",
        ),
        pytest.param("p1", "problem", "released", id="a problem that lives in one shard and was dropped in another"),
        pytest.param(
            "p2", "problem", "problem rejected by sieve: contaminated_ngram (score 0.75, threshold 0.5)", id="rejected"
        ),
        pytest.param("s/bad", "source row", "row quarantined by ingest: malformed_json", id="an unreadable row"),
        pytest.param("s/a", "source row", "released", id="a row whose problem was released"),
    ],
)
def test_the_fate_in_one_phrase(store: Store, identity: str, kind: str, fate: str) -> None:
    life = why(identity, RECIPE, store)

    assert (life["id"], life["kind"], life["fate"]) == (identity, kind, fate)


def test_a_problem_tells_everything_in_the_order_of_the_recipe(store: Store) -> None:
    life = why("p2", RECIPE, store)

    assert [(row["step"], row["shard"], row["table"]) for row in life["found"]] == [
        ("ingest", 0, "problems"),
        ("ingest", 0, "provenance"),
        ("ingest", 0, "ledger"),
        ("sieve", 0, "contamination"),
        ("sieve", 0, "ledger"),
    ]
    evidence = life["found"][3]
    assert (evidence["benchmark"], evidence["item"], evidence["rule"], evidence["score"]) == (
        "aime24",
        "7",
        "ngram",
        0.75,
    )
    assert life["responses"] == {"g3": life["fate"]}


def test_a_problem_lists_the_fate_of_each_response(store: Store) -> None:
    assert why("p1", RECIPE, store)["responses"] == {
        "g1": "released",
        "g2": "generation rejected by sieve: wrong_answer",
        "g4": "problem rejected by sieve: exact_duplicate (score 1, threshold 1)",
    }


def test_a_quarantined_row_shows_the_text_and_the_reason(store: Store) -> None:
    quarantine = next(row for row in why("s/bad", RECIPE, store)["found"] if row["table"] == "quarantine")

    assert (quarantine["row"], quarantine["detail"]) == (7, "line 8 is cut")


def test_an_unfinished_run_tells_how_far_a_row_came(tmp_path: Path) -> None:
    store, recipe = Store.at(str(tmp_path / "store"), create=True), fake_recipe(gather=Gather())
    run_shard(recipe, store, "plan", 0, Resources(workers=1))
    seal(store, "ingest", 0, provenance=[provenance("s/a", "p1")], ledger=[kept("s/a", "row")])

    assert why("p1", recipe, store)["fate"] == "kept so far, last by ingest"


def test_an_id_that_nobody_knows_is_an_error(store: Store) -> None:
    with pytest.raises(MissingInput, match=r"no sealed shard of .* knows 'p9': check the id"):
        why("p9", RECIPE, store)


def test_the_printed_life_shows_markup_as_text_and_cuts_long_texts(store: Store) -> None:
    life = why("p2", RECIPE, store)
    life["found"][0]["prompt"] = "[red]" + "x" * 1000
    console = Console(file=io.StringIO(), width=120)

    print_life(life, console)

    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "p2 (problem): problem rejected by sieve" in text
    assert "[red]xxx" in text
    assert "(1,005 characters)" in text
    assert "score 0.75, threshold 0.5" in text
