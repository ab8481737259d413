"""The release step: right rows in a fixed order, the same bytes every time, every row accounted for."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
import zstandard

from tests.build.distilled import Distilled
from tests.build.tables import Rows, inputs_of
from tracemill.engine.resources import Resources
from tracemill.engine.step import Output
from tracemill.engine.store import file_digest
from tracemill.engine.tables.dedup import TEMPLATES
from tracemill.release.card import dataset_card
from tracemill.release.fits import caution
from tracemill.release.models import models_section
from tracemill.release.revocations import Revocation
from tracemill.release.step import Release
from tracemill.release.tally import Tally

FIGURES = {f"figures/{name}.png" for name in ("length", "reference", "category", "difficulty")}
CASE = json.dumps({"test_code": "from solution import f", "test_entry_point": "f"})


def shard(number: int, generations: int = 3, **changes: Any) -> dict[str, list[dict[str, Any]]]:
    """A shard with one problem and some responses, of which the last was turned away."""
    problem = f"p{number}"
    ids = [f"g{number}-{k}" for k in range(generations)]
    row = {"id": problem, "source": "s", "native_id": str(number), "prompt": f"What is {number}?", "license": "MIT"}
    return {
        "problems": [{**row, "category": "math", "reference_answer": "4", **changes}],
        "generations": [_generation(i, problem) for i in ids],
        "provenance": [
            {"origin": f"s/{number}", "problem_id": problem},
            {"origin": f"a/{number}", "problem_id": problem},
        ],
        "verdicts": [_verdict(ids[0], problem, "pass"), _verdict(ids[1], problem, "unverifiable")],
        "contamination": [_match(problem, 0.3, contaminated=False), _match("p-gone", 0.9, contaminated=True)],
        "rewards": [{"generation_id": ids[0], "reward_model": "tree", "score": 0.25}],
        "ledger": [{"id": ids[-1], "unit": "generation", "bucket": "rejected", "reason": "surplus"}],
    }


def _generation(identity: str, problem: str) -> dict[str, Any]:
    texts = {"think_content": f"thinking of {identity}", "answer_content": f"answer of {identity}"}
    return {"id": identity, "problem_id": problem, "source": "s", "teacher": "r1", "sample_index": 0, **texts}


def _verdict(generation: str, problem: str, status: str) -> dict[str, Any]:
    return {"generation_id": generation, "problem_id": problem, "verifier": "math", "status": status, "score": 1.0}


def _match(problem: str, score: float, *, contaminated: bool) -> dict[str, Any]:
    match = {"problem_id": problem, "benchmark": "aime24", "item": "7", "rule": "ngram"}
    return {**match, "score": score, "threshold": 0.5, "contaminated": contaminated}


def release(folder: Path, *shards: Rows, **settings: Any) -> Output:
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    step = Release.model_validate({"kind": "release", **settings})
    return step.run(Resources(workers=1, scratch=scratch), inputs_of(folder, *shards))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Output:
    """The release of two shards, for tests that only look at it."""
    return release(tmp_path_factory.mktemp("usual"), shard(0, test_case=CASE), shard(1))


def lines(output: Output) -> list[Any]:
    with output.files["train.jsonl.zst"].open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        return [json.loads(line) for line in io.TextIOWrapper(stream, encoding="utf-8")]


def test_living_responses_are_released_in_shard_order(usual: Output) -> None:
    ids = ["g0-0", "g0-1", "g1-0", "g1-1"]

    assert [row["messages"][1]["info"]["think_content"] for row in lines(usual)] == [f"thinking of {i}" for i in ids]
    assert usual.ledger["id"].to_pylist() == ids
    assert set(usual.ledger["bucket"].to_pylist()) == {"kept"}


def test_a_problem_that_was_turned_away_takes_its_responses_along(tmp_path: Path) -> None:
    tables = shard(0)
    tables["ledger"].append({"id": "p0", "unit": "problem", "bucket": "rejected", "reason": "near_duplicate"})

    assert [row["messages"][0]["content"] for row in lines(release(tmp_path, tables, shard(1)))] == ["What is 1?"] * 2


def test_parquet_holds_the_same_rows(usual: Output) -> None:
    assert pq.read_table(usual.files["train.parquet"]).to_pylist() == lines(usual)


def test_metadata_row_k_is_about_data_row_k(tmp_path: Path) -> None:
    output = release(tmp_path, shard(0), shard(1, generations=2))
    metadata = pq.read_table(output.files["metadata.parquet"]).to_pylist()

    assert [row["row"] for row in metadata] == list(range(3))
    for row, line in zip(metadata, lines(output), strict=True):
        assert line["messages"][1]["info"]["answer_content"] == f"answer of {row['generation_id']}"
    first = metadata[0]
    assert first["origins"] == ["a/0", "s/0"]
    assert first["verdicts"] == [{"verifier": "math", "status": "pass", "score": 1.0, "reason": None}]
    assert first["reward"] == 0.25
    assert metadata[1]["reward"] is None
    assert [(match["benchmark"], match["rule"]) for match in first["contamination"]] == [("aime24", "ngram")]
    assert first["tokens"] == 4 + 7 + 6  # "What is 0 ?", "thinki ng of g 0 - 0", "answer of g 0 - 0"


def test_later_labels_win_and_blanks_undo_nothing(tmp_path: Path) -> None:
    tables = shard(0, difficulty="easy")
    tables["labels"] = [
        {"problem_id": "p0", "language": "en", "category": "math", "difficulty": None},
        {"problem_id": "p0", "language": None, "category": "Reasoning", "difficulty": None},
    ]
    metadata = pq.read_table(release(tmp_path, tables).files["metadata.parquet"]).to_pylist()[0]

    assert (metadata["category"], metadata["language"], metadata["difficulty"]) == ("Reasoning", "en", "easy")


def test_what_models_said_reaches_the_metadata_and_the_card(tmp_path: Path) -> None:
    """Trap: a model's tag is a topic; as a category it would decide which verifier a problem goes to."""
    tables = shard(0, difficulty="easy")
    tables["annotations"] = [
        {"problem_id": "p0", "difficulty": "very hard", "category": "Coding & Debugging", "topic": "Coding"}
    ]
    tables["measurements"] = [{"generation_id": "g0-0", "metric": "perplexity", "measurer": "m", "value": 3.5}]
    tables["continuations"] = [{"generation_id": "g0-1", "seam": 17}]
    files = release(tmp_path, tables).files
    first, second = pq.read_table(files["metadata.parquet"]).to_pylist()

    assert (first["category"], first["topic"], first["difficulty"]) == ("math", "Coding", "very hard")
    assert first["measurements"] == [{"metric": "perplexity", "measurer": "m", "value": 3.5}]
    assert (first["seam"], second["seam"], second["measurements"]) == (None, 17, [])
    card = files["README.md"].read_text(encoding="utf-8")
    assert "| Topic | Coding | 2 |" in card
    assert "1 responses had reached their budget and were continued" in card


