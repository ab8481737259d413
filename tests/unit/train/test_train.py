"""The step `train`: what it is told, what it makes of how the training ended, and what it seals. Nothing is trained."""

from __future__ import annotations

import fcntl
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tests.build.small import Small, text
from tests.build.training import TRAIN, WEAK, job, machine, python_that, ran, recipe_with, run
from tracemill.cli import app
from tracemill.engine.store import Manifest
from tracemill.errors import MissingInput, RecipeError, TrainingError
from tracemill.local.preflight import require_ready
from tracemill.train.launch import PYTHON
from tracemill.train.student import lay_student

TEXTS = [text(k) for k in range(8)]


def training(folder: Path, prove: dict[str, Any] | None = None, **train: Any) -> Small:
    return recipe_with(folder, TEXTS, prove or {}, train={**TRAIN, **train})


def student(made: Small) -> Manifest:
    found = made.store.manifest("train", 0)
    assert found is not None
    return found


@pytest.mark.slow
def test_a_student_is_sealed_with_its_card_and_laid_out_as_a_folder(tmp_path: Path) -> None:
    made = training(tmp_path)
    told: list[str] = []
    resources = machine(tmp_path, python_that(tmp_path, "trains"), tell=told.append)
    ran(made, resources)

    found = student(made)
    assert (found.counts.entered, found.counts.kept) == (8, 8)
    assert {"model.safetensors", "config.json", "README.md", "loss.png", "masks.txt"} <= set(found.files)
    assert found.made_with == {"base": "weak", "steps": 2, "tokens": 180, "learned": 80, "seconds": 1.0}
    card = made.store.read_bytes(found.files["README.md"].key).decode()
    assert "| rows | 8 |" in card
    assert "| a response ends with | &lt;\\|end\\|> |" in card
    assert json.loads(next(tmp_path.glob("cache/training/*/job.json")).read_text())["ends"] == "<|end|>"
    assert "| tokens seen, and those of them in the loss | 180, 80 |" in card
    assert found.fingerprint in card
    assert any("asked⟦learned⟧" in line for line in told)

    folder = tmp_path / "student"
    assert lay_student(made.store, found, folder)
    assert not lay_student(made.store, found, folder)
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert "Nothing was recomputed" in ran(made, resources)


@pytest.mark.slow
def test_a_training_that_cannot_go_on_is_refused_and_one_that_died_is_tried_again(tmp_path: Path) -> None:
    """Trap: a loss of NaN does not mend itself; a process that was killed may."""
    made = training(tmp_path)
    with pytest.raises(RecipeError, match="step 2 is nan, with the rows g7, g9"):
        ran(made, machine(tmp_path, python_that(tmp_path, "refuses")))
    with pytest.raises(TrainingError, match=r"code 137.*CUDA out of memory"):
        ran(made, machine(tmp_path, python_that(tmp_path, "dies")))
    with pytest.raises(TrainingError, match=r"step 0: Traceback.*ValueError: the disk is full \(the whole log is"):
        ran(made, machine(tmp_path, python_that(tmp_path, "raises")))
    assert made.store.manifest("train", 0) is None
    assert "train" not in made.store.names()
    ran(made, machine(tmp_path, python_that(tmp_path, "trains")))
    assert student(made).counts.kept == 8


CUT: dict[str, Any] = {"max_length": 35, "at_most": {"any": "100%"}}


@pytest.mark.slow
def test_rows_over_the_length_are_refused_with_their_count_or_left_out(tmp_path: Path) -> None:
    made = training(tmp_path, CUT)
    python = python_that(tmp_path, "trains")
    with pytest.raises(RecipeError, match=r"2 of 8 rows are longer than the proof's max_length \(such as g"):
        ran(made, machine(tmp_path, python))
    training(tmp_path, CUT, too_long="leave_out")
    ran(made, machine(tmp_path, python))
    counts = student(made).counts
    assert (counts.entered, counts.kept, counts.rejected) == (8, 6, {"too_long": 2})


