"""What an export writes: who is in which set, typed rows that load everywhere in any order, a card, every row told."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from tests.build.tables import inputs_of
from tracemill.engine.resources import Resources
from tracemill.engine.runner import reconcile
from tracemill.engine.step import Output
from tracemill.errors import MissingInput
from tracemill.release.exports.joined import sampling_of
from tracemill.release.exports.layouts import DISTILLED_40M
from tracemill.release.exports.step import Export
from tracemill.release.revocations import Revocation, write_list

R1 = "deepseek-r1"
CASE = json.dumps({"inputs": ["1"], "outputs": ["1"]})
SETS: dict[str, Any] = {
    "all": {"kind": "distilled_40m"},
    "sft_1": {"kind": "sft", "stage": 1},
    "sft_2": {"kind": "sft", "stage": 2},
    "rlvr": {"kind": "rlvr", "apart_from": ["sft_1"]},
    "pairs": {"kind": "pairs"},
    "control": {"kind": "control", "like": "sft_1", "apart_from": ["sft_1"]},
    "solvable": {"kind": "rlvr"},
}
Tables = dict[str, list[dict[str, Any]]]


def problem(number: int, passes: str, category: str = "math", **fields: Any) -> Tables:
    """A problem with a response for each sign of `passes`: + passes, - fails, ? could not be told, _ is blank."""
    name = f"p{number}"
    known = {"problem_id": name, "teacher": R1}
    told = {f"g{number}-{k}": {"+": True, "-": False}.get(sign) for k, sign in enumerate(passes)}
    blank = {f"g{number}-{k}" for k, sign in enumerate(passes) if sign == "_"}
    decided = [one for one in told.values() if one is not None]
    asked = {"id": name, "source": "s", "category": category, "prompt": f"What is {number}?", "license": "mit"}
    grade = {**known, "category": category, "asked": len(told), "decided": len(decided), "passed": sum(decided)}
    rate = sum(decided) / len(decided) if decided else None
    return {
        "problems": [{**asked, "reference_answer": str(number), **fields}],
        "labels": [{"problem_id": name, "language": "en"}],
        "grades": [{**grade, "pass_rate": rate, "low": 0.1, "high": 0.9}],
        "generations": [
            {
                "id": i,
                **known,
                "sample_index": k,
                "think_content": f"think {i}",
                "answer_content": "" if i in blank else i,
            }
            for k, i in enumerate(told)
        ],
        "scores": [
            {"generation_id": i, **known, "category": category, "rule": "math", **_scored(ok)} for i, ok in told.items()
        ],
        "verdicts": [
            {"generation_id": i, "problem_id": name, "verifier": "math", "status": "pass" if ok else "fail"}
            for i, ok in told.items()
            if ok is not None
        ],
        "stages": [
            {"generation_id": i, "problem_id": name, "stage": 1, "chosen": bool(ok) and rate != 1, "lucky": number == 1}
            for i, ok in told.items()
        ],
    }


def _scored(passed: bool | None) -> dict[str, Any]:
    worth = None if passed is None else float(passed)
    return {"raw": worth, "score": worth, "passed": passed}


def shard(*problems: Tables) -> Tables:
    """A shard; what stage 1 did not choose was turned away."""
    tables: Tables = {}
    for one in problems:
        for name, rows in one.items():
            tables.setdefault(name, []).extend(rows)
    away = [row["generation_id"] for row in tables["stages"] if row["stage"] == 1 and not row["chosen"]]
    tables["ledger"] = [{"id": i, "unit": "generation", "bucket": "rejected", "reason": "easy"} for i in away]
    return tables


def second(generation: str, name: str) -> dict[str, Any]:
    return {"generation_id": generation, "problem_id": name, "stage": 2, "chosen": True, "rank": 1}


USUAL = (
    shard(
        problem(0, "+-"),
        problem(1, "+--+"),
        {**problem(2, "++"), "labels": []},
        problem(3, "--?"),
        problem(4, "_+", "code", test_case=CASE),
    ),
    shard(problem(5, "+-", "other", prompt="你好"), problem(6, "++"), problem(7, "---+", "instruction following")),
)
USUAL[0]["stages"].append(second("g1-3", "p1"))
VERIFY = {"kind": "verify", "verifiers": [{"kind": "math", "version": 1}]}


def exported(folder: Path, *shards: Tables, sets: dict[str, Any] | None = None, revoked: str = "") -> Output:
    """The export of these shards: every response to a living problem is in its ledger once."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    inputs = inputs_of(folder, *shards)
    for sealed in inputs.sealed.values():
        sealed[0] = sealed[0].model_copy(update={"settings": VERIFY})  # type: ignore[index]
    if revoked:
        seen = {"benchmark": "b", "item": "1", "rule": "exact", "score": 1.0, "threshold": 1.0, "shard": 0}
        line = Revocation.model_validate({"generation_id": None, "problem_id": revoked, **seen})
        write_list(inputs.store, "late", [line])
    step = Export.model_validate({"kind": "export", "sets": sets or SETS})
    output = step.run(Resources(workers=1, scratch=scratch), inputs)
    reconcile("export", step, inputs, output)
    return output


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Output:
    return exported(tmp_path_factory.mktemp("usual"), *USUAL)