def test_the_card_ranks_teachers_by_how_well_they_fit_a_student(tmp_path: Path) -> None:
    """Trap: a mean of ratios would rank a teacher by its few traces that hardly surprise: 30 and 3 are 6 / 1.1 here."""
    near, far = shard(0), shard(1)
    for tables, teacher in ((near, "near"), (far, "far")):
        tables["generations"] = [{**row, "teacher": teacher} for row in tables["generations"]]

    def measured(generation: str, ratio: float, surprisal: float) -> list[dict[str, Any]]:
        numbers = {"rsr": ratio, "surprisal": surprisal, "perplexity": 9.0}
        return [{"generation_id": generation, "metric": m, "measurer": "s", "value": v} for m, v in numbers.items()]

    near["measurements"] = [*measured("g0-0", 30.0, 0.1), *measured("g0-1", 3.0, 1.0)]
    far["measurements"] = [*measured("g1-0", 6.0, 1.0)]
    card = release(tmp_path, near, far).files["README.md"].read_text(encoding="utf-8")
    (first, second) = [line for line in card.splitlines() if line.startswith("| s |")]
    assert first == "| s | near | 2 | 5.455 | 0.550 |"
    assert second == "| s | far | 1 | 6.000 | 1.000 |"
    assert "first choice" not in card


@pytest.mark.parametrize(
    ("surprisals", "told"),
    [
        pytest.param([0.03, 0.9], True, id="one teacher's traces are no news to the student"),
        pytest.param([0.2, 0.9], False, id="all are"),
        pytest.param([], False, id="no student"),
    ],
)
def test_a_ratio_under_a_student_that_is_hardly_surprised_comes_with_a_caution(
    surprisals: list[float], told: bool
) -> None:
    """Trap: where every token has rank 1 the ratio is one over the surprisal, and the strangest traces fit best."""
    assert bool(caution(surprisals)) == told


