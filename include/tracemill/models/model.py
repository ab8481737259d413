"""Names a model and how it is served. Which weights they are decides results; where and how they run does not."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.models.api import Api
from tracemill.models.engine import Engine, text_changing
from tracemill.models.prices import GpuPrice, Price
from tracemill.models.weights import folder_identity, known_identity

NAME = r"^[a-z0-9][a-z0-9_.-]*$"
_FOLDER_STARTS = ("/", "./", "../", "${")


class Serve(BaseModel):
    """How a model is run and asked. Nothing here changes what the model says, so nothing here is in a fingerprint.

    `replicas` servers are started by the run (0: never, use an endpoint that is up). `devices` names the accelerators
    of each replica ("0,1"), one entry a replica. `flags` go to `vllm serve` as they are. Times are seconds: a server
    must be healthy after `start_timeout`, and goes when nobody asked for `idle`. A request has no time-out: it is asked
    again when its server left, or (an endpoint that was up before) when nothing came from it for `silence`; a client
    gives up when it heard nothing from any server for `patience`. `concurrency`: requests that one task keeps in
    flight; twice the server's --max-num-seqs keeps it full. `price`: what an hour of one of its GPUs costs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    replicas: Annotated[int, Field(ge=0)] = 1
    tensor_parallel: Annotated[int, Field(ge=1)] = 1  # accelerators that share every layer
    pipeline_parallel: Annotated[int, Field(ge=1)] = 1  # groups of them that share the layers
    max_model_len: Annotated[int, Field(ge=1)] | None = None  # tokens in and out; null: as many as it can
    devices: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    port: Annotated[int, Field(ge=0, le=65535)] = 0  # 0: a free one
    start_timeout: Annotated[float, Field(gt=0)] = 1800
    idle: Annotated[float, Field(gt=0)] = 300
    concurrency: Annotated[int, Field(ge=1)] = 256
    silence: Annotated[float, Field(gt=0)] = 600
    patience: Annotated[float, Field(gt=0)] = 1800
    price: Annotated[GpuPrice | None, Field(exclude_if=lambda price: price is None)] = None  # null: nobody knows

    @model_validator(mode="before")
    @classmethod
    def _no_timeout(cls, given: Any) -> Any:
        if isinstance(given, dict) and "timeout" in given:
            raise ValueError(
                "serve.timeout is gone, as it gave up long traces that waited in a queue: a request lives while its "
                "server does. Remove it; serve.silence says how long an endpoint may be silent"
            )
        return given

    @field_validator("flags")
    @classmethod
    def _only_say_how_it_runs(cls, flags: tuple[str, ...]) -> tuple[str, ...]:
        found = text_changing(flags)
        if found:
            raise ValueError(
                f"serve.flags changes what the model says: {', '.join(found)}. What is in serve is in no sample's key, "
                "so answers made without it would be taken for these"
            )
        return flags

    @model_validator(mode="after")
    def _one_device_entry_a_replica(self) -> Serve:
        if self.devices and len(self.devices) < self.replicas:
            raise ValueError(f"devices has {len(self.devices)} entries for {self.replicas} replicas: give each its own")
        return self


