"""An export says the same in every layout, loads wherever trainers load, and is whole or not there."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from tests.build.released import release, row
from tracemill.cli import app
from tracemill.errors import CorruptShard, MissingInput, RecipeError, StoreError
from tracemill.release.layout import SCHEMA, response_text
from tracemill.release.step import Release
from tracemill.release.trainers.card import features_of
from tracemill.release.trainers.folder import MARK, Wanted, export
from tracemill.release.trainers.layouts import AM_SYSTEM, LAYOUTS, SCHEMAS, LayoutName, laid_out, layout_named
from tracemill.release.trainers.opened import release_folder
from tracemill.release.trainers.spoken import Spoken, spoken
from tracemill.release.writer import METADATA

TESTS = json.dumps({"test_code": "def test_f(): ...", "test_entry_point": "f"})
PASSED = {"verifier": "math", "status": "pass", "score": 0.75, "reason": ""}
FAILED = {"verifier": "code", "status": "fail", "score": 1.0, "reason": ""}

ROWS = [
    row("plain", "4"),
    row("two turns", "6", ("user", "1?"), ("assistant", "one"), ("user", "And 3 + 3?")),
    row("解：因为", "答案是 $4$", ("user", "二加二？"), category="math", verdicts=[PASSED, FAILED]),
    row("tests", "def f(): ...", problem={"test_case": TESTS, "reference_answer": "4"}),
    row("measured", "4", measurements=[{"metric": "perplexity", "measurer": "m", "value": 2.5}]),
]


def exported(folder: Path, layout: LayoutName, rows: Sequence[dict[str, Any]], most: int, **more: Any) -> Path:
    found = release_folder(release(folder / "release", rows))
    export(found, Wanted(layout=layout, rows_per_file=most, **more), folder / "out", lambda _: None)
    return folder / "out"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_order_of_rows_and_files_loads_with_the_same_types(layout: LayoutName, seed: int, tmp_path: Path) -> None:
    from datasets import Features, load_dataset

    rows = random.Random(seed).sample(ROWS, len(ROWS))  # one row a file: in some the first has only nulls
    folder = exported(tmp_path, layout, rows, most=1)
    files = [str(path) for path in sorted(folder.glob("train-*.parquet"))]
    random.Random(seed).shuffle(files)

    loaded = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.features == Features.from_arrow_schema(SCHEMAS[layout])
    assert len(loaded) == len(files) == len(ROWS)
    by_hand = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert by_hand.features == loaded.features

    key = next(iter(SCHEMAS[layout].names))
    shuffled = by_hand.to_list()
    assert sorted(map(str, shuffled)) == sorted(map(str, loaded.to_list()))
    assert pl.read_parquet(files).to_dicts() == shuffled
    assert len(pd.read_parquet(folder / "train-00000.parquet")[key]) == 1
    assert duckdb.sql(f"select count(*), count({key}) from '{folder}/train-*.parquet'").fetchall() == [(5, 5)]


def test_the_card_states_the_types_that_datasets_reads_back() -> None:
    from datasets import Features

    for schema in SCHEMAS.values():
        assert Features._from_yaml_list(features_of(schema)) == Features.from_arrow_schema(schema)


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
TURNS = st.lists(st.tuples(TEXT, TEXT), max_size=2)


@settings(deadline=None, max_examples=40)
@given(TURNS, TEXT, TEXT, TEXT, st.sampled_from([None, "Think first."]))
def test_a_row_says_the_same_in_every_layout(
    before: list[tuple[str, str]], asked: str, think: str, answer: str, system: str | None
) -> None:
    turns = [pair for said, told in before for pair in (("user", said), ("assistant", told))]
    made = row(think, answer, *turns, ("user", asked))
    rows = pa.Table.from_pylist([{"messages": made["messages"]}], SCHEMA)
    about = pa.Table.from_pylist([{"generation_id": "g0", "verdicts": [], "measurements": []}], METADATA)
    prompt = [("system", system)] if system else []
    for layout in LAYOUTS:
        (line,) = laid_out(rows, about, layout, system).to_pylist()
        if layout == "prompt_completion":  # thinking and answer are one text there
            assert line["completion"][-1]["content"] == response_text(think, answer)
            assert [(turn["role"], turn["content"]) for turn in line["prompt"]] == [*prompt, *turns, ("user", asked)]
            continue
        given_before = () if layout == "am" else prompt
        assert spoken(line, layout) == Spoken((*given_before, *turns, ("user", asked)), think, answer)


def test_the_siblings_layout_carries_what_the_metadata_knows() -> None:
    def line(made: dict[str, Any]) -> list[dict[str, Any]]:
        known = {"generation_id": "g", "teacher": "t", "verdicts": [], "measurements": [], **made["about"]}
        rows = pa.Table.from_pylist([{"messages": made["messages"]}], SCHEMA)
        (told,) = laid_out(rows, pa.Table.from_pylist([known], METADATA), "am_thinking").to_pylist()
        return [turn["info"] for turn in told["conversations"]]

    asked, said = line(ROWS[2])
    assert (asked["category"], said["verify_score"], said["model_name"], said["ppl"]) == ("math", 0.75, "t", None)
    asked, said = line(ROWS[3])
    assert (asked["ground_truth"], json.loads(asked["test_case"])) == ("4", json.loads(TESTS))
    assert (said["test_case"], said["verify_score"]) == (None, None)
    assert line(ROWS[4])[1]["ppl"] == 2.5


def test_gptoss_tells_no_null_as_an_assistants_thinking() -> None:
    rows = pa.Table.from_pylist([{"messages": ROWS[1]["messages"]}], SCHEMA)
    about = pa.Table.from_pylist([{"generation_id": "g", "verdicts": [], "measurements": []}], METADATA)
    (line,) = laid_out(rows, about, "gptoss").to_pylist()
    assert [turn["thinking"] for turn in line["messages"]] == [None, "", None, "two turns"]


def test_a_release_of_several_parts_keeps_rows_metadata_and_ids_together(tmp_path: Path) -> None:
    many = [row(f"think {k}", str(k)) for k in range(40)]
    found = release_folder(release(tmp_path / "release", {"large": many[:33], "small": many[33:]}))
    done: list[int] = []

    assert export(found, Wanted(layout="prompt_completion", rows_per_file=10), tmp_path / "out", done.append) == 40

    assert sum(done) == 40
    out = tmp_path / "out"
    assert [pq.read_metadata(path).num_rows for path in sorted(out.glob("large-*"))] == [10, 10, 10, 3]
    for part in ("large", "small"):
        rows = pq.read_table(sorted(out.glob(f"{part}-*.parquet"))).to_pylist()
        about = pq.read_table(out / f"metadata-{part}.parquet").to_pylist()
        assert [line["id"] for line in rows] == [line["generation_id"] for line in about]
        for line in rows:
            assert f"think {line['id'][1:]}<" in line["completion"][0]["content"]
    front = yaml.safe_load((out / "README.md").read_text().split("---\n")[1])
    assert [config["config_name"] for config in front["configs"]] == ["large", "small"]
    assert front["license"] == "Apache-2.0"


def test_the_papers_prompt_goes_before_every_row(tmp_path: Path) -> None:
    folder = exported(tmp_path, "messages", ROWS, most=10, system=AM_SYSTEM)
    rows = pq.read_table(folder / "train-00000.parquet").to_pylist()
    assert {line["messages"][0]["content"] for line in rows} == {AM_SYSTEM}
    assert "&lt;think> reasoning process here" in (folder / "README.md").read_text()


def test_a_damaged_release_leaves_the_earlier_export_as_it_was(tmp_path: Path) -> None:
    folder = exported(tmp_path, "messages", ROWS, most=10)
    before = (folder / MARK).read_bytes()
    release(tmp_path / "release", ROWS)
    about = pq.read_table(tmp_path / "release/metadata.parquet")
    pq.write_table(about.slice(1), tmp_path / "release/metadata.parquet")

    with pytest.raises(CorruptShard, match="not about the same rows"):
        export(release_folder(tmp_path / "release"), Wanted(layout="gptoss"), folder, lambda _: None)

    assert (folder / MARK).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "release"]


@pytest.mark.parametrize(
    ("rows", "wanted", "error", "said"),
    [
        ([], Wanted(layout="messages"), MissingInput, "holds no row"),
        (ROWS, Wanted(layout="messages"), StoreError, "holds other files"),
    ],
    ids=["empty release", "folder of somebody else"],
)
def test_what_cannot_be_exported_says_why(
    rows: list[Any], wanted: Wanted, error: type[Exception], said: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    if error is StoreError:
        out.mkdir()
        (out / "thesis.txt").write_text("mine")
    with pytest.raises(error, match=said):
        export(release_folder(release(tmp_path / "release", rows)), wanted, out, lambda _: None)
    assert [path.name for path in tmp_path.rglob("*") if path.parent == out] == ["thesis.txt"] * out.exists()


def test_a_part_is_loaded_alone_whatever_the_others_are_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: `math-*` are the files of the part math-hard, too, whose rows would be there twice."""
    from datasets import load_dataset

    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    parts = {"math": ROWS[:1], "math-hard": ROWS[1:], "math-00000": ROWS[:2]}
    found = release_folder(release(tmp_path / "release", parts))
    export(found, Wanted(layout="messages"), tmp_path / "out", lambda _: None)
    for part, rows in parts.items():
        loaded = load_dataset(str(tmp_path / "out"), part, split="train", cache_dir=str(tmp_path / "cache"))
        assert len(loaded) == len(rows)


