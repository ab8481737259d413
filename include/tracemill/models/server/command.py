"""How `vllm serve` is called for a model: the command and its environment, with a GPU and on a processor alone."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

from tracemill.engine.objects import ObjectStore
from tracemill.engine.processors import processors
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError, ServingError
from tracemill.models.costs import Unit
from tracemill.models.endpoints import API_KEY
from tracemill.models.model import Model
from tracemill.models.server import guard, vllm_cli
from tracemill.models.sharing import lora_options, served_names
from tracemill.models.token_logprobs import ROOM

PYTHON = "TRACEMILL_VLLM_PYTHON"
HOST = "TRACEMILL_SERVE_HOST"
LOOPBACK = "127.0.0.1"
_DEFAULT_PYTHON = Path(__file__).resolve().parents[4] / ".venv-vllm" / "bin" / "python"
# vLLM 0.32 winds a request's own random generator back after each part of a prompt, which no processor's generator can:
# a seeded request whose prompt is read in two parts ends the engine ("CPU Generator does not use offset").
_CPU_GENERATION = ("--no-enable-chunked-prefill",)
_BF16 = {"avx512_bf16", "amx_bf16", "bf16"}  # as /proc/cpuinfo calls them on x86-64 and Arm
_CPU_ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
}
_ALWAYS = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1"}


def vllm_python(resources: Resources) -> Path:
    """The Python of vLLM's own environment. Raises ServingError with how to make one."""
    named = resources.environment.get(PYTHON)
    python = Path(named) if named else _DEFAULT_PYTHON
    if not python.is_file():
        raise ServingError(
            f"there is no vLLM environment: {python} is missing. In a clone `make vllm` makes it. Elsewhere install "
            f"vllm==0.32.0 into an environment of its own, and set {PYTHON} to the python there"
        )
    return python


def on_cpu(python: Path) -> bool:
    """Whether that environment holds the rebuild of vLLM for processors."""
    return any(python.parent.parent.glob("lib/python3*/site-packages/vllm_cpu-*.dist-info"))


def devices(model: Model, python: Path) -> tuple[Unit, int]:
    """What one server of the model holds while it lives: GPUs, or processors where it computes on those."""
    parallel = model.serve.tensor_parallel * model.serve.pipeline_parallel
    if on_cpu(python):
        return "processor", parallel * _threads()
    return "GPU", parallel


def cpu_dtype(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """bfloat16 where the processor computes in it, else float32: emulated, it took twice the time."""
    flags = cpuinfo.read_text().split() if cpuinfo.is_file() else []
    return "bfloat16" if _BF16.intersection(flags) else "float32"


def command(
    model: Model, python: Path, resources: Resources, host: str, port: int, others: Sequence[Model] = ()
) -> list[str]:
    """The whole command, behind the guard that ends everything with this process. `others` share the server."""
    serve = model.serve
    cpu = on_cpu(python)
    family = (model, *others)
    options: list[str] = [
        *("--served-model-name", *served_names(family), "--host", host, "--port", str(port)),
        *("--tensor-parallel-size", str(serve.tensor_parallel)),
        *("--pipeline-parallel-size", str(serve.pipeline_parallel)),
        *("--generation-config", "vllm", "--disable-uvicorn-access-log"),
        *(("--max-model-len", str(serve.max_model_len)) if serve.max_model_len else ()),
        *(("--revision", model.revision) if model.revision and not model.is_folder else ()),
        *(("--runner", "pooling", "--convert", "classify") if model.task == "classify" else ()),
        *(("--enforce-eager",) if cpu else ()),
        *(("--dtype", cpu_dtype()) if cpu and not model.engine.dtype else ()),
        *(_CPU_GENERATION if cpu and model.task == "generate" else ()),
        *(ROOM if model.task == "generate" else ()),
        *model.engine.options(resources),
        *lora_options(family, resources),
        *serve.flags,
    ]
    guarded = [sys.executable, "-P", guard.__file__, str(os.getpid())]
    return [*guarded, str(python), "-P", vllm_cli.__file__, "serve", model.location(resources), *options]


def environment(model: Model, python: Path, replica: int, given: Mapping[str, str]) -> dict[str, str]:
    """The server's environment: without Airflow's settings and our import path, with the replica's devices."""
    kept = {k: v for k, v in given.items() if not k.startswith(("AIRFLOW", "PYTHON", "TRACEMILL", "VIRTUAL_ENV"))}
    made = {**_ALWAYS, **(_CPU_ENVIRONMENT | {"OMP_NUM_THREADS": str(_threads())} if on_cpu(python) else {}), **kept}
    if model.serve.devices:
        made["CUDA_VISIBLE_DEVICES"] = model.serve.devices[replica]
    if API_KEY in given:
        made["VLLM_API_KEY"] = given[API_KEY]
    return made


def _threads() -> int:
    """Half of the cores that this process may use, by a container's quota too: API server, clients and Airflow need the
    others. OpenMP's barriers wait for the slowest thread, so a server that shares its cores loses far more than its
    share (16 times less was measured).
    """
    return max(1, processors() // 2)


def free_port(host: str, port: int) -> int:
    """`port`, or a free one when it is 0. Raises ServingError when it is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServingError(
                f"cannot listen on {host} port {port}: {error.strerror}. Leave serve.port at 0 to get a free one, "
                f"or end what holds it; {HOST} names the address"
            ) from error
        return int(probe.getsockname()[1])


def reachable_name(host: str) -> str:
    """The host that clients should use for a server that listens on `host`.

    Of one that listens everywhere it is this machine's address: a container's or a pod's name is known to few others.
    """
    everywhere = host in ("0.0.0.0", "::")
    name = _own_address() if everywhere else host
    return f"[{name}]" if ":" in name else name


def _own_address() -> str:
    """The address that this machine's own name stands for, or the whole name where that is a loopback address."""
    try:
        address = socket.gethostbyname(socket.gethostname())
    except OSError:
        return socket.getfqdn()
    return socket.getfqdn() if ip_address(address).is_loopback else address


def require_reachable(store: ObjectStore, resources: Resources) -> None:
    """Refuse to serve for other machines where none can reach it. Raises RecipeError with what to set.

    On a store of this machine's disk all clients are here; on any other they may be anywhere.
    """
    host = resources.environment.get(HOST, LOOPBACK)
    if not store.on_disk and (host == "localhost" or _is_loopback(host)):
        raise RecipeError(
            f"the store {store.root} is shared with other machines, and a model server that listens on {host} can be "
            f"reached from this one alone: set {HOST} to 0.0.0.0, or to an address of this machine that they reach"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False  # a name