def test_a_release_without_a_student_says_nothing_of_one(usual: Output) -> None:
    assert "Fit to a student" not in usual.files["README.md"].read_text(encoding="utf-8")


def test_a_cut_is_shown_with_the_distribution_that_it_cuts(tmp_path: Path) -> None:
    tables = shard(0)
    measured = {"metric": "perplexity", "rows": 3, "minimum": 1.0, "median": 2.0, "maximum": 9.0}
    histogram = {"edges": [1.0, 5.0, 9.0], "counts": [2, 1]}
    tables["cuts"] = [
        {**measured, **histogram, "measurer": "m", "group": "math", "quantile": 0.9, "threshold": 7.6},
        {**measured, **histogram, "measurer": "m", "group": "../code", "quantile": None, "threshold": None},
    ]
    files = release(tmp_path, tables).files
    card = files["README.md"].read_text(encoding="utf-8")

    assert "| perplexity | m | math | 3 | 1 | 2 | 9 | 7.6 (quantile 0.9) |" in card
    assert "| perplexity | m | ../code | 3 | 1 | 2 | 9 | nowhere |" in card
    assert set(files) - FIGURES >= {"figures/cut_perplexity.png"}
    assert files["figures/cut_perplexity.png"].read_bytes().startswith(b"\x89PNG")


def test_the_same_rows_give_the_same_bytes_figures_included(usual: Output, tmp_path: Path) -> None:
    first, again = usual.files, release(tmp_path, shard(0, test_case=CASE), shard(1)).files

    assert set(first) == {"train.jsonl.zst", "train.parquet", "metadata.parquet", "README.md", "funnel.json"} | FIGURES
    assert {name: file_digest(path) for name, path in first.items()} == {
        name: file_digest(path) for name, path in again.items()
    }


def test_the_card_states_what_was_counted(tmp_path: Path) -> None:
    output = release(tmp_path, shard(0), shard(1, license="CC-BY-NC-4.0"), title="A | title", file="tiny")
    card = output.files["README.md"].read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])

    assert (head["license"], head["size_categories"]) == ("cc-by-nc-4.0", ["n<1K"])
    assert head["configs"] == [{"config_name": "tiny", "data_files": "tiny.jsonl.zst", "default": True}]
    for said in (
        "4 responses with their thinking to 2 problems",
        "2 passed at least one verifier",
        "| aime24 | ngram | 4 | 0.5 | 2 | 0.300 |",
        "| mit | 2 |",
        "**cc-by-nc-4.0** (no commercial use)",
    ):
        assert said in card
    for section in ("Details", "Purpose and intended users", "Data", "Methodology", "Risks", "Ethics and law"):
        assert f"\n## {section}\n" in card


HEAD = """---
pretty_name: 'A: a title'
license: other
language:
- en
- zh
task_categories:
- text-generation
size_categories:
- n<1K
tags:
- reasoning
- distillation
- tracemill
configs:
- config_name: train
  data_files: train.jsonl.zst
  default: true
- config_name: more
  data_files: more.jsonl.zst
dataset_info:
- config_name: train
  features:
"""


def test_the_head_of_the_card_is_the_hubs_to_the_byte() -> None:
    tally = Tally(licences=Counter({"nobody knows": 1}), languages=Counter({"zh": 1, "en": 1, "fr": 1}))
    files = {"train": "train.jsonl.zst", "more": "more.jsonl.zst"}
    assert dataset_card("A: a title", "B", files, tally, [], {}).startswith(HEAD)


def test_the_card_states_what_the_contamination_rules_catch() -> None:
    tally = Tally()
    tally.add_evidence([_match("p", 0.3, contaminated=False)])
    tally.add_mutants([{"benchmark": "aime24", "kind": "renumbered", "texts": 30, "caught": 27}])
    tally.add_mutants([{"benchmark": "aime24", "kind": "spliced", "texts": 30, "caught": 0}])
    tally.add_mutants([{"benchmark": TEMPLATES, "kind": "translated_to_chinese", "texts": 40, "caught": 34}])
    card = dataset_card("A", "B", "train", tally, [], {})
    changed, told = card.split("made from templates of tracemill's, not from the benchmark")
    assert "| templates of tracemill | translated to chinese | 40 | 85.0% |" in told
    assert "templates of tracemill |" not in changed
    assert "| aime24 | renumbered | 30 | 90.0% |" in card
    assert "| aime24 | spliced | 30 | 0.0% |" in card


AGAINST = {"kind": "decontaminate", "benchmarks": [{"name": "aime24"}, {"name": "math500"}], "ngram": 0.5}