def test_a_link_is_followed_and_the_folder_one_stands_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = release_folder(release(tmp_path / "release", ROWS))
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    for _ in range(2):
        export(found, Wanted(layout="messages"), tmp_path / "link", lambda _: None)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk" / MARK).is_file()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="is a file: name a new or empty folder"):
        export(found, Wanted(layout="messages"), tmp_path / "file", lambda _: None)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(StoreError, match="is the folder that you are in"):
        export(found, Wanted(layout="messages"), Path(), lambda _: None)


def test_unknown_names_and_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no layout 'sharegpt'; there are am, prompt_completion"):
        layout_named("sharegpt")
    with pytest.raises(MissingInput, match="is no published release"):
        release_folder(tmp_path)
    with pytest.raises(ValidationError, match="without system prompt"):
        Wanted(layout="am", system="Think.")
    with pytest.raises(ValidationError, match="layouts has messages twice"):  # the second was written over the first
        Release.model_validate({"kind": "release", "layouts": ["messages", {"layout": "messages", "system": "am"}]})


def rewritten(folder: Path, messages: pa.Array) -> Path:
    pq.write_table(pa.table({"messages": messages}), folder / "train.parquet")
    return folder


@pytest.mark.parametrize("kind", [pa.int64(), pa.string(), pa.list_(pa.string())])
def test_columns_of_another_type_are_no_release(kind: pa.DataType, tmp_path: Path) -> None:
    """Trap: only the column's name was looked at, and what came of it was a loader's own words."""
    folder = rewritten(release(tmp_path / "release", ROWS[:2]), pa.nulls(2, kind))
    with pytest.raises(CorruptShard, match="which is no release's"):
        export(release_folder(folder), Wanted(layout="messages"), tmp_path / "out", lambda _: None)
    assert not (tmp_path / "out").exists()


