"""How a training is started, as text: on a processor, on one GPU, and shared among several."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tests.build.training import WEAK, job
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.train.fits import require_possible
from tracemill.train.launch import Launch, code_below, command, configuration, environment, written
from tracemill.train.schedule import Schedule

ON: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "a processor": ({}, "float32", {"distributed_type": "NO", "use_cpu": True, "num_processes": 1}),
    "one GPU": ({"gpus": 1}, "bf16", {"distributed_type": "NO", "use_cpu": False, "mixed_precision": "bf16"}),
    "eight GPUs": ({"gpus": 8}, "bf16", {"distributed_type": "FSDP", "num_processes": 8, "use_cpu": False}),
    "all on each": ({"gpus": 2, "share": False}, "bf16", {"distributed_type": "MULTI_GPU", "num_processes": 2}),
}


@pytest.mark.parametrize(("launch", "precision", "said"), ON.values(), ids=ON)
def test_accelerate_is_told_devices_and_precision(launch: dict[str, Any], precision: str, said: dict[str, Any]) -> None:
    found = yaml.safe_load(written(configuration(Launch.model_validate(launch), precision)))
    assert said.items() <= found.items()
    assert ("fsdp_config" in found) == (found["distributed_type"] == "FSDP")


def test_a_model_of_32_b_is_parted_among_its_gpus() -> None:
    found = configuration(Launch(gpus=8, offload=True), "bf16")["fsdp_config"]
    assert found["fsdp_version"] == 2
    assert found["fsdp_auto_wrap_policy"] == "TRANSFORMER_BASED_WRAP"
    assert found["fsdp_activation_checkpointing"] is True
    assert found["fsdp_offload_params"] is True
    assert found["fsdp_state_dict_type"] == "SHARDED_STATE_DICT"


def test_the_command_is_behind_the_guard_that_ends_it_with_its_task(tmp_path: Path) -> None:
    line = command(Path("/env/bin/python"), tmp_path / "accelerate.yaml", tmp_path / "job.json")
    assert line[2].endswith("guard.py")
    asked = ["/env/bin/python", "-P", "-m", "accelerate.commands.launch", "--config_file"]
    assert line[4:] == [*asked, f"{tmp_path}/accelerate.yaml", "-m", "tracemill.train.inside", f"{tmp_path}/job.json"]


def test_nothing_of_airflow_or_of_this_environment_reaches_the_one_that_trains(tmp_path: Path) -> None:
    """Trap: a package folder on PYTHONPATH brings all that is installed beside it."""
    given = {"AIRFLOW__CORE__X": "1", "PYTHONPATH": "/here", "TRACEMILL_DATA": "/d", "CUDA_VISIBLE_DEVICES": "0,1"}
    code = code_below(tmp_path)
    found = environment(given, code, offline=True)
    assert found["PYTHONPATH"] == str(code)
    assert [path.name for path in code.iterdir()] == ["tracemill"]
    assert not {"AIRFLOW__CORE__X", "TRACEMILL_DATA"} & found.keys()
    assert found["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert found["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in environment(given, code, offline=False)
    assert found["GOMP_SPINCOUNT"] == "20000"
    assert environment({**given, "GOMP_SPINCOUNT": "0"}, code, offline=True)["GOMP_SPINCOUNT"] == "0"


STAGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "stage one (2504.17565, section 3)": ({}, {"learning_rate": 8e-5, "epochs": 1, "packing": True, "batch": 64}),
    "stage two": ({"stage": "two"}, {"learning_rate": 8e-6, "epochs": 2, "packing": False, "batch": 64}),
    "what is said counts": ({"stage": "two", "epochs": 3}, {"learning_rate": 8e-6, "epochs": 3}),
}


@pytest.mark.parametrize(("given", "made"), STAGES.values(), ids=STAGES)
def test_the_papers_numbers_are_the_defaults(given: dict[str, Any], made: dict[str, Any]) -> None:
    found = Schedule.model_validate(given).model_dump()
    assert made.items() <= found.items()
    assert found["warm_up"] == 0.05


def test_a_stage_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError, match="stage"):
        Schedule.model_validate({"stage": "three"})


IMPOSSIBLE: dict[str, tuple[dict[str, Any], Launch, str]] = {
    "rows longer than the model": ({"max_length": 2048}, Launch(), "2,048 tokens long.*reaches 1,024"),
    "GPUs that are not here": ({}, Launch(gpus=2), "trains on 2 GPUs and nvidia-smi shows 1 here"),
}


@pytest.mark.parametrize(("changes", "launch", "words"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be_is_said_before_anything_is_started(
    tmp_path: Path, changes: dict[str, Any], launch: Launch, words: str
) -> None:
    shows_one = tmp_path / "nvidia-smi"
    shows_one.write_text("#!/bin/sh\necho 81559\n")
    shows_one.chmod(0o755)
    machine = Resources(environment={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    with pytest.raises(RecipeError, match=words):
        require_possible(job(tmp_path, 2, **changes), launch, machine)
    require_possible(job(tmp_path, 2), Launch(gpus=1), machine)


def test_a_model_of_texts_and_pictures_says_beside_its_texts_how_far_it_reaches(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text(json.dumps({"text_config": {"max_position_embeddings": 128}}))
    with pytest.raises(
        RecipeError, match=r"256 tokens long by the proof's max_length, and the model in .* reaches 128"
    ):
        require_possible(job(tmp_path, 2, base=str(base)), Launch(), Resources())
    (base / "config.json").write_text(json.dumps({"text_config": None}))
    require_possible(job(tmp_path, 2, base=str(base)), Launch(), Resources())


@pytest.mark.parametrize(
    ("vocabulary", "said"),
    [
        pytest.param({"a": 0, "<|end|>": 920}, None, id="a part of the model's own, by its own numbers"),
        pytest.param({"a": 0, "b": 1}, "2 of its 2 tokens have other numbers", id="another model's, with fewer tokens"),
        pytest.param([["a", -1.0], ["b", -2.0]], "2 of its 2 tokens", id="another's, as sentencepiece has them"),
        pytest.param({"zzzzzz": 0}, "0 of its 1 tokens", id="no token in common"),
        pytest.param("a b", "is no tokenizer that can be read", id="no vocabulary"),
    ],
)
def test_rows_are_trained_by_numbers_that_the_weights_know(vocabulary: Any, said: str | None, tmp_path: Path) -> None:
    """Trap: a smaller tokenizer of another model fits into the embeddings, and every token is another one's."""
    own = json.loads((WEAK / "tokenizer.json").read_text())
    numbers = {**own["model"]["vocab"], **{one["content"]: one["id"] for one in own["added_tokens"]}}
    if said is None:
        vocabulary = {token: numbers[token] for token in vocabulary}
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer" / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    one = job(tmp_path, 2, tokenizer=str(tmp_path / "tokenizer"))
    if said is None:
        require_possible(one, Launch(), Resources())
        return
    with pytest.raises(RecipeError, match=said):
        require_possible(one, Launch(), Resources())