@pytest.mark.parametrize("shards", [AGAINST, [AGAINST, AGAINST]], ids=["one setting", "shards differ"])
def test_the_card_names_what_was_compared_where_nothing_came_near(shards: Any) -> None:
    card = dataset_card("A", "B", "train", Tally(), [], {"apart": shards})
    assert "**Benchmarks it was kept apart from**: aime24, math500\n" in card
    assert "| math500 | ngram | 0 | 0.5 | 0 | none near |" in card
    assert "| aime24 | exact | 0 | 1 | 0 | none near |" in card
    assert "not compared with any benchmark" not in card


def test_the_card_says_where_nothing_was_compared() -> None:
    card = dataset_card("A", "B", "train", Tally(), [], {"sign": {"kind": "sign"}})
    assert "was not compared with any benchmark" in card


def test_the_card_lists_recalled_benchmarks_by_problems_not_by_responses() -> None:
    line = {"benchmark": "late", "item": "1", "score": 1.0, "threshold": 0.5, "shard": 0}
    lines = [
        Revocation.model_validate({**line, "generation_id": g, "problem_id": p, "rule": rule})
        for g, p, rule in (("g1", "p1", "exact"), ("g2", "p1", "exact"), (None, "p2", "ngram"))
    ]
    card = dataset_card("A", "B", "train", Tally(), [], {"s": AGAINST}, (), {"late": lines, "nothing": []})
    assert "**Benchmarks it was kept apart from**: aime24, late, math500, nothing\n" in card
    assert "| late | 2 | exact 1, ngram 1 |" in card
    assert "| nothing | 0 |  |" in card


def test_text_from_rows_cannot_break_the_card(tmp_path: Path) -> None:
    evil = "math |\n## Owned <script> [x](http://evil)"
    card = release(tmp_path, shard(0, category=evil)).files["README.md"].read_text(encoding="utf-8")

    assert "\n## Owned" not in card
    assert "<script>" not in card
    assert "[x](" not in card.replace("\\[x](", "")


def test_mathematics_in_a_category_is_drawn_as_text(tmp_path: Path) -> None:
    output = release(tmp_path, shard(0, category="$\\frac{"))

    assert output.files["figures/category.png"].read_bytes().startswith(b"\x89PNG")


def test_figures_carry_no_date_and_no_version(usual: Output) -> None:
    for name in FIGURES:
        data = usual.files[name].read_bytes()
        assert b"tEXt" not in data
        assert b"tIME" not in data


def test_the_funnel_does_not_depend_on_the_clock(usual: Output) -> None:
    funnel = json.loads(usual.files["funnel.json"].read_text(encoding="utf-8"))

    assert [stage["step"] for stage in funnel["steps"]] == ["before", "release"]
    assert all("seconds" not in stage for stage in funnel["steps"])
    assert funnel["steps"][-1]["kept"] == 4


@pytest.mark.parametrize("shards", [[], [{"problems": [], "generations": []}]], ids=["no shard", "an empty shard"])
def test_a_release_of_nothing_is_a_release(tmp_path: Path, shards: list[Rows]) -> None:
    output = release(tmp_path, *shards)

    assert lines(output) == []
    assert pq.read_table(output.files["train.parquet"]).num_rows == 0
    assert "0 responses" in output.files["README.md"].read_text(encoding="utf-8")


def test_many_small_shards_share_row_groups(tmp_path: Path) -> None:
    output = release(tmp_path, *(shard(k, generations=3) for k in range(20)))

    assert pq.ParquetFile(output.files["train.parquet"]).num_row_groups == 1


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x y"])
def test_the_name_of_the_data_files_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="file"):
        Release.model_validate({"kind": "release", "file": name})


def _sourced(number: int, *sources: str) -> dict[str, list[dict[str, Any]]]:
    """A shard with one problem and a response of each source, all alive."""
    made = shard(number, generations=max(2, len(sources)), released_as="NuminaMath_1.5")
    rows = [{**row, "response_source": one} for row, one in zip(made["generations"], sources, strict=False)]
    return {**made, "generations": rows, "ledger": [], "verdicts": [], "rewards": []}


PARTS = {
    "file": "am_0.5M",
    "apart": {"am_0.9M": ["am-0309"]},
    "samples": {"am_0.9M_sample_1k": {"of": "am_0.9M", "rows": 2}},
}


