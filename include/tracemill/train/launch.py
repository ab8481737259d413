"""How a training is started: on which devices, by which `accelerate` configuration and command. Nothing runs here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.server import guard

PYTHON = "TRACEMILL_TRAIN_PYTHON"
MODULE = "tracemill.train.inside"
_PACKAGE = Path(__file__).resolve().parents[1]
_DEFAULT_PYTHON = _PACKAGE.parents[1] / ".venv-train" / "bin" / "python"
# Threads that wait for each other soon sleep instead of turning: where two trainings share processors, or anything else
# does, turning threads keep those that work from theirs. On two cores with two others busy a step took 3.3 times as
# long by libgomp's own number, on idle ones as long by this one; by 1,000 it took a fifth longer there.
_UNLESS_GIVEN = {"GOMP_SPINCOUNT": "20000"}
_ALWAYS = {"TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1", "DO_NOT_TRACK": "1"}


class Launch(BaseModel):
    """Where and how a training runs. It changes what is learned by rounding alone, so nothing of it is in an identity.

    `gpus`: 0 trains on the processor; several share weights, gradients and the optimiser's state (FSDP2), or, with
    `share: false`, each holds all of it. `rows_at_once`: rows (or packs) that a device goes through at once; a batch is
    accumulated of them. Packs at once are one long text to attention, so leave it at 1 without flash attention.
    `offload`: what is shared waits in the machine's memory. `recompute`: activations are computed again rather than
    kept, by default on GPUs. A checkpoint is written every `save_every` steps. `attention`: flash_attention_2 (which
    .venv-train lacks) needs less memory on packs than sdpa; both keep a pack's rows apart.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    gpus: Annotated[int, Field(ge=0)] = 0
    rows_at_once: Annotated[int, Field(ge=1)] = 1
    share: bool = True
    offload: bool = False
    recompute: bool | None = None
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    save_every: Annotated[int, Field(ge=1)] = 100

    @property
    def devices(self) -> int:
        """How many processes train together."""
        return max(1, self.gpus)

    @property
    def shares(self) -> bool:
        """Whether each device holds its part of everything only."""
        return self.gpus > 1 and self.share

    @property
    def recomputes(self) -> bool:
        """Whether activations are computed again."""
        return self.gpus > 0 if self.recompute is None else self.recompute


def configuration(launch: Launch, precision: str) -> dict[str, Any]:
    """What `accelerate launch --config_file` reads: one machine, as many processes as it trains on."""
    kind = "FSDP" if launch.shares else "MULTI_GPU" if launch.gpus > 1 else "NO"
    sharing = {
        "fsdp_version": 2,
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_reshard_after_forward": True,
        "fsdp_cpu_ram_efficient_loading": True,
        "fsdp_offload_params": launch.offload,
        "fsdp_state_dict_type": "SHARDED_STATE_DICT",  # of checkpoints; the student itself is written in one
        "fsdp_activation_checkpointing": launch.recomputes,
    }
    return {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": kind,
        "use_cpu": launch.gpus == 0,
        "num_machines": 1,
        "num_processes": launch.devices,
        "machine_rank": 0,
        "mixed_precision": "bf16" if precision == "bf16" else "no",
        "main_process_port": 0,  # a free one
        **({"fsdp_config": sharing} if launch.shares else {}),
    }


def written(configured: Mapping[str, Any]) -> str:
    """The configuration as the text of its file."""
    return yaml.safe_dump(dict(configured), sort_keys=False)


def command(python: Path, configured: Path, job: Path) -> list[str]:
    """The whole command, behind the guard that ends everything with this process."""
    guarded = [sys.executable, "-P", guard.__file__, str(os.getpid())]
    accelerate = [str(python), "-P", "-m", "accelerate.commands.launch", "--config_file", str(configured)]
    return [*guarded, *accelerate, "-m", MODULE, str(job)]


def environment(given: Mapping[str, str], code: Path, offline: bool) -> dict[str, str]:
    """The training's environment: without Airflow's settings, and of our own code what `code` holds."""
    kept = {k: v for k, v in given.items() if not k.startswith(("AIRFLOW", "PYTHON", "TRACEMILL", "VIRTUAL_ENV"))}
    made = {**_UNLESS_GIVEN, **kept, **_ALWAYS, "PYTHONPATH": str(code)}
    return {**made, "HF_HUB_OFFLINE": "1"} if offline else made


def code_below(work: Path) -> Path:
    """A folder with nothing but this package: what lies beside it is of another environment."""
    folder = work / "code"
    folder.mkdir(exist_ok=True)
    link = folder / _PACKAGE.name
    link.unlink(missing_ok=True)
    link.symlink_to(_PACKAGE, target_is_directory=True)
    return folder


def training_python(resources: Resources) -> Path:
    """The Python of the environment that trains. Raises RecipeError with how to make one."""
    named = resources.environment.get(PYTHON)
    python = Path(named) if named else _DEFAULT_PYTHON
    if not python.is_file():
        raise RecipeError(
            f"there is no environment to train in: {python} is missing. Make one with `make train-env`, or set "
            f"{PYTHON} to the python of an environment that has what requirements-train.txt names"
        )
    return python