class Model(BaseModel):
    """A model that steps ask. `name` is what leases, logs and tables call it.

    Either `api` says where it answers, or `weights` what is to be served: a folder (starting with /, ./, ../ or
    ${NAME}; relative ones start at the recipe's folder) or an id on the Hub, which needs a `revision`: an unpinned
    model would make two runs of one recipe incomparable. A folder with a `revision` is taken at its word; one without
    is identified by the content of its files. `engine` is what of the engine's settings changes answers; models that
    are adapters of one base (`engine.lora`) share a server.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(pattern=NAME)]
    weights: str | None = None
    api: Api | None = None
    revision: str | None = None
    task: Literal["generate", "classify"] = "generate"  # "classify": a reward model with a head of its own
    engine: Engine = Engine()
    serve: Serve = Serve()

    @property
    def replicas(self) -> int:
        """How many servers the run starts: none for a model behind an API."""
        return 0 if self.api else self.serve.replicas

    @property
    def is_folder(self) -> bool:
        """Whether `weights` names a folder rather than a model on the Hub."""
        return self.weights is not None and self.weights.startswith(_FOLDER_STARTS)

    @property
    def token_price(self) -> Price | None:
        """What tokens of a hosted model cost; None for a served one, and where the recipe does not say."""
        return self.api.paid if self.api else None

    @property
    def hour_price(self) -> GpuPrice | None:
        """What an hour of a served model's devices costs; None for a hosted one, and where the recipe does not say."""
        return None if self.api else self.serve.price

    @model_validator(mode="after")
    def _is_somewhere(self) -> Model:
        if (self.weights is None) == (self.api is None):
            raise ValueError(f"model {self.name!r}: give either `weights` (a folder or a Hub id) or `api`, not both")
        return self

    @model_validator(mode="after")
    def _hub_models_are_pinned(self) -> Model:
        if self.weights is not None and not self.is_folder and not self.revision:
            raise ValueError(
                f"model {self.name!r}: {self.weights!r} is a Hub id: pin its revision (a commit), "
                "or start a folder's path with ./ or /"
            )
        return self

    def location(self, resources: Resources) -> str:
        """What `vllm serve` is given: the folder's absolute path or the Hub id. Raises RecipeError for no folder."""
        if self.weights is None:
            raise RecipeError(f"model {self.name!r} is behind an API and has no weights to serve")
        if not self.is_folder:
            return self.weights
        folder = resources.path(self.weights).resolve()
        if not (folder / "config.json").is_file():
            raise RecipeError(f"model {self.name!r}: {folder} holds no model (config.json is missing): check `weights`")
        return str(folder)

    def identity(self, resources: Resources, store: ObjectStore) -> str:
        """Which weights these are and how the engine treats them; equal identities give equal answers.

        The digest of a folder's files is kept on the store, and who has no such folder takes it from there. Raises
        RecipeError when neither the folder nor a kept digest is there.
        """
        if self.api:
            return self.api.identity()
        return self._weights(resources, store) + self.engine.identity(resources, self._adapter(resources, store))

    def _adapter(self, resources: Resources, store: ObjectStore) -> str | None:
        """The digest of a LoRA adapter's files, kept on the store as that of weights is."""
        if not self.engine.lora:
            return None
        folder = resources.path(self.engine.lora).resolve()
        place = f"{self.name}/lora"
        if folder.is_dir():
            return folder_identity(store, place, folder)
        known = known_identity(store, place)
        if known is None:
            raise RecipeError(f"model {self.name!r}: engine.lora: there is no folder {folder}")
        return known

    def _weights(self, resources: Resources, store: ObjectStore) -> str:
        if self.weights and self.revision:
            place = Path(self.weights).name if self.is_folder else self.weights
            return f"{place}@{self.revision}"
        if not (resources.path(self.weights or "") / "config.json").is_file():
            known = known_identity(store, self.name)
            if known:
                return known
        return folder_identity(store, self.name, Path(self.location(resources)))


def without_serving(settings: Any) -> Any:
    """Settings without where models lie and how they run, at any depth: what is left decides results.

    What an engine changes is in the model's identity (see Model.identity), which is material of every step that asks.
    """
    return without(settings, of={"serve", "weights"}, keys={"serve", "weights", "engine", "api"})


def without(settings: Any, *, of: Collection[str], keys: Collection[str]) -> Any:
    """Settings without some keys of every object, at any depth, that has all those by which it is known (`of`)."""
    if isinstance(settings, dict):
        skipped = keys if set(of) <= settings.keys() else ()
        return {key: without(value, of=of, keys=keys) for key, value in settings.items() if key not in skipped}
    if isinstance(settings, list | tuple):
        return [without(value, of=of, keys=keys) for value in settings]
    return settings
