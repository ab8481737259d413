"""A student of the zoo's size is trained by trl itself: killed and resumed, packed, refused, sealed by its recipe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.build.released import release, row
from tests.build.small import text
from tests.build.training import (
    LACKING,
    TRAIN,
    WEAK,
    after_save,
    events,
    has_environment,
    job,
    killed,
    machine,
    ran,
    recipe_with,
    run,
    while_saving,
)
from tracemill.errors import RecipeError
from tracemill.release.trainers.folder import Wanted, export
from tracemill.release.trainers.opened import release_folder
from tracemill.train import launch
from tracemill.train.inside.checkpoints import WHOLE
from tracemill.train.inside.job import FINISHED, MODEL

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not has_environment(), reason=LACKING)]
WITHIN = 1e-4  # of the undisturbed loss, at every step


def test_a_training_killed_twice_learns_the_same_from_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    """Traps: a half-written checkpoint; random numbers, optimiser or place in the data that begin anew."""
    whole = run(job(tmp_path / "whole"))
    one = job(tmp_path / "killed")
    killed(one, while_saving(6))
    killed(one, after_save(9))
    told: list[str] = []
    resumed = run(one, told)

    assert any("on from checkpoint-9" in line for line in told)
    assert [line["step"] for line in resumed] == [line["step"] for line in whole] == list(range(1, 13))
    assert [line["rows"] for line in resumed] == [line["rows"] for line in whole]
    assert max(abs(a["loss"] - b["loss"]) for a, b in zip(whole, resumed, strict=True)) <= WITHIN
    assert whole[-1]["loss"] < whole[0]["loss"]


def test_a_checkpoint_of_another_model_is_refused_and_kept(tmp_path: Path) -> None:
    one = job(tmp_path)
    killed(one, after_save(3))
    checkpoints = sorted((Path(one.work) / WHOLE).iterdir())
    with pytest.raises(RecipeError, match="is a checkpoint of another training"):
        run(replace(one, identity="another"))
    assert sorted((Path(one.work) / WHOLE).iterdir()) == checkpoints
    assert not (Path(one.work) / FINISHED).exists()


def test_packed_rows_do_not_see_each_other(tmp_path: Path) -> None:
    """Trap: without flash attention a pack may be one long text, in which later rows read the earlier ones."""
    rows = 16
    apart = run(job(tmp_path / "apart", rows, batch=16, per_device=16, epochs=1, learning_rate=1e-9))
    settings = {"batch": 1, "per_device": 1, "packing": True, "max_length": 1000}
    packed = run(job(tmp_path / "packed", rows, epochs=1, learning_rate=1e-9, **settings))
    tokens = sum(line["learned"] for line in packed)
    assert tokens == apart[0]["learned"]
    mean = sum(line["loss"] * line["learned"] for line in packed) / tokens
    assert mean == pytest.approx(apart[0]["loss"], abs=1e-3)


@pytest.mark.parametrize("kind", ["lfm2", "opt"])
def test_a_model_that_reads_a_pack_as_one_text_is_refused(kind: str, tmp_path: Path) -> None:
    """Traps: short convolutions carry a state from row to row, and OPT counts positions by itself, both unasked."""
    base = untrained(tmp_path / "base", kind)
    packs = {"batch": 1, "per_device": 1, "packing": True, "max_length": 1000, "epochs": 1}
    packed = job(tmp_path / "packed", 8, base=base, precision="bf16", **packs)
    with pytest.raises(RecipeError, match=r"ForCausalLM reads the rows of a pack as one text here, .*packing to false"):
        run(packed)
    assert not [one for one in events(Path(packed.work)) if one["event"] == "step"]
    assert run(job(tmp_path / "apart", 8, base=base, epochs=1))


def test_a_tokenizer_that_a_student_would_not_be_asked_by_is_refused(tmp_path: Path) -> None:
    """Trap: beside the student's config.json of Qwen2 its tokenizer composes accents, which its rows had apart."""
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(WEAK / name, alone)
    plain = job(tmp_path / "plain", 8, tokenizer=str(alone), epochs=1)
    assert run(plain)
    accents = release_folder(release(tmp_path / "release", [row("A cafe\u0301.", "4")]))
    export(accents, Wanted(layout="prompt_completion"), tmp_path / "layout", lambda _: None)
    rows = (*plain.rows, str(tmp_path / "layout" / "train-00000.parquet"))
    other = replace(plain, rows=rows, work=str(tmp_path / "other"))
    with pytest.raises(RecipeError, match=r"asked in other tokens than it learned \(such as the row g0\)"):
        run(other)
    assert run(replace(other, tokenizer=str(WEAK), work=str(tmp_path / "own")))


