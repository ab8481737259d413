"""Every source row ends in one bucket, and nothing of it is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tracemill.engine.ids import problem_id
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.step import Inputs
from tracemill.engine.store import Counts, Manifest, Store
from tracemill.engine.tables import columns_of
from tracemill.errors import SourceError
from tracemill.ingest.plan import slices_of
from tracemill.ingest.source import Slice
from tracemill.ingest.step import Ingest, file_names
from tracemill.recipe import Recipe

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
    assert (origin["origin"], origin["problem_id"], origin["row"], origin["license"]) == (
        "s/rows.jsonl:0",
        expected,
        0,
        "MIT",
    )
    assert shard.ledger() == {"s/rows.jsonl:0": ("kept", None)}


def test_the_same_problem_twice_keeps_both_origins_and_all_responses(tmp_path: Path) -> None:
    twin = row(1, id="n2", q="\r\nWhat is 1 + 1? \n", a=None, t={"inputs": ["1"], "outputs": ["2"]}, r="Two.")
    shard = Ingested(tmp_path, [row(1), twin]).run()
    assert shard.ledger() == {"s/rows.jsonl:0": ("kept", None), "s/rows.jsonl:1": ("rejected", "same_problem")}
    (problem,) = shard.rows("problems")
    assert problem["prompt"] == "What is 1 + 1?"
    assert (problem["reference_answer"], json.loads(problem["test_case"])["outputs"]) == ("2", ["2"])
    assert [r["raw"] for r in shard.rows("generations")] == ["It is 2.", "Two."]
    assert [(r["origin"], r["reference_answer"]) for r in shard.rows("provenance")] == [
        ("s/rows.jsonl:0", "2"),
        ("s/rows.jsonl:1", None),
    ]


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
        pytest.param(row(9, q="-"), "blank_prompt", id="a mark in place of the problem"),
        pytest.param(row(9, q="NaN"), "blank_prompt", id="a missing value in place of the problem"),
        pytest.param(row(9, t="not json"), "bad_value", id="tests that are no JSON"),
        pytest.param(row(9, q="x" * 3000), "row_too_long", id="a runaway row"),
    ],
)
def test_a_bad_row_is_quarantined_with_its_text_and_the_others_live(tmp_path: Path, bad: Any, reason: str) -> None:
    shard = Ingested(tmp_path, [row(1), bad, row(2)], longest_row=2000).run()
    assert shard.ledger() == {
        "s/rows.jsonl:0": ("kept", None),
        "s/rows.jsonl:1": ("quarantined", reason),
        "s/rows.jsonl:2": ("kept", None),
    }
    (kept_text,) = shard.rows("quarantine")
    line = shard.path.read_bytes().splitlines()[1].decode("utf-8", "replace")
    assert (kept_text["row"], kept_text["reason"], kept_text["text"]) == (1, reason, line)
    assert shard.manifest.counts.entered == 3


def test_a_ten_megabyte_row_leaves_64_kib_in_the_quarantine(tmp_path: Path) -> None:
    shard = Ingested(tmp_path, [row(1), row(2, q="x" * 10_000_000)]).run()
    (found,) = shard.rows("quarantine")
    assert (found["reason"], len(found["text"])) == ("row_too_long", 64 * 1024)


@pytest.mark.parametrize("own", [None, "", "n1", 0, [1], {"a": 1}], ids=repr)
def test_rows_are_named_by_their_place_whatever_id_their_source_gives_them(tmp_path: Path, own: Any) -> None:
    shard = Ingested(tmp_path, [row(k, id=own) for k in range(3)]).run()
    assert shard.ledger() == {f"s/rows.jsonl:{k}": ("kept", None) for k in range(3)}
    assert {r["native_id"] for r in shard.rows("provenance")} == {str(own) if own in ("n1", 0) else None}


def test_a_file_is_called_what_it_was_called_when_it_was_first_planned(tmp_path: Path) -> None:
    """A renamed file gives the same fingerprint and the same tables: only the plan knows the new name."""
    shard = Ingested(tmp_path, [row(1), row(2, q=None)]).run()
    plan = shard.store.manifest("plan", 0)
    assert plan is not None
    (planned,) = slices_of(shard.store.get_table(plan.tables["plan"]))
    renamed = planned.model_copy(update={"file": "elsewhere/part-07.jsonl", "planned_as": planned.file})
    other = shard.recipe.sources[0].model_copy(update={"path": "elsewhere/part-07.jsonl"})
    settings = [
        Ingest(kind="ingest", sources=(source,)).settings(_planned(shard.store, part))
        for source, part in ((shard.recipe.sources[0], planned), (other, renamed))
    ]
    assert settings[0] == settings[1]
    assert renamed.named == planned.named


def _planned(store: Store, part: Slice) -> Inputs:
    table = pa.Table.from_pylist([{"index": 0, **part.model_dump()}], schema=columns_of("plan"))
    stored = store.put_table(table, "plan", 0, "plan")
    counts = Counts(entered=1, kept=1, rejected={}, quarantined={})
    manifest = Manifest(step="plan", index=0, fingerprint="x", unit="row", counts=counts, tables={"plan": stored})
    return Inputs(store, 0, {0: []}, [manifest], 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("The ASCII code of 'B'?", "The ASCII code of 'b'?", id="letter case"),
        pytest.param("if x:\n    a()\n    b()", "if x:\n    a()\nb()", id="indentation"),
        pytest.param("How many spaces has 'a  b'?", "How many spaces has 'a b'?", id="spaces inside"),
    ],
)
def test_what_a_reader_can_see_tells_two_problems_apart(tmp_path: Path, one: str, other: str) -> None:
    shard = Ingested(tmp_path, [row(1, q=one), row(2, q=other)]).run()
    assert [r["prompt"] for r in shard.rows("problems")] == [one, other]


def test_two_system_prompts_make_two_problems_of_one_question(tmp_path: Path) -> None:
    """The French answer must never stand under the question to translate into German."""
    rows = [
        {
            "m": [
                {"role": "system", "content": f"Translate into {language}."},
                {"role": "user", "content": "Good morning."},
                {"role": "assistant", "content": answer},
            ]
        }
        for language, answer in (("French", "Bonjour."), ("German", "Guten Morgen."))
    ]
    shard = Ingested(tmp_path, rows, columns={"messages": "m"}).run()
    problems = {r["id"]: r["messages"][0]["content"] for r in shard.rows("problems")}
    answers = {problems[r["problem_id"]]: r["raw"] for r in shard.rows("generations")}
    assert answers == {"Translate into French.": "Bonjour.", "Translate into German.": "Guten Morgen."}


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
    assert same == ["problems", "generations", "quarantine", "ledger"]  # provenance has the file's whole path


def test_two_files_of_one_name_in_two_folders_name_their_rows_apart(tmp_path: Path) -> None:
    """A file that comes later changes no name of an earlier one."""
    names = {
        "data/a/part.jsonl": "part.jsonl",
        "data/b/part.jsonl": "b/part.jsonl",
        "data/c.jsonl": "c.jsonl",
        "part.jsonl": "./part.jsonl",
        "other/b/part.jsonl": "other/b/part.jsonl",
    }
    slices = [(path, start) for path in names for start in (0, 1)]
    parts = [Slice(source="s", file=path, start=n, stop=n + 1, sha256="", revision="") for path, n in slices]
    assert file_names(parts) == {("s", path): name for path, name in names.items()}
    for count in range(1, len(parts)):
        assert file_names(parts[:count]).items() <= file_names(parts).items()