@pytest.mark.slow
def test_rows_that_are_no_text_are_left_out_where_a_proof_allows_them(tmp_path: Path) -> None:
    """Trap: a row that the template refuses, allowed by name, ends each try of the training with a traceback."""
    picky = tmp_path / "picky"
    shutil.copytree(WEAK, picky, ignore=shutil.ignore_patterns("*.safetensors"))
    kept = (picky / "chat_template.jinja").read_text()
    check = "{% if messages[0]['content'].startswith('Cleo') %}{{ raise_exception('no Cleo') }}{% endif %}"
    (picky / "chat_template.jinja").write_text(check + kept)
    proof = {"template": str(picky), "layout": "prompt_completion", "at_most": {"refused": 1}}
    made = training(tmp_path, proof)
    ran(made, machine(tmp_path, python_that(tmp_path, "trains")))

    counts = student(made).counts
    assert (counts.entered, counts.kept, counts.rejected) == (8, 7, {"refused": 1})
    assert len(json.loads(next(tmp_path.glob("cache/training/*/job.json")).read_text())["left_out"]) == 1
    card = made.store.read_bytes(student(made).files["README.md"].key).decode()
    assert "| rows left out, of which there is no text (refused) | 1 |" in card
    assert "| rows left out as too long | 0 |" in card
    again = training(tmp_path, {**proof, "at_most": {"any": "100%"}, "max_length": 20}, too_long="leave_out")
    with pytest.raises(RecipeError, match="all 8 rows are longer than the proof's max_length, null, or refused"):
        ran(again, machine(tmp_path, python_that(tmp_path, "trains")))


@pytest.mark.slow
def test_a_release_of_several_files_is_trained_on_whole(tmp_path: Path) -> None:
    """Trap: what metadata-PART.parquet holds is about rows, and no row itself."""
    apart = {"kind": "release", "apart": {"hard": ["other"]}}
    made = recipe_with(tmp_path, TEXTS, {}, release=apart, train=TRAIN)
    given = yaml.safe_load(made.recipe_file.read_text())
    (made.folder / "rows.jsonl").rename(made.folder / "other.jsonl")
    made.write([text(k) for k in range(40, 46)])
    other = {**given["sources"][0], "name": "other", "path": str(made.folder / "other.jsonl")}
    made.recipe_file.write_text(yaml.safe_dump({**given, "sources": [*given["sources"], other]}, sort_keys=False))
    ran(made, machine(tmp_path, python_that(tmp_path, "trains")))
    assert student(made).counts.kept == 14
    told = json.loads(next(tmp_path.glob("cache/training/*/job.json")).read_text())["rows"]
    assert [Path(one).name.rpartition("-")[0] for one in told] == ["hard-00000", "train-00000"]
    found = made.store.manifest("prove", 0)
    assert found is not None
    assert {"layout/metadata-hard.parquet", "layout/metadata-train.parquet"} <= set(found.files)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "packing cuts nothing": ({"too_long": "cut"}, "packing cuts no row"),
    "a batch that cannot be parted": ({"launch": {"gpus": 3}}, "make schedule.batch a multiple of 3"),
    "a rate of nothing": ({"schedule": {"learning_rate": 0}}, "learning_rate"),
    "a key that there is not": ({"schedule": {"lr": 1e-5}}, "lr"),
    "weights behind an API": ({"base": {"name": "r1", "api": {"url": "https://x/v1", "model": "r"}}}, "behind an API"),
}


