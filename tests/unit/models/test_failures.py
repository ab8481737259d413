"""What the servers of GPU machines say when they cannot start, and what the user is told to do about it."""

from __future__ import annotations

import pytest

from tracemill.errors import RecipeError, ServingError
from tracemill.models.model import Model
from tracemill.models.server.failures import explained

MODEL = Model(name="tiny", weights="org/tiny", revision="abc")
RECIPE = {
    "more GPUs than there are": (
        "ValueError: World size (16) is larger than the number of available GPUs (4) in this node.",
        "tensor_parallel",
    ),
    "gated": ("OSError: You are trying to access a gated repo.\nMake sure to have access to it", "HF_TOKEN"),
    "heads": (
        "ValueError: Total number of attention heads (28) must be divisible by tensor parallel size (8).",
        "attention heads",
    ),
    "context": (
        "ValueError: User-specified max_model_len (65536) is greater than the derived max_model_len (4096",
        "max_model_len is longer",
    ),
    "old GPU": (
        "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your V100",
        "engine.dtype",
    ),
    "remote code": (
        "ValueError: Loading org/x requires code. Please pass the argument `trust_remote_code=True`",
        "--trust-remote-code",
    ),
    "KV cache of one request": (
        "ValueError: To serve at least one request with max seq len (65536), 9.1 GiB KV cache is needed",
        "max_model_len",
    ),
    "driver": ("RuntimeError: The NVIDIA driver on your system is too old (found version 11040).", "driver"),
    "no GPU": ("RuntimeError: Failed to infer device type, please set the environment variable", "queue gpu"),
}
WORLD = {
    "slow to load": (
        "TimeoutError: Timed out waiting for engine core processes to start.",
        "VLLM_ENGINE_READY_TIMEOUT_S",
    ),
    "shared memory": ("OSError: [Errno 28] No space left on device: '/dev/shm/psm_9'", "shm-size"),
    "disk": ("OSError: [Errno 28] No space left on device: '/root/.cache/x'", "disk is full"),
    "NCCL": ("RuntimeError: NCCL error: unhandled system error", "NCCL_DEBUG"),
    "a setting that is only named": (
        "(APIServer pid=7) INFO 11-29 engine: trust_remote_code=False, compute capability, gated repo\nkilled",
        "killed",
    ),
}


@pytest.mark.parametrize("name", RECIPE)
def test_what_the_user_must_change_is_said_and_not_tried_again(name: str) -> None:
    log, remedy = RECIPE[name]
    error = explained(MODEL, log, "ended with code 1")
    assert isinstance(error, RecipeError)
    assert remedy in str(error)


@pytest.mark.parametrize("name", WORLD)
def test_what_the_world_may_mend_is_tried_again(name: str) -> None:
    log, remedy = WORLD[name]
    error = explained(MODEL, log, "ended with code 1")
    assert isinstance(error, ServingError)
    assert remedy in str(error)
