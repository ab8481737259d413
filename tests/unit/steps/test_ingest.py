"""Every source row ends in one bucket, and nothing of it is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tracemill.errors import SourceError
from tracemill.recipe import Recipe
from tracemill.records import problem_id
from tracemill.resources import Resources
from tracemill.runner import run_shard
from tracemill.shards import Store

COLUMNS = {"id": "id", "prompt": "q", "reference_answer": "a", "test_case": "t", "response": "r"}


class Ingested:
    """One shard made of the given rows."""

    def __init__(self, folder: Path, rows: list[Any], **settings: Any) -> None:
        self.path = folder / "rows.jsonl"
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        self.path.write_bytes(b"\n".join(lines) + b"\n")
        source = {"kind": "jsonl", "name": "s", "path": str(self.path), "columns": COLUMNS, "teacher": "t", **settings}
        self.recipe = Recipe.model_validate({"name": "r", "description": "", "sources": [source], "steps": {}})
        self.store = Store.at(str(folder / "store"), create=True)
        run_shard(self.recipe, self.store, "plan", 0, Resources())

    def run(self) -> Ingested:
        self.manifest = run_shard(self.recipe, self.store, "ingest", 0, Resources()).manifest
        return self

    def rows(self, table: str) -> list[dict[str, Any]]:
        return list(self.store.get_table(self.manifest.tables[table]).to_pylist())

    def ledger(self) -> dict[str, tuple[str, str | None]]:
        return {row["id"]: (row["bucket"], row["reason"]) for row in self.rows("ledger")}


def row(number: int, **changes: Any) -> dict[str, Any]:
    """A good row."""
    return {
        "id": f"n{number}",
        "q": f"What is {number} + 1?",
        "a": number + 1,
        "t": None,
        "r": f"It is {number + 1}.",
    } | changes


def test_a_good_row_becomes_problem_response_and_provenance(tmp_path: Path) -> None:
    shard = Ingested(tmp_path, [row(1, r="<think>1+1</think>\n<answer>2</answer>")], license="MIT", rank=3).run()
    (problem,), (generation,), (origin,) = (shard.rows(t) for t in ("problems", "generations", "provenance"))
    expected = problem_id("What is 1 + 1?")
    assert (problem["id"], problem["reference_answer"], problem["source_rank"]) == (expected, "2", 3)
    assert (generation["problem_id"], generation["style"], generation["raw"]) == (expected, "am", None)
    assert (generation["think_content"], generation["answer_content"]) == ("1+1", "2")
    assert (origin["origin"], origin["problem_id"], origin["row"], origin["license"]) == ("s/n1", expected, 0, "MIT")
    assert shard.ledger() == {"s/n1": ("kept", None)}


def test_the_same_problem_twice_keeps_both_origins_and_all_responses(tmp_path: Path) -> None:
    twin = row(1, id="n2", q="what is 1 +  1?\n", a=None, t={"inputs": ["1"], "outputs": ["2"]}, r="Two.")
    shard = Ingested(tmp_path, [row(1), twin]).run()
    assert shard.ledger() == {"s/n1": ("kept", None), "s/n2": ("rejected", "same_problem")}
    (problem,) = shard.rows("problems")
    assert problem["prompt"] == "What is 1 + 1?"
    assert (problem["reference_answer"], json.loads(problem["test_case"])["outputs"]) == ("2", ["2"])
    assert [r["raw"] for r in shard.rows("generations")] == ["It is 2.", "Two."]
    assert [(r["origin"], r["reference_answer"]) for r in shard.rows("provenance")] == [("s/n1", "2"), ("s/n2", None)]


def test_disagreeing_references_of_one_problem_are_both_on_record(tmp_path: Path) -> None:
    shard = Ingested(tmp_path, [row(1), row(1, id="n2", a=3)]).run()
    assert [r["reference_answer"] for r in shard.rows("problems")] == ["2"]
    assert [r["reference_answer"] for r in shard.rows("provenance")] == ["2", "3"]


def test_identical_rows_have_one_response(tmp_path: Path) -> None:
    shard = Ingested(tmp_path, [row(1), row(1, id="n2")]).run()
    assert len(shard.rows("generations")) == 1
    assert shard.manifest.counts.rejected == {"same_problem": 1}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(b'{"id": "x", "q": "half', "malformed_json", id="malformed"),
        pytest.param(b'{"q": "\xff"}', "bad_utf8", id="encoding"),
        pytest.param({"id": "x", "a": 1, "t": None, "r": None}, "missing_column", id="missing column"),
        pytest.param(row(9, q=None), "null_value", id="null problem"),
        pytest.param(row(9, q=" \n"), "blank_prompt", id="blank problem"),
        pytest.param(row(9, t="not json"), "bad_value", id="tests that are no JSON"),
        pytest.param(row(9, id="n1"), "duplicate_id", id="an id used twice with another text"),
        pytest.param(row(9, q="x" * 3000), "row_too_long", id="a runaway row"),
    ],
)
def test_a_bad_row_is_quarantined_with_its_text_and_the_others_live(tmp_path: Path, bad: Any, reason: str) -> None:
    shard = Ingested(tmp_path, [row(1), bad, row(2)], longest_row=2000).run()
    assert shard.ledger() == {
        "s/n1": ("kept", None),
        "s/rows.jsonl:1": ("quarantined", reason),
        "s/n2": ("kept", None),
    }
    (kept_text,) = shard.rows("quarantine")
    line = shard.path.read_bytes().splitlines()[1].decode("utf-8", "replace")
    assert (kept_text["row"], kept_text["reason"], kept_text["text"]) == (1, reason, line)
    assert shard.manifest.counts.entered == 3


def test_a_ten_megabyte_row_leaves_64_kib_in_the_quarantine(tmp_path: Path) -> None:
    shard = Ingested(tmp_path, [row(1), row(2, q="x" * 10_000_000)]).run()
    (found,) = shard.rows("quarantine")
    assert (found["reason"], len(found["text"])) == ("row_too_long", 64 * 1024)


def test_rows_without_an_id_are_named_by_their_place(tmp_path: Path) -> None:
    shard = Ingested(tmp_path, [row(1, id=None), row(2, id="")]).run()
    assert list(shard.ledger()) == ["s/rows.jsonl:0", "s/rows.jsonl:1"]


def test_a_file_that_changed_after_planning_seals_nothing(tmp_path: Path) -> None:
    shard = Ingested(tmp_path, [row(1), row(2)])
    shard.path.write_bytes(shard.path.read_bytes().replace(b"What is 2", b"What is 3"))
    with pytest.raises(SourceError, match="run `plan` again"):
        shard.run()
    assert shard.store.manifest("ingest", 0) is None


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [row(n % 5, id=f"n{n}") for n in range(20)]
    tables = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        tables.append(Ingested(tmp_path / name, rows).run().manifest.tables)
    same = [name for name in tables[0] if tables[0][name].sha256 == tables[1][name].sha256]
    assert same == ["problems", "generations", "quarantine", "ledger"]  # provenance names the file, which differs
