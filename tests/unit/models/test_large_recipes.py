"""The two large recipes pass every check before their start on the node that they are for, and on no smaller one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tracemill.distill.chat import ChatTeacher
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.local.preflight import require_ready
from tracemill.models.fits import require_possible
from tracemill.models.model import Model
from tracemill.recipe import load_recipe

H200, H100 = 143_771, 81_559  # MiB, as nvidia-smi gives them
# Attention heads, positions, and gigabytes of weights, as the models' repositories have them.
MODELS: dict[str, tuple[int, dict[str, Any], int]] = {
    "DeepSeek-R1": (128, {"max_position_embeddings": 163_840, "rope_scaling": {"type": "yarn", "factor": 40}}, 688),
    "DeepSeek-R1-Distill-Qwen-1.5B": (12, {"max_position_embeddings": 131_072}, 4),
    "DeepSeek-R1-Distill-Qwen-7B": (28, {"max_position_embeddings": 131_072}, 15),
    "Qwen2.5-7B-Instruct": (28, {"max_position_embeddings": 32_768}, 15),
    "AM-Distill-Qwen-32B": (40, {"max_position_embeddings": 131_072}, 66),
    "Decision-Tree-Reward-Llama-3.1-8B": (32, {"max_position_embeddings": 131_072}, 16),
}


def node(folder: Path, gpus: int, memory: int) -> Resources:
    """A machine with these models (as files without content) and GPUs."""
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n" + f"echo {memory}\n" * gpus)
    program.chmod(0o755)
    for name, (heads, config, size) in MODELS.items():
        weights = folder / name
        weights.mkdir()
        (weights / "config.json").write_text(json.dumps({"num_attention_heads": heads, **config}))
        for number in range(-(-size // 5)):
            with (weights / f"model-{number:05d}.safetensors").open("wb") as file:
                file.truncate(min(5, size - 5 * number) * 10**9)
    marks = folder / "benchmarks"
    marks.mkdir()
    for name, field in {
        "aime24": "problem",
        "aime25": "problem",
        "math500": "problem",
        "gpqa_diamond": "Question",
        "livecodebench": "question_content",
    }.items():
        (marks / f"{name}.jsonl").write_text(json.dumps({field: f"What is {name}?"}) + "\n")
    places = {"TRACEMILL_MODELS": str(folder), "TRACEMILL_BENCHMARKS": str(marks)}
    return Resources(workers=1, environment={"PATH": f"{folder}:/usr/bin:/bin", **places})


@pytest.mark.parametrize("name", ["am_1_4m", "deepdistill_40m"])
def test_a_large_recipe_is_ready_on_one_node_of_eight_large_gpus(tmp_path: Path, name: str) -> None:
    recipe = load_recipe(name)
    require_ready(recipe, None, node(tmp_path, 8, H200), serves_here=True)


@pytest.mark.parametrize(
    ("gpus", "memory", "said"),
    [
        pytest.param(4, H200, "asks for 8 GPUs", id="four GPUs"),
        pytest.param(8, H100, "688 GB of weights over 8 GPUs are 86 GB each", id="GPUs of 80 GB"),
    ],
)
def test_on_a_smaller_node_it_is_refused_before_anything_is_made(
    tmp_path: Path, gpus: int, memory: int, said: str
) -> None:
    with pytest.raises(RecipeError, match=said):
        require_ready(load_recipe("am_1_4m"), None, node(tmp_path, gpus, memory), serves_here=True)


@pytest.mark.parametrize(
    ("config", "serve", "tokens", "said"),
    [
        pytest.param({"num_attention_heads": 28}, {"tensor_parallel": 8}, 1, "28 attention heads", id="heads"),
        pytest.param(
            {"max_position_embeddings": 4096}, {"max_model_len": 8192}, 1, "made for", id="longer than made for"
        ),
        pytest.param(
            {"max_position_embeddings": 4096}, {}, 32_768, "do not fit into its context", id="answers too long"
        ),
        pytest.param(
            {"max_position_embeddings": 65_536}, {"max_model_len": 4096}, 5000, "of 4096", id="a shorter context"
        ),
        pytest.param(
            {"text_config": {"num_attention_heads": 3}}, {"tensor_parallel": 2}, 1, "3 attention", id="nested"
        ),
    ],
)
def test_what_config_json_alone_tells_is_told_at_once(
    tmp_path: Path, config: dict[str, Any], serve: dict[str, Any], tokens: int, said: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    model = Model.model_validate({"name": "x", "weights": str(tmp_path), "serve": serve})
    with pytest.raises(RecipeError, match=said):
        require_possible(model, [tokens], Resources())


def test_scaled_positions_and_a_config_that_says_little_are_let_through(tmp_path: Path) -> None:
    model = Model.model_validate({"name": "x", "weights": str(tmp_path), "serve": {"max_model_len": 100_000}})
    scaled = {"max_position_embeddings": 32_768, "rope_scaling": {"factor": 4.0}}
    for config in ({}, scaled, {"max_position_embeddings": None, "rope_scaling": None}):
        (tmp_path / "config.json").write_text(json.dumps(config))
        require_possible(model, [90_000], Resources())


def test_r1_behind_an_api_needs_no_gpu() -> None:
    api = {"url": "https://api.deepseek.com/v1", "model": "deepseek-reasoner", "key": "${DEEPSEEK_API_KEY}"}
    teacher = ChatTeacher.model_validate({"model": {"name": "deepseek-r1", "api": api}, "source": "am-0309"})
    require_possible(teacher.model, [32_768], Resources())
    assert teacher.model.replicas == 0
