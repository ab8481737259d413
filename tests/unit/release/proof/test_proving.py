"""A release is proved whole: on every processor the same, with one clear error for what cannot be proved."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.build.planted import TWO_TURNS
from tests.build.released import release, row
from tests.build.tokenizer import tokenizer_folder
from tracemill.cli import app
from tracemill.errors import MissingInput, RecipeError
from tracemill.release.proof.batch import Line
from tracemill.release.proof.drawn import RARE, drawn
from tracemill.release.proof.limits import limits
from tracemill.release.proof.proving import Plan, Totals, checked, prove
from tracemill.release.proof.recommended import recommended
from tracemill.release.proof.survey import survey
from tracemill.release.proof.templates import shipped, template
from tracemill.release.trainers.layouts import LayoutName
from tracemill.release.trainers.opened import release_folder

KINDS = [
    row("Two and two.\n", "\n4\n"),
    row("And again.", "6", *TWO_TURNS),
    row("解：二加二得四。", "答案是 $4$。", ("user", "二加二等于多少？")),
    row("def f(): ...\n\n    return", "```python\nprint(4)\n```", ("user", "Write a program.\n```\n```")),
    row("So on. " * 2_000, "4"),
]
REFUSED = {
    "deepseekv3": "thinking_missing, prompt_mismatch",
    "idefics3": "thinking_missing, answer_missing, prompt_missing",
    "llava_next": "refused: 'str object' has no attribute 'text'",
    "qwen3_5_nothink": "prompt_mismatch",
    "smolvlm": "thinking_missing, answer_missing, prompt_missing",
}


def tracemill(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def said(result: Result) -> str:
    return " ".join(result.output.split())


def test_each_template_of_trl_keeps_every_kind_of_row_in_its_layout_or_says_why_not(tmp_path: Path) -> None:
    found = list(survey(release_folder(release(tmp_path / "release", KINDS)), None, None, None))

    assert [one.template for one in found] == shipped()
    assert {one.template: one.reason for one in found if not one.all_whole} == REFUSED
    assert len(found) - len(REFUSED) >= 22
    assert {one.template for one in found if one.all_whole and one.system == "not kept"} == {"gemma"}
    assert all(one.rows == len(KINDS) for one in found if one.all_whole)


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("qwen2_5", "prompt_completion"),
        ("qwen3", "prompt_completion_reasoning"),
        ("gptoss", "prompt_completion_thinking"),
        ("deepseek_r1_distill", "prompt_completion"),
    ],
)
def test_thinking_goes_where_the_template_looks_for_it(name: str, layout: LayoutName) -> None:
    assert recommended(template(name)).layout == layout


@pytest.mark.slow
def test_processes_find_what_one_finds_in_the_same_order(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path / "tokenizer")
    rows = [KINDS[k % 5] if k % 10 else row(" ", str(k)) for k in range(60)]
    found = release_folder(release(tmp_path / "release", {"a": rows[:31], "b": rows[31:]}))
    plan = Plan(template("qwen2_5", str(folder)), "am", None, 2_000)

    def run(workers: int) -> tuple[Totals, list[Line], int]:
        lines: list[Line] = []
        done: list[int] = []
        batches = [pair for part in found.parts for pair in found.rows(part)]
        totals = prove(batches, plan, workers, done.append, lines.append)
        return totals, lines, sum(done)

    totals, lines, done = run(1)
    assert (totals, lines, done) == run(2)
    assert (totals.rows, totals.whole, done) == (60, 60 - len(lines), 60)
    assert totals.faults == Counter(empty_thinking=6, earlier_in_loss=12, thinking_cut=12, answer_cut=12)
    assert [line.id for line in lines if line.found[0].fault == "empty_thinking"] == [f"g{k}" for k in range(0, 60, 10)]


def test_what_is_drawn_has_every_row_of_a_rare_shape_and_only_so_many_of_the_rest(tmp_path: Path) -> None:
    common = [row(f"Thought number {k}.", "4") for k in range(300)]
    rare = [row("And again.", "6", *TWO_TURNS), row("See <answer> there.", "4"), row("二", "四", ("user", "二？"))]
    rows = [*common[:150], *rare, *common[150:]]
    found = release_folder(release(tmp_path / "release", rows))

    ids = [line["generation_id"] for _, about in drawn(found, rows=20) for line in about.to_pylist()]

    assert {"g150", "g151", "g152"} <= set(ids)
    assert len(ids) == len(set(ids)) <= 23
    assert ids == [line["generation_id"] for _, about in drawn(found, rows=20) for line in about.to_pylist()]
    every = [line["generation_id"] for _, about in drawn(found, rows=10_000) for line in about.to_pylist()]
    assert every == [f"g{k}" for k in range(303)]
    assert RARE < 300


UNMARKED = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(("--template", "qwen9"), "is no tokenizer's folder, no .jinja file and none of", id="unknown"),
        pytest.param(("--template", "{bare}"), "has no chat template", id="tokenizer without template"),
        pytest.param(("--template", "{empty}"), "holds no tokenizer that can be read", id="folder without tokenizer"),
        pytest.param(
            ("--template", "{unmarked}", "--layout", "messages"), "has no generation marks", id="no generation marks"
        ),
        pytest.param(("--template", "{broken}"), "is no Jinja template", id="broken template"),
        pytest.param(("--template", "qwen3", "--tokenizer", "{empty}/none"), "there is no folder", id="no folder"),
        pytest.param(("--template", "qwen3", "--tokenizer", "{torn}"), "holds no tokenizer", id="torn tokenizer.json"),
        pytest.param(
            ("--template", "qwen3", "--tokenizer", "{listed}"), "holds no tokenizer", id="another tokenizer.json"
        ),
        pytest.param(("--template", "{endless}"), "is no Jinja template", id="a number that no file can hold"),
        pytest.param(("--template", "qwen3", "--to", "{bare}"), "is a folder", id="a folder for the rows with a fault"),
        pytest.param(("--template", "qwen3", "--max-length", "99"), "need a tokenizer", id="length without tokenizer"),
        pytest.param(
            ("--template", "qwen3", "--tokenizer", "{bare}", "--max-length", "5000"),
            "more than the model takes (4,096",
            id="longer than the model",
        ),
        pytest.param(("--template", "smolvlm"), "keeps rows whole in no layout", id="template that keeps no row"),
        pytest.param(("--template", "qwen3", "--layout", "alpaca"), "no layout 'alpaca'", id="unknown layout"),
        pytest.param(("--template", "qwen3", "--at-most", "luck=3"), "write FAULT=ROWS or FAULT=0.5%", id="no fault"),
        pytest.param(("--template", "all", "--at-most", "any=3"), "about one template", id="limits for all"),
    ],
)
def test_what_cannot_be_proved_is_one_clear_error_and_leaves_nothing(
    arguments: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    bare = tokenizer_folder(tmp_path / "bare", model_max_length=4096)
    (tmp_path / "empty").mkdir()
    (tmp_path / "unmarked.jinja").write_text(UNMARKED)
    (tmp_path / "broken.jinja").write_text("{% for m in %}")
    (tmp_path / "endless.jinja").write_text("{{ 10**9999 }}")
    places = {name: tmp_path / f"{name}.jinja" for name in ("unmarked", "broken", "endless")} | {"bare": bare}
    for name, text in {"torn": (bare / "tokenizer.json").read_text()[:500], "listed": "[]"}.items():
        places[name] = tmp_path / name
        shutil.copytree(bare, places[name])
        (places[name] / "tokenizer.json").write_text(text)
    given = [one.format(**places, empty=tmp_path / "empty") for one in arguments]
    folder = release(tmp_path / "release", KINDS)

    result = tracemill("prove", folder, "--to", tmp_path / "out/faults.jsonl", *given)

    assert result.exit_code == 1
    assert expected in said(result)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("said", [None, -1, "4096", 1e30])
def test_a_tokenizer_that_names_no_longest_text_cuts_nothing(said: object, tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path / "tokenizer", model_max_length=4096)
    known = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**known, "model_max_length": said}))
    assert template("qwen2_5", str(folder)).longest is None


def test_an_empty_release_proves_nothing(tmp_path: Path) -> None:
    folder = release(tmp_path / "release", [])
    result = tracemill("prove", folder, "--template", "qwen3", "--to", tmp_path / "faults.jsonl")
    assert result.exit_code == 1
    assert "holds no row" in said(result)
    assert not (tmp_path / "faults.jsonl").exists()
    with pytest.raises(MissingInput):
        release_folder(folder).count()


def test_the_command_lists_rows_with_faults_and_is_red_beyond_what_is_allowed(tmp_path: Path) -> None:
    folder = release(tmp_path / "release", [*KINDS, row(" ", "4")])
    faults = tmp_path / "faults.jsonl"
    command = ["prove", folder, "--template", "qwen2_5", "--workers", "1", "--to", faults]

    red = tracemill(*command)
    assert red.exit_code == 1
    assert "5 of 6 rows are whole in the layout prompt_completion by the template qwen2_5" in said(red)
    assert "empty_thinking: 1 rows, where 0 are allowed" in said(red)
    lines = [json.loads(line) for line in faults.read_text().splitlines()]
    assert lines == [{"id": "g5", "file": "train", "row": 5, "fault": "empty_thinking", "detail": ""}]

    assert tracemill(*command, "--at-most", "empty_thinking=1").exit_code == 0
    assert tracemill(*command, "--at-most", "any=20%").exit_code == 0
    assert tracemill(*command, "--at-most", "null=3").exit_code == 1


def test_the_longest_text_of_the_model_is_where_a_trainer_cuts(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path / "tokenizer", template("qwen2_5").text, model_max_length=512)
    result = tracemill("prove", release(tmp_path / "release", KINDS), "--template", folder, "--json", "--workers", "1")
    told: dict[str, Any] = json.loads(result.stdout)
    assert (told["max_length"], told["rows"], told["whole"]) == (512, 5, 4)
    assert told["ids"] == {"thinking_cut": ["g4"], "answer_cut": ["g4"]}
    assert result.exit_code == 1


def test_all_templates_are_one_table(tmp_path: Path) -> None:
    result = tracemill("prove", release(tmp_path / "release", KINDS), "--template", "all", "--json")
    told = {one["template"]: one for one in json.loads(result.stdout)}
    assert sorted(told) == shipped()
    assert told["qwen3"]["layout"] == "prompt_completion_reasoning"


@pytest.mark.parametrize(
    ("written", "faults", "broken"),
    [
        ([], {"null": 1}, ["null: 1 rows, where 0 are allowed"]),
        (["null=1"], {"null": 1}, []),
        (["null=1"], {"null": 1, "refused": 2}, ["refused: 2 rows, where 0 are allowed"]),
        (["null=2%"], {"null": 3}, ["null: 3 rows, where 2 are allowed"]),
        (["any=5"], {"null": 3, "refused": 2}, []),
        (["any=4"], {"null": 3, "refused": 2}, ["any: 5 rows, where 4 are allowed"]),
        (["any=9", "null=2"], {"null": 3, "refused": 2}, ["null: 3 rows, where 2 are allowed"]),
    ],
)
def test_limits_are_numbers_or_shares(written: list[str], faults: dict[str, int], broken: list[str]) -> None:
    totals = Totals(100, 100 - sum(faults.values()), Counter(faults))
    assert limits(written).broken(totals) == broken


def test_a_plan_is_checked_before_any_row_is_read() -> None:
    with pytest.raises(RecipeError, match="need a tokenizer"):
        prove(iter(()), Plan(template("qwen3"), "messages", None, 10), 1, print, print)
    assert checked(Plan(template("qwen3"), "messages")).most is None


def test_processes_do_not_run_the_main_script_anew(tmp_path: Path) -> None:
    """Trap: a task's main script is Airflow's command, which refuses to start where its database is out of sight."""
    main = tmp_path / "main.py"
    main.write_text("assert __name__ == '__main__', 'run anew'\nfrom tracemill.cli import app\napp()\n")
    folder = release(tmp_path / "release", KINDS)
    command = ["prove", folder, "--template", "qwen2_5", "--workers", "2", "--json"]

    ran = subprocess.run([sys.executable, main, *command], capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["rows"] == len(KINDS)