@pytest.mark.parametrize(("train", "words"), REFUSED.values(), ids=REFUSED)
def test_what_a_recipe_may_not_say_is_said_when_it_is_read(tmp_path: Path, train: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        training(tmp_path, **train).recipe.pipeline()


@pytest.mark.slow
def test_where_it_runs_is_no_part_of_what_is_learned(tmp_path: Path) -> None:
    made = training(tmp_path)
    resources = machine(tmp_path, python_that(tmp_path, "trains"))
    ran(made, resources)
    first = student(made).fingerprint
    training(tmp_path, launch={"gpus": 4, "save_every": 7}, too_long="refuse")
    assert "Nothing was recomputed" in ran(made, resources)
    training(tmp_path, schedule={**TRAIN["schedule"], "seed": 5})
    ran(made, resources)
    assert student(made).fingerprint != first


@pytest.mark.slow
def test_without_an_environment_that_trains_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    made = training(tmp_path)
    with pytest.raises(RecipeError, match="make train-env"):
        ran(made, machine(tmp_path, tmp_path / "none"))


@pytest.mark.slow
def test_a_second_training_goes_on_from_the_student_of_the_first(tmp_path: Path) -> None:
    """Trap: stage two on the weights that stage one began with is no stage two."""
    two = {**TRAIN, "schedule": {**TRAIN["schedule"], "stage": "two"}}
    two.pop("base")
    made = recipe_with(tmp_path, TEXTS, {}, train=TRAIN, train_two=two)
    ran(made, machine(tmp_path, python_that(tmp_path, "trains")))

    second = made.store.manifest("train_two", 0)
    assert second is not None
    work = tmp_path / "cache" / "training" / second.fingerprint
    assert json.loads((work / "job.json").read_text())["base"] == str(work / "base")
    assert (work / "base" / "model.safetensors").read_bytes() == b"weights"
    card = made.store.read_bytes(second.files["README.md"].key).decode()
    assert "# Student of the student of train on" in card
    with pytest.raises(MissingInput, match="no student yet to go on from"):
        ran(recipe_with(tmp_path, TEXTS, {}, train=two), machine(tmp_path))


def test_a_run_that_could_not_train_says_so_before_anything_is_made(tmp_path: Path) -> None:
    recipe = training(tmp_path).recipe
    elsewhere = training(tmp_path, base={"name": "weak", "weights": str(tmp_path / "gone")}).recipe
    lacking = machine(tmp_path, tmp_path / "none")
    with pytest.raises(RecipeError, match="make train-env"):
        require_ready(recipe, None, lacking, serves_here=True)
    require_ready(recipe, None, lacking)  # a scheduler's machine need not train
    with pytest.raises(RecipeError, match=r"gone holds no model \(config.json is missing\)"):
        require_ready(elsewhere, None, machine(tmp_path, python_that(tmp_path, "trains")), serves_here=True)


def test_two_trainings_never_share_a_folder(tmp_path: Path) -> None:
    one = job(tmp_path, 4, work=str(tmp_path / "work"))
    (tmp_path / "work").mkdir()
    with (tmp_path / "work" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TrainingError, match="another process trains in"):
            run(one)


@pytest.mark.slow
def test_the_command_trains_what_a_run_has_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training(tmp_path)
    monkeypatch.setenv(PYTHON, str(python_that(tmp_path, "trains")))
    monkeypatch.setenv("TRACEMILL_CACHE", str(tmp_path / "cache"))
    called = ["train", str(made.recipe_file), "--root", str(made.root), "--to", str(tmp_path / "student")]
    assert "holds no tracemill store" in CliRunner().invoke(app, called).output.replace("\n", " ")
    ran(recipe_with(tmp_path, TEXTS, {}), machine(tmp_path))
    training(tmp_path)

    said = CliRunner().invoke(app, called)

    assert said.exit_code == 0, said.output
    assert "asked⟦learned⟧" in said.output
    assert (tmp_path / "student" / "README.md").is_file()
    assert made.recipe.name in (made.root / "recipe.json").read_text()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    (made.root / "recipe.json").unlink()
    late = CliRunner().invoke(app, [*called[:-1], str(tmp_path / "mine")])
    assert "holds other files" in late.output.replace("\n", " ")
    monkeypatch.chdir(tmp_path)
    assert "is the folder that you are in" in CliRunner().invoke(app, [*called[:-1], "."]).output.replace("\n", " ")
    assert not (made.root / "recipe.json").exists()  # nothing was begun
    bare = CliRunner().invoke(app, ["train", "demo", "--root", str(made.root)])
    assert "trains no student: add steps of the kinds prove and train" in bare.output.replace("\n", " ")


@pytest.mark.slow
def test_a_run_lays_its_student_out_and_a_trial_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: a student of a few rows takes the place of the one that is evaluated."""
    made = recipe_with(tmp_path, TEXTS, {}, train={**TRAIN, "folder": str(tmp_path / "student")})
    monkeypatch.setenv(PYTHON, str(python_that(tmp_path, "trains")))
    monkeypatch.setenv("TRACEMILL_CACHE", str(tmp_path / "cache"))
    called = ["run", str(made.recipe_file), "--root", str(made.root)]
    trial = CliRunner().invoke(app, [*called, "--rows", "4"])
    assert trial.exit_code == 0, trial.output
    assert not (tmp_path / "student").exists()
    whole = CliRunner().invoke(app, called)
    assert whole.exit_code == 0, whole.output
    assert f"Student: {tmp_path / 'student'}" in whole.output
    assert (tmp_path / "student" / "model.safetensors").read_bytes() == b"weights"
