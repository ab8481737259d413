"""The command: exit codes, one sentence for an error, JSON for programs, and Ctrl-C that costs nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tracemill.cli import app
from tracemill.engine.store import Store

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPE = """
name: tiny
description: A small recipe
rows_per_shard: 100
sources: [{kind: demo, name: demo_code, part: code, license: Apache-2.0}]
steps:
  label: {kind: label}
  select: {kind: select, unverified: keep}
  release: {kind: release}
"""


def tracemill(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipes") / "tiny.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def root(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store on which the whole recipe was run, which no test changes."""
    root = tmp_path_factory.mktemp("stores") / "store"
    result = tracemill("run", recipe, "--root", root, "--workers", "1")
    assert result.exit_code == 0, result.output
    assert f"Starting anew in {root}" in result.stdout
    assert "tracemill publish --root" in result.stdout
    return root


def test_a_second_run_recomputes_nothing_and_says_so(recipe: Path, root: Path) -> None:
    result = tracemill("run", recipe, "--root", root)

    assert result.exit_code == 0
    assert "Nothing was recomputed" in result.stdout
    assert "Starting anew" not in result.stdout


def test_funnel_as_a_table_and_as_json(root: Path) -> None:
    table, data = tracemill("funnel", "--root", root), tracemill("funnel", "--root", root, "--json")

    found = json.loads(data.stdout)
    assert found["complete"] is True
    assert [stage["step"] for stage in found["steps"]] == ["plan", "ingest", "label", "select", "release"]
    assert f"{found['steps'][1]['entered']:,}" in table.stdout


def test_why_as_text_and_as_json(root: Path) -> None:
    store = Store.at(str(root))
    ingested = store.manifest("ingest", 0)
    assert ingested is not None
    origin = store.get_table(ingested.tables["provenance"])["origin"][0].as_py()
    life = json.loads(tracemill("why", origin, "--root", root, "--json").stdout)

    assert life["kind"] == "source row"
    problem = next(row["problem_id"] for row in life["found"] if row["table"] == "provenance")
    assert f"{problem} (problem): {life['fate']}" in tracemill("why", problem, "--root", root).stdout


def test_publish_writes_the_folder(root: Path, tmp_path: Path) -> None:
    result = tracemill("publish", "--root", root, "--to", tmp_path / "out")

    assert result.exit_code == 0
    assert (tmp_path / "out" / "train.jsonl.zst").is_file()


def test_agreement_prints_json(root: Path) -> None:
    result = tracemill("agreement", "--root", root, "--json")

    assert result.exit_code == 0
    assert all(set(counts) == {"n", "agree", "unverifiable"} for counts in json.loads(result.stdout).values())


def test_disagreements_are_listed_one_by_one(root: Path) -> None:
    """Nothing was verified in this store, so every response with a published verdict is one."""
    counts = json.loads(tracemill("agreement", "--root", root, "--json").stdout)
    listed = json.loads(tracemill("agreement", "--root", root, "--disagreements", "--json").stdout)
    printed = tracemill("agreement", "--root", root, "--disagreements").stdout.splitlines()

    assert len(listed) == len(printed) == counts["demo_code"]["n"] > 0
    assert listed[0]["generation_id"] in printed[0]
    assert "no verdict" in printed[0]


def test_recipes_are_listed_with_what_they_build() -> None:
    result = tracemill("recipes")

    assert result.exit_code == 0
    assert "demo" in result.stdout


