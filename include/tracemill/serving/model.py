"""Names a model and how it is served. Which weights they are decides results; where and how they run does not."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.errors import RecipeError
from tracemill.resources import Resources

NAME = r"^[a-z0-9][a-z0-9_.-]*$"
_FOLDER_STARTS = ("/", "./", "../", "${")
_NOT_WEIGHTS = {".md", ".lock", ".log", ".py"}


class Serve(BaseModel):
    """How a model is run and asked. Nothing here changes what the model says, so nothing here is in a fingerprint.

    `replicas` servers are started by the run (0: never, use an endpoint that is up). `devices` names the accelerators
    of each replica ("0,1"), one entry a replica. `flags` go to `vllm serve` as they are. Times are seconds: a server
    must be healthy after `start_timeout`, and goes when nobody asked for `idle`. A request has no time-out: it is asked
    again when its server left, or (an endpoint that was up before) when nothing came from it for `silence`; a client
    gives up when it heard nothing from any server for `patience`. `concurrency`: requests that one task keeps in
    flight; twice the server's --max-num-seqs keeps it full.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    replicas: Annotated[int, Field(ge=0)] = 1
    tensor_parallel: Annotated[int, Field(ge=1)] = 1
    pipeline_parallel: Annotated[int, Field(ge=1)] = 1
    max_model_len: Annotated[int, Field(ge=1)] | None = None
    devices: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    start_timeout: Annotated[float, Field(gt=0)] = 1800
    idle: Annotated[float, Field(gt=0)] = 300
    concurrency: Annotated[int, Field(ge=1)] = 256
    silence: Annotated[float, Field(gt=0)] = 600
    patience: Annotated[float, Field(gt=0)] = 1800

    @model_validator(mode="before")
    @classmethod
    def _no_timeout(cls, given: Any) -> Any:
        if isinstance(given, dict) and "timeout" in given:
            raise ValueError(
                "serve.timeout is gone, as it gave up long traces that waited in a queue: a request lives while its "
                "server does. Remove it; serve.silence says how long an endpoint may be silent"
            )
        return given

    @model_validator(mode="after")
    def _one_device_entry_a_replica(self) -> Serve:
        if self.devices and len(self.devices) < self.replicas:
            raise ValueError(f"devices has {len(self.devices)} entries for {self.replicas} replicas: give each its own")
        return self


class Model(BaseModel):
    """A model that steps ask. `name` is what leases, logs and tables call it.

    `weights` is a folder (starting with /, ./, ../ or ${NAME}; relative ones start at the recipes' folder) or an id on
    the Hub, which needs a `revision`: an unpinned model would make two runs of one recipe incomparable. A folder with a
    `revision` is taken at its word; one without is identified by the content of its files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(pattern=NAME)]
    weights: str
    revision: str | None = None
    task: Literal["generate", "classify"] = "generate"
    serve: Serve = Serve()

    @property
    def is_folder(self) -> bool:
        """Whether `weights` names a folder rather than a model on the Hub."""
        return self.weights.startswith(_FOLDER_STARTS)

    @model_validator(mode="after")
    def _hub_models_are_pinned(self) -> Model:
        if not self.is_folder and not self.revision:
            raise ValueError(
                f"model {self.name!r}: {self.weights!r} is a Hub id: pin its revision (a commit), "
                "or start a folder's path with ./ or /"
            )
        return self

    def location(self, resources: Resources) -> str:
        """What `vllm serve` is given: the folder's absolute path or the Hub id. Raises RecipeError for no folder."""
        if not self.is_folder:
            return self.weights
        folder = resources.path(self.weights).resolve()
        if not (folder / "config.json").is_file():
            raise RecipeError(f"model {self.name!r}: {folder} holds no model (config.json is missing): check `weights`")
        return str(folder)

    def identity(self, resources: Resources) -> str:
        """Which weights these are: the digest of a folder's files, or id and revision of the Hub."""
        if self.revision:
            place = Path(self.weights).name if self.is_folder else self.weights
            return f"{place}@{self.revision}"
        return folder_digest(Path(self.location(resources)))


def without_serving(settings: Any) -> Any:
    """Settings without where models lie and how they run, at any depth: what is left decides results."""
    if isinstance(settings, dict):
        skipped = {"serve", "weights"} if {"serve", "weights"} <= settings.keys() else set()
        return {key: without_serving(value) for key, value in settings.items() if key not in skipped}
    if isinstance(settings, list | tuple):
        return [without_serving(value) for value in settings]
    return settings


def folder_digest(folder: Path) -> str:
    """SHA-256 over names and contents of a model folder's files, in hex; notes and code do not count."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix not in _NOT_WEIGHTS and p.name[0] != ".")
    lines = [f"{_file_digest(p, p.stat().st_mtime_ns, p.stat().st_size)} {p.name}\n" for p in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@functools.lru_cache(maxsize=1024)
def _file_digest(path: Path, _modified: int, _size: int) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
