"""Agreement counts every response with a published verdict, and lists each on which we differ."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.recipe import Recipe, parse_recipe
from tracemill.report.agreement import agreement, by_verifier, disagreements

ROWS: list[
    tuple[str, str | None, list[tuple[str, bool | None]]]
] = [  # source, reference, [(response, published verdict)]
    ("books", "4", [(r"\boxed{4}", True), (r"\boxed{5}", False), (r"\boxed{5}", True), (r"\boxed{4}", None)]),
    ("books", "the light bends at the surface", [(r"\boxed{4}", True)]),
    ("books", None, [("a poem", True)]),
    ("web", "7", [(r"<think>t</think>\boxed{7}", False), ("<think>I never stop", False)]),
]


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    columns = {"prompt": "p", "reference_answer": "a", "response": "r", "verdict": "v"}
    sources = []
    for source in ("books", "web"):
        path = tmp_path / f"{source}.jsonl"
        lines = [
            json.dumps({"p": f"{source} {n}", "a": gold, "r": [r for r, _ in given], "v": [v for _, v in given]})
            for n, (name, gold, given) in enumerate(ROWS)
            if name == source
        ]
        path.write_text("\n".join(lines) + "\n")
        sources.append({"kind": "jsonl", "name": source, "path": str(path), "columns": columns})
    steps = {"rules": {"kind": "rules"}, "verify": {"kind": "verify", "verifiers": [{"kind": "math"}]}}
    data = {"name": "test", "description": "", "rows_per_shard": 2, "sources": sources, "steps": steps}
    return parse_recipe(data, "test")


@pytest.fixture
def store(recipe: Recipe, tmp_path: Path) -> Store:
    store = Store.at(str(tmp_path / "store"), create=True)
    run_shard(recipe, store, "plan", 0, Resources(workers=1))
    for step in ("ingest", "rules", "verify"):
        for index in range(shard_count(store)):
            run_shard(recipe, store, step, index, Resources(workers=1))
    return store


def test_counts_per_source_include_what_a_rule_turned_away(recipe: Recipe, store: Store) -> None:
    assert agreement(recipe, store) == {
        "books": {"n": 5, "agree": 2, "unverifiable": 1},
        "web": {"n": 2, "agree": 1, "unverifiable": 0},
    }


def test_counts_per_verifier_show_what_was_not_judged(recipe: Recipe, store: Store) -> None:
    rows = {(row.source, row.verifier): (row.n, row.agree, row.unverifiable) for row in by_verifier(recipe, store)}
    assert rows == {("books", None): (1, 0, 0), ("books", "math"): (4, 2, 1), ("web", "math"): (2, 1, 0)}


def test_every_disagreement_is_listed_with_our_reason(recipe: Recipe, store: Store) -> None:
    found = [(row.source, row.known, row.status, row.reason) for row in disagreements(recipe, store)]
    assert sorted(found, key=str) == [
        ("books", True, "fail", "wrong_answer"),
        ("books", True, "unverifiable", "prose_gold"),
        ("books", True, None, None),
        ("web", False, "pass", "equal"),
    ]


def test_a_run_that_is_not_done_counts_what_there_is(recipe: Recipe, tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "young"), create=True)
    run_shard(recipe, store, "plan", 0, Resources(workers=1))
    assert agreement(recipe, store) == {}
    run_shard(recipe, store, "ingest", 0, Resources(workers=1))
    assert agreement(recipe, store) == {"books": {"n": 4, "agree": 0, "unverifiable": 0}}