def test_a_release_that_another_library_wrote_again_is_the_same_one(tmp_path: Path) -> None:
    """Trap: Polars writes texts as large_string."""
    folder = release(tmp_path / "release", ROWS)
    pl.read_parquet(folder / "train.parquet").write_parquet(folder / "train.parquet")
    assert pq.read_schema(folder / "train.parquet") != SCHEMA
    for layout in ("am", "messages"):
        export(release_folder(folder), Wanted(layout=layout), tmp_path / layout, lambda _: None)  # type: ignore[arg-type]
        assert pq.read_table(tmp_path / layout / "train-00000.parquet").schema.equals(SCHEMAS[layout])  # type: ignore[index]


@pytest.mark.parametrize("command", ["export", "prove"])
def test_what_is_no_release_is_called_by_its_name(command: str, tmp_path: Path) -> None:
    """Trap: an export has rows and metadata.parquet, too."""
    folder = exported(tmp_path, "am", ROWS, most=10)
    more = ["--layout", "messages", "--to", str(tmp_path / "two")] if command == "export" else ["--template", "qwen3"]
    (tmp_path / "empty").mkdir()
    for place, said in ((folder, "is an export"), (tmp_path / "empty", "is no published release (metadata.parquet is")):
        result = CliRunner().invoke(app, [command, str(place), *more])
        assert result.exit_code == 1
        assert said in " ".join(result.output.split())
    assert not (tmp_path / "two").exists()


HOSTILE = ["plain", "../../etc/passwd", "a/b", "a-b", "", "..", "模型"]


def test_each_teachers_rows_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    """Trap: a source may have named the teacher, and a name may be a path or read like another one's."""
    rows = [row(f"thought {n}", f"answer {n}", teacher=HOSTILE[n % len(HOSTILE)]) for n in range(20)]
    folder = tmp_path / "out"
    wanted = Wanted(layout="am_thinking", by="teacher")
    assert export(release_folder(release(tmp_path / "release", rows)), wanted, folder, lambda _: None) == len(rows)
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    assert len(names) == len(HOSTILE)
    assert {path.resolve().parent for path in folder.iterdir()} == {folder.resolve()}
    said: dict[str, list[str]] = {}
    for path in folder.glob("*/*-?????.parquet"):
        for line in pq.read_table(path)["conversations"].to_pylist():
            said.setdefault(line[-1]["info"]["model_name"], []).append(line[-1]["info"]["answer_content"])
    assert said == {name: [f"answer {n}" for n in range(20) if HOSTILE[n % len(HOSTILE)] == name] for name in HOSTILE}
    assert all((folder / name / file).is_file() for name in names for file in ("README.md", "metadata.parquet"))