def test_one_step_and_one_shard_can_be_run_alone(recipe: Path, tmp_path: Path) -> None:
    root = tmp_path / "store"
    assert tracemill("run", recipe, "--root", root, "--step", "plan").exit_code == 0
    assert tracemill("run", recipe, "--root", root, "--step", "ingest", "--shard", "1").exit_code == 0

    stages = {
        stage["step"]: stage for stage in json.loads(tracemill("funnel", "--root", root, "--json").stdout)["steps"]
    }
    assert 1 not in stages["ingest"]["missing"]
    assert 0 in stages["ingest"]["missing"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["run", "dmeo", "--root", "ROOT"], "did you mean 'demo'", id="a mistyped recipe"),
        pytest.param(
            ["run", "RECIPE", "--root", "ROOT", "--step", "lable"], "did you mean 'label'", id="a mistyped step"
        ),
        pytest.param(
            ["run", "RECIPE", "--root", "NEW", "--step", "label"], "holds no tracemill store", id="no plan yet"
        ),
        pytest.param(
            ["run", "RECIPE", "--root", "ROOT", "--step", "label", "--shard", "99"],
            "has no shard 99",
            id="no such shard",
        ),
        pytest.param(["funnel", "--root", "NEW"], "holds no tracemill store", id="a mistyped root"),
        pytest.param(["why", "g0", "--root", "ROOT"], "knows 'g0': check the id", id="a mistyped id"),
        pytest.param(["publish", "--root", "ROOT", "--to", "FULL"], "holds other files", id="somebody's folder"),
        pytest.param(["funnel", "--root", "nosuch://x"], "cannot open the store", id="an unknown protocol"),
    ],
)
def test_an_error_is_one_sentence_and_exit_code_1(
    recipe: Path, root: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    places = {"ROOT": str(root), "RECIPE": str(recipe), "NEW": str(tmp_path / "new"), "FULL": str(tmp_path / "full")}

    result = tracemill(*(places.get(argument, argument) for argument in arguments))

    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["serve", "demo", "teacher-small", "--root", "NEW"], id="serve"),
        pytest.param(["why", "g0", "--root", "NEW"], id="why"),
        pytest.param(["agreement", "--root", "NEW"], id="agreement"),
        pytest.param(["publish", "--root", "NEW", "--to", "OUT"], id="publish"),
        pytest.param(["versions", "--root", "NEW"], id="versions"),
        pytest.param(["recall", "--root", "NEW", "--path", "OUT", "--name", "late", "--field", "q"], id="recall"),
        pytest.param(["prune", "NEW", "--yes"], id="prune"),
        pytest.param(["retry", "NEW", "--reason", "poison"], id="retry"),
        pytest.param(["migrate", "NEW"], id="migrate"),
    ],
)
def test_only_a_run_and_a_refresh_make_a_store(tmp_path: Path, arguments: list[str]) -> None:
    places = {"NEW": str(tmp_path / "new"), "OUT": str(tmp_path / "out")}

    result = tracemill(*(places.get(argument, argument) for argument in arguments))

    assert result.exit_code == 1
    assert "holds no tracemill store" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_with_unknown_keys_lists_each_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(RECIPE.replace("unverified: keep", "unverified: maybe, speed: 3"))

    result = tracemill("run", path, "--root", tmp_path / "store")

    assert result.exit_code == 1
    assert "steps.select.unverified: " in result.stderr
    assert "steps.select.speed: unknown key" in result.stderr
    assert not (tmp_path / "store").exists()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = tracemill("--debug", "funnel", "--root", tmp_path / "new")

    assert type(result.exception).__name__ == "StoreError"


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "demo"], ["run", "demo", "--root", "x", "--shard", "1"], ["nothing"], ["funnel", "--root"]],
    ids=["no recipe", "no root", "shard without step", "no such command", "no value"],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert tracemill(*arguments).exit_code == 2


@pytest.mark.parametrize("command", ["run", "funnel", "why", "recipes", "agreement", "publish", "sandbox"])
def test_every_command_explains_itself(command: str) -> None:
    assert tracemill(command, "--help").exit_code == 0


@pytest.mark.slow
def test_ctrl_c_is_exit_code_130_and_the_next_run_continues(tmp_path: Path) -> None:
    path, root = tmp_path / "long.yaml", tmp_path / "store"
    path.write_text(RECIPE.replace("rows_per_shard: 100", "rows_per_shard: 10"))
    command = [sys.executable, "-m", "tracemill", "run", str(path), "--root", str(root)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "include")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while not (root / "ingest" / "00001.json").exists() and time.monotonic() < until:
        time.sleep(0.02)

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "run the same command again to continue" in said
    assert "Traceback" not in said
    sealed = len(list((root / "ingest").glob("*.json")))
    result = tracemill("run", path, "--root", root, "--step", "ingest")
    assert result.exit_code == 0
    assert f"({sealed} sealed before)" in result.stdout


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        pytest.param(["--until", "lable"], 1, "did you mean 'label'", id="no such step"),
        pytest.param(["--until", "label", "--step", "label"], 2, "give one of them", id="one step and all up to one"),
    ],
)
def test_a_run_up_to_a_step_that_cannot_be(
    recipe: Path, tmp_path: Path, options: list[str], code: int, said: str
) -> None:
    result = tracemill("run", recipe, "--root", tmp_path / "store", *options)
    assert result.exit_code == code
    assert said in " ".join(result.output.split())


def test_a_run_up_to_a_step_ends_there(recipe: Path, tmp_path: Path) -> None:
    result = tracemill("run", recipe, "--root", tmp_path / "store", "--until", "label")
    assert result.exit_code == 0, result.output
    store = Store.at(str(tmp_path / "store"))
    assert store.manifest("label", 0)
    assert store.manifest("select", 0) is None
    assert "tracemill publish" not in result.output