def rows(output: Output, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(output.files[f"{name}/train.parquet"]).to_pylist()
    return found


def folder_of(output: Output, name: str) -> Path:
    return output.files[f"{name}/README.md"].parent


def test_each_set_has_the_rows_that_it_is_for(usual: Output) -> None:
    assert [row["generation_id"] for row in rows(usual, "sft_1")] == ["g0-0", "g1-0", "g1-3", "g5-0", "g7-3"]
    assert [row["generation_id"] for row in rows(usual, "sft_2")] == ["g1-3"]
    assert {row["problem_id"] for row in rows(usual, "pairs")} == {"p0", "p1", "p5", "p7"}
    assert rows(usual, "rlvr") == []  # all that are solved sometimes are in sft_1, which it is apart from
    ledger = {row["id"]: (row["reason"], row["detail"]) for row in usual.ledger.to_pylist()}
    assert ledger["g4-0"] == ("unformatted", None)
    assert ledger["g1-3"][1].startswith("all, sft_1, sft_2")
    lines = sum(len(path.read_bytes().splitlines()) for name, path in usual.files.items() if name.endswith(".jsonl"))
    assert lines == 20  # every response that reached selection, but the blank one


def test_a_control_is_as_large_and_apart_and_right_or_wrong(usual: Output) -> None:
    control = rows(usual, "control")
    taken = {row["problem_id"] for row in rows(usual, "sft_1")}
    problems = {row["problem_id"] for row in control}
    assert problems == {"p2", "p3", "p4", "p6"}  # all that there are: it cannot be larger
    assert not problems & taken
    assert {row["verify_score"] for row in control} == {0.0, 1.0}


def test_a_control_is_drawn_by_hash(tmp_path: Path) -> None:
    shards = (shard(*(problem(k, "+-" if k < 3 else "++") for k in range(30))),)
    sets = {"sft": SETS["sft_1"], "control": {"kind": "control", "like": "sft"}}
    output = exported(tmp_path, *shards, sets=sets)
    first = {row["problem_id"] for row in rows(output, "control")}
    assert len(first) == 3
    salted = {**sets, "control": {**sets["control"], "salt": "another"}}
    again = exported(tmp_path / "salt", *shards, sets=salted)
    assert {row["problem_id"] for row in rows(again, "control")} != first


def test_a_pair_is_a_right_and_a_wrong_response_of_one_problem(usual: Output) -> None:
    for pair in rows(usual, "pairs"):
        assert (pair["chosen_score"], pair["rejected_score"]) == (1.0, 0.0)
        assert pair["chosen_id"].split("-")[0] == pair["rejected_id"].split("-")[0] == f"g{pair['problem_id'][1:]}"
        right = pair["chosen_id"]
        assert pair["chosen"][0]["content"] == f"<think>think {right}</think>\n<answer>{right}</answer>"
        assert [turn["role"] for turn in pair["prompt"]] == ["user"]


def test_the_published_pass_rate_is_of_all_modes_of_its_model(tmp_path: Path) -> None:
    """Trap: of two modes the last one's rate stood for both."""
    one = problem(0, "+-")
    one["grades"][0]["mode"] = "quick"
    one["grades"].append({**one["grades"][0], "mode": "deep", "decided": 4, "passed": 1, "pass_rate": 0.25})
    output = exported(tmp_path, shard(one), sets={"all": {"kind": "distilled_40m"}})
    lines = [json.loads(line) for line in output.files["all/math_r1_1pass.jsonl"].open("rb")]
    assert [line["pass_rate_r1"] for line in lines] == [pytest.approx(2 / 6)]


def test_a_pair_is_never_twice_the_same_text(tmp_path: Path) -> None:
    """Trap: a judge that passes a text once and fails it once; of such a pair nothing is learnt."""
    alike = problem(0, "+-")
    some = problem(1, "+--")
    for tables, same in ((alike, (0, 1)), (some, (0, 1))):
        for place in same:
            tables["generations"][place] |= {"think_content": "hm", "answer_content": "7"}
    output = exported(tmp_path, shard(alike, some), sets={"pairs": {"kind": "pairs"}})
    assert [(row["chosen_id"], row["rejected_id"]) for row in rows(output, "pairs")] == [("g1-0", "g1-2")]


def test_a_problem_of_two_shards_is_exported_once(tmp_path: Path) -> None:
    """Trap: no step removed duplicates, and how many rows there are would depend on where shards begin."""
    output = exported(tmp_path, shard(problem(0, "+-"), problem(1, "+-")), shard(problem(0, "+-")))
    for name in ("sft_1", "pairs", "solvable"):
        assert sorted(row["problem_id"] for row in rows(output, name)) == ["p0", "p1"], name
    lines = [line for name, path in output.files.items() if path.suffix == ".jsonl" for line in path.open()]
    assert len(lines) == 4
    ledger = [(row["id"], row["reason"], row["detail"]) for row in output.ledger.to_pylist() if row["id"] == "g0-0"]
    assert ledger[0] == ledger[1]
    assert len(ledger) == 2


def test_rlvr_says_what_verifies_and_how_often_models_solve_it(tmp_path: Path) -> None:
    output = exported(tmp_path, *USUAL, sets={"rlvr": {"kind": "rlvr"}})
    found = {row["problem_id"]: row for row in rows(output, "rlvr")}
    assert set(found) == {"p0", "p1", "p5", "p7"}  # solved sometimes; p3 never, p2 and p6 always, p4 of one alone
    one = found["p1"]
    assert json.loads(one["verifiers"][0]["settings"]) == {"kind": "math", "version": 1}
    assert [(rate["passed"], rate["decided"], rate["low"], rate["high"]) for rate in one["rates"]] == [(2, 4, 0.1, 0.9)]
    assert one["reference_answer"] == "1"


def test_a_rate_of_too_few_decided_samples_is_none_for_rlvr(tmp_path: Path) -> None:
    """Trap: of a grading step that asks for more than two, a rate of two is no grade, and still lies within."""
    few = problem(0, "+-??")
    few["grades"][0]["grade"] = "ungraded"
    output = exported(tmp_path, shard(few, problem(1, "+-")), sets={"rlvr": {"kind": "rlvr"}})
    assert [row["problem_id"] for row in rows(output, "rlvr")] == ["p1"]


def test_rlvr_says_how_the_model_was_asked_and_when_it_stopped(tmp_path: Path) -> None:
    """Trap: a pass rate that was measured with a sentence about the box, of a model that was asked until it passed."""
    teacher = {
        "model": {"name": R1},
        "sampling": {"temperature": 0.6},
        "directives": {"math": "Box it."},
        "prefix": "",
        "policy": {"kind": "until_pass", "max": 8, "verifiers": [{"kind": "math"}]},
    }
    again = {**teacher, "sampling": {"temperature": 1.0}, "directives": {}, "policy": {"kind": "fixed"}}
    inputs = inputs_of(tmp_path, USUAL[0])
    settings = [
        {"kind": "pilot", "teacher": teacher},
        *({"kind": "distill", "teacher": one} for one in (teacher, again)),
    ]
    asked = [inputs.sealed[0][0].model_copy(update={"settings": one}) for one in settings]
    first, second = sampling_of(replace(inputs, sealed={0: asked, 1: asked}))[R1]
    assert json.loads(first["sampling"]) == {
        "temperature": 0.6,
        "directives": {"math": "Box it."},
        "policy": {"kind": "until_pass", "max": 8},
    }
    assert json.loads(second["sampling"]) == {"temperature": 1.0, "policy": {"kind": "fixed"}}


def test_what_only_a_judge_passed_is_no_verifiable_reward(tmp_path: Path) -> None:
    judged = problem(0, "+-")
    judged["verdicts"][0]["status"] = "fail"
    output = exported(tmp_path, shard(judged, problem(1, "+-")), sets={"rlvr": {"kind": "rlvr"}})
    assert [row["problem_id"] for row in rows(output, "rlvr")] == ["p1"]


def test_the_published_layout_has_its_columns_and_file_names(usual: Output) -> None:
    files = {name.removeprefix("all/") for name in usual.files if name.startswith("all/")}
    assert files == {
        "README.md",
        *(f"math_r1_{k}pass.jsonl" for k in (1, 2, 3, 4)),
        "code_r1_2pass.jsonl",
        *(f"other_r1_{k}pass.jsonl" for k in (1, 2)),
        *(f"if_r1_{k}pass.jsonl" for k in (1, 2, 3, 4)),
    }
    first = json.loads(usual.files["all/math_r1_1pass.jsonl"].read_bytes().splitlines()[0])
    assert list(first) == DISTILLED_40M.names
    assert (first["pass_rate_r1"], first["pass_rate_1.5b"], first["verify_score"]) == (0.5, None, 1.0)
    assert "你好" in usual.files["all/other_r1_1pass.jsonl"].read_text(encoding="utf-8")
    line = json.loads(usual.files["all/if_r1_1pass.jsonl"].read_bytes().splitlines()[0])
    assert (line["category"], line["ground_truth"], line["test_case"]) == ("instruction follow", "7", None)


def test_responses_that_a_file_gave_are_as_many_passes(tmp_path: Path) -> None:
    """Trap: rows of a file have no number of their own, and all of a problem would be its first pass."""
    mine = problem(0, "+-+")
    for row in mine["generations"]:
        row["sample_index"] = 0
    lost = problem(1, "+-+")
    lost["generations"][1]["think_content"] = ""
    output = exported(tmp_path, shard(mine, lost), sets={"all": {"kind": "distilled_40m"}})
    files = {name: len(path.read_bytes().splitlines()) for name, path in output.files.items() if "pass" in name}
    assert files == {"all/math_r1_1pass.jsonl": 2, "all/math_r1_2pass.jsonl": 1, "all/math_r1_3pass.jsonl": 2}


def loaded(folder: Path, cache: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for name in datasets.get_dataset_config_names(str(folder)):
        found = datasets.load_dataset(str(folder), name, split="train", cache_dir=str(cache))
        yield name, found.to_list()


@pytest.mark.parametrize("name", ["all", "sft_1", "pairs", "control", "solvable"])
def test_a_set_loads_in_any_order_of_its_rows(usual: Output, name: str, tmp_path: Path) -> None:
    """Trap: `datasets` guesses types from the first rows; a column that begins with nulls would become another."""
    folder = folder_of(usual, name)
    given = dict(loaded(folder, tmp_path / "given"))
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    for path in folder.iterdir():
        (shuffled / path.name).write_bytes(_shuffled(path, random.Random(path.name)))
    for config, expected in loaded(shuffled, tmp_path / "cache"):
        assert sorted(map(repr, expected)) == sorted(map(repr, given[config]))
    assert given


@pytest.mark.parametrize("name", ["all", "sft_1"])
def test_a_set_loads_whole_where_no_file_is_named(usual: Output, name: str, tmp_path: Path) -> None:
    """Trap: the first of the published files was loaded for all of them."""
    found = datasets.load_dataset(str(folder_of(usual, name)), split="train", cache_dir=str(tmp_path))
    data = [path for path in folder_of(usual, name).iterdir() if path.suffix != ".md"]
    assert len(found) == sum(
        len(path.read_bytes().splitlines()) if path.suffix == ".jsonl" else pq.read_table(path).num_rows
        for path in data
    )
    assert (len(data) > 1) == (name == "all")


def _shuffled(path: Path, draw: random.Random) -> bytes:
    if path.suffix == ".jsonl":
        lines = path.read_bytes().splitlines(keepends=True)
        return b"".join(draw.sample(lines, len(lines)))
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        sink = pa.BufferOutputStream()
        pq.write_table(table.take(draw.sample(range(table.num_rows), table.num_rows)), sink)
        return bytes(sink.getvalue().to_pybytes())
    return path.read_bytes()


def test_a_set_loads_in_pandas_duckdb_and_polars(usual: Output) -> None:
    for name, path in usual.files.items():
        if path.suffix == ".parquet":
            sizes = {len(pd.read_parquet(path)), len(pl.read_parquet(path)), pq.read_table(path).num_rows}
            (counted,) = duckdb.execute(f"SELECT count(*) FROM '{path}'").fetchall()
            assert sizes == {counted[0]}, name
        elif path.suffix == ".jsonl":
            sizes = {
                len(pd.read_json(path, lines=True)),
                len(pl.read_ndjson(path)),
                len(path.read_bytes().splitlines()),
            }
            (counted,) = duckdb.execute(f"SELECT count(*) FROM read_json('{path}')").fetchall()
            assert sizes == {counted[0]}, name


@pytest.mark.parametrize("layout", ["distilled_40m", "sft", "rlvr", "pairs"])
def test_a_set_without_a_row_is_an_empty_typed_file_and_a_sentence(tmp_path: Path, layout: str) -> None:
    output = exported(tmp_path, shard(problem(0, "??")), sets={"none": {"kind": layout, **_nobody(layout)}})
    assert rows(output, "none") == []
    assert "This set has no row" in output.files["none/README.md"].read_text(encoding="utf-8")
    path = output.files["none/train.parquet"]
    assert list(pd.read_parquet(path)) == pl.read_parquet(path).columns == pq.read_schema(path).names
    found = datasets.load_dataset(str(folder_of(output, "none")), split="train", streaming=True)
    assert list(found) == []


def _nobody(layout: str) -> dict[str, Any]:
    return {"models": {"another": "r1"}} if layout == "distilled_40m" else {}


def test_the_card_counts_what_the_selection_did_and_lucky_passes(usual: Output) -> None:
    card = usual.files["sft_1/README.md"].read_text(encoding="utf-8")
    assert "| attribute | value | before selection | sft_1 | control |" in card
    assert "| pass rate | 0.25 to 0.5 | 42.1% | 80.0% | 0.0% |" in card
    assert "| category | math |" in card
    assert "2 of 5 rows are passes of problems whose pass rate all but surely lies below" in card
    assert "sft_1" in usual.files["rlvr/README.md"].read_text(encoding="utf-8")


def test_what_a_recall_revoked_is_in_no_set(tmp_path: Path) -> None:
    output = exported(tmp_path, *USUAL, revoked="p1")
    assert "p1" not in {row["problem_id"] for name in SETS if name != "all" for row in rows(output, name)}
    reasons = {row["id"]: row["reason"] for row in output.ledger.to_pylist()}
    assert [reasons[f"g1-{k}"] for k in range(4)] == ["revoked"] * 4


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        pytest.param({"a": {"kind": "control", "like": "b"}}, "no set above it", id="like a set that is not there"),
        pytest.param({"a": {"kind": "sft", "apart_from": ["a"]}}, "no set above it", id="apart from itself"),
        pytest.param({}, "at least 1", id="no set"),
        pytest.param(
            {"a": {"kind": "distilled_40m", "models": {"x": "r1", "y": "r1"}}}, "models call x, y r1", id="two for one"
        ),
        pytest.param({"a": {"kind": "rlvr", "above": 0.8, "below": 0.2}}, "no pass rate lies between", id="no rate"),
        pytest.param({"a": {"kind": "rlvr", "above": float("nan")}}, "above", id="a rate that is no number"),
    ],
)
def test_contradictory_sets_are_refused(sets: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Export.model_validate({"kind": "export", "sets": sets})


def test_a_set_without_its_table_names_the_step_that_is_missing(tmp_path: Path) -> None:
    tables = {name: found for name, found in USUAL[0].items() if name != "stages"}
    with pytest.raises(MissingInput, match="sft_1 needs the table stages: put a step of kind stage_one"):
        exported(tmp_path, tables)


def test_the_same_rows_give_the_same_bytes(usual: Output, tmp_path: Path) -> None:
    again = exported(tmp_path, *USUAL)
    assert {name: path.read_bytes() for name, path in again.files.items()} == {
        name: path.read_bytes() for name, path in usual.files.items()
    }