def test_rows_of_the_teacher_and_of_other_data_sets_have_files_of_their_own(tmp_path: Path) -> None:
    made = release(tmp_path, _sourced(1, "KodCode", "am-0309"), _sourced(2, "am-0309"), _sourced(3, "am-0309"), **PARTS)
    lines = {name: _lines(path) for name, path in made.files.items() if ".jsonl" in name}
    said = {name: [row["messages"][1]["info"]["source"] for row in rows] for name, rows in lines.items()}
    assert said == {
        "am_0.5M.jsonl.zst": ["KodCode"],
        "am_0.9M.jsonl.zst": ["am-0309"] * 3,
        "am_0.9M_sample_1k.jsonl": ["am-0309"] * 2,
    }
    assert {row["messages"][0]["info"]["source"] for rows in lines.values() for row in rows} == {"NuminaMath_1.5"}
    assert all(row in lines["am_0.9M.jsonl.zst"] for row in lines["am_0.9M_sample_1k.jsonl"])
    metadata = pq.read_table(made.files["metadata.parquet"]).to_pylist()
    assert sorted((row["file"], row["row"], row["response_source"]) for row in metadata) == [
        ("am_0.5M", 0, "KodCode"),
        *(("am_0.9M", k, "am-0309") for k in range(3)),
    ]
    for row in metadata:
        told = lines[f"{row['file']}.jsonl.zst"][row["row"]]["messages"][1]["info"]["think_content"]
        assert told == f"thinking of {row['generation_id']}"


def test_every_file_with_rows_is_a_configuration_of_the_card(tmp_path: Path) -> None:
    for name, sources, files in (
        ("both", ("KodCode", "am-0309"), ["am_0.5M.jsonl.zst", "am_0.9M.jsonl.zst", "am_0.9M_sample_1k.jsonl"]),
        ("one", ("KodCode",), ["am_0.5M.jsonl.zst"]),
    ):
        (tmp_path / name).mkdir()
        made = release(tmp_path / name, _sourced(1, *sources), **PARTS)
        head = yaml.safe_load(made.files["README.md"].read_text(encoding="utf-8").split("---")[1])
        assert [one["data_files"] for one in head["configs"]] == files
        assert [one["config_name"] for one in head["dataset_info"]] == [one["config_name"] for one in head["configs"]]
        assert [one.get("default", False) for one in head["configs"]] == [True, *[False] * (len(files) - 1)]


def _lines(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    plain = zstandard.ZstdDecompressor().stream_reader(data).read() if path.suffix == ".zst" else data
    return [json.loads(line) for line in plain.decode().splitlines()]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"apart": {"train": ["x"]}}, id="a file twice"),
        pytest.param({"apart": {"a": ["x"], "b": ["x"]}}, id="a source in two files"),
        pytest.param({"apart": {"a": []}}, id="a file of nothing"),
        pytest.param({"apart": {"metadata": ["x"]}}, id="the file that is about all rows"),
        pytest.param({"samples": {"s": {"of": "elsewhere", "rows": 1}}}, id="a sample of no file"),
        pytest.param({"apart": {"../a": ["x"]}}, id="a name that leaves the folder"),
    ],
)
def test_files_that_cannot_be_told_apart_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="error"):
        Release(kind="release", **wrong)


def test_the_card_names_the_models_that_were_asked(tmp_path: Path) -> None:
    small = Distilled(tmp_path)
    small.run()
    manifest = small.store.manifest("release", 0)
    assert manifest
    card = small.store.read_bytes(manifest.files["README.md"].key).decode()
    assert "### Models\n" in card
    assert "| tiny | distill | org/tiny@abc |  |  | tiny |" in card


def test_the_card_says_all_that_the_shards_say_of_a_model_and_no_place_of_this_machine() -> None:
    engine = {"quantization": "fp8", "chat_template": "/home/me/r1.jinja"}
    one = {"model r1": {"identity": "r1@1", "engine": engine, "versions": ["0.32.0"], "flags": ["--download-dir=/x"]}}
    other = {"model r1": {"identity": "r1@1", "versions": ["0.33.0"], "served": ["r1"]}, "isolation": "namespaces"}
    section = models_section([("distill", one), ("distill_again", other)])
    assert (
        "| r1 | distill, distill_again | r1@1 | chat_template=r1.jinja, quantization=fp8 | 0.32.0, 0.33.0 | r1 |"
        in section
    )
    assert "/home/me" not in section
    assert "/x" not in section
    assert models_section([("verify", {"isolation": "namespaces"})]) == ""