def untrained(folder: Path, kind: str) -> str:
    """A small model of another kind, with random weights, that knows as many tokens as the zoo's tokenizer has."""
    common = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 4096}
    own = {
        "lfm2": {"num_key_value_heads": 1, "intermediate_size": 32, "layer_types": ["conv", "full_attention"]},
        "opt": {"ffn_dim": 32, "word_embed_proj_dim": 32},
    }
    program = (
        "from transformers import AutoConfig, AutoModelForCausalLM\n"
        f"config = AutoConfig.for_model({kind!r}, **{common | own[kind]!r})\n"
        f"AutoModelForCausalLM.from_config(config).save_pretrained({str(folder)!r})"
    )
    subprocess.run([".venv-train/bin/python", "-c", program], check=True, capture_output=True)
    return str(folder)


def test_two_processes_that_share_a_batch_learn_what_one_learns(tmp_path: Path) -> None:
    """As several GPUs do: accelerate starts but one process on a processor, so torchrun starts these."""
    alone = run(job(tmp_path / "one", 16, epochs=1))
    shared = job(tmp_path / "two", 16, epochs=1, devices=2)
    work = Path(shared.work)
    work.mkdir()
    shared.write(work / "job.json")
    given = {**launch.environment(os.environ, launch.code_below(work), offline=True), "ACCELERATE_USE_CPU": "true"}
    program = [".venv-train/bin/torchrun", "--standalone", "--nproc_per_node", "2", "-m", launch.MODULE]
    subprocess.run([*program, str(work / "job.json")], env=given, check=True, capture_output=True)

    told = [one for one in events(work) if one["event"] == "step"]
    assert [(one["tokens"], one["learned"]) for one in told] == [(one["tokens"], one["learned"]) for one in alone]
    assert [one["loss"] for one in told] == pytest.approx([one["loss"] for one in alone], abs=WITHIN)
    assert (work / FINISHED / MODEL / "model.safetensors").is_file()


def test_a_loss_that_is_no_number_names_its_step_and_rows(tmp_path: Path) -> None:
    one = job(tmp_path, 16, batch=4, learning_rate=1e30, warm_up=0.0)
    with pytest.raises(RecipeError, match=r"the loss of step [2-8] is (nan|inf), with the rows g\d+, g"):
        run(one)
    assert not (Path(one.work) / FINISHED).exists()


def test_a_recipe_ends_in_a_student_that_loads(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    train = {**TRAIN, "folder": str(tmp_path / "student")}
    made = recipe_with(tmp_path, [text(k) for k in range(8)], {}, train=train)
    told: list[str] = []
    ran(made, machine(tmp_path, tell=told.append))

    found = made.store.manifest("train", 0)
    assert found is not None
    assert found.counts.kept == 8
    assert {"model.safetensors", "tokenizer.json", "chat_template.jinja", "loss.png"} <= set(found.files)
    masks = [line for line in told if "⟦" in line and "⟧" in line and "how many" in line]
    assert len(masks) == 8
    assert all(line.index("how many") < line.index("⟦<think>") for line in masks)
    for folder in (tmp_path / "cache" / "training" / found.fingerprint / FINISHED / MODEL,):
        model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
        assert len(AutoTokenizer.from_pretrained(folder, local_files_only=True)) <= model.config.vocab_size
        known = [json.loads((place / "config.json").read_text()) for place in (WEAK, folder)]
        assert known[0]["dtype"] == known[1]["dtype"] == "bfloat16"
        assert known[0]["use_cache"] == known[1]["use_cache"] is True
        assert model.lm_head.weight.dtype == torch.bfloat16
        assert (folder / "model.safetensors").stat().st_size < 1.1 * (WEAK / "model.safetensors").stat().st_size
