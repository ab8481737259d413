"""Looks, before anything is paid or made, whether what a recipe names is there: keys, addresses, folders, benchmarks.

Whatever is wrong is one sentence within seconds. What is sealed already needs no model, so it asks for none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracemill.decontaminate.step import Decontaminate
from tracemill.distill.apart import require_apart
from tracemill.distill.step import Distill
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError, ServingError, TracemillError
from tracemill.local.demand import Demand, ServedModel, served_models
from tracemill.local.misgivings import misgivings
from tracemill.models.api import address
from tracemill.models.endpoints import Endpoint, fixed_endpoints
from tracemill.models.fits import require_fit, require_possible
from tracemill.models.fleet import named_endpoints
from tracemill.models.model import Model
from tracemill.models.payload import decoded
from tracemill.models.sharing import adapter_folder, adapter_rank
from tracemill.models.step import answer_lengths
from tracemill.recipe import Recipe
from tracemill.text.spelling import nearest
from tracemill.train.launch import training_python
from tracemill.train.train import Train

if TYPE_CHECKING:
    import httpx

PATIENCE = 15.0  # seconds for an address to say anything
_REFUSED = {401: "the key is not accepted", 403: "the key may not be used here", 402: "the balance is used up"}


def require_ready(recipe: Recipe, store: Store | None, resources: Resources, *, serves_here: bool = False) -> None:
    """Look at the benchmarks, and at every model that the recipe still needs on that store (None: there is none yet).

    `serves_here`: this machine is to serve them, so its GPUs are looked at, too, and where it trains.

    Raises RecipeError for a variable, key, folder or address that must be mended, SourceError for a benchmark that
    cannot be read, ServingError for an endpoint that is away just now.
    """
    machine = recipe.located(resources)
    require_apart({name: step for name, step in recipe.steps.items() if isinstance(step, Distill)})
    for said in misgivings(recipe):
        machine.tell(said)
    for step in recipe.steps.values():
        for benchmark in step.benchmarks if isinstance(step, Decontaminate) else ():
            benchmark.questions(machine)
    for name, step in recipe.steps.items():
        if isinstance(step, Train) and (store is None or store.manifest(name, 0) is None):
            _require_trainable(step, machine, serves_here)
    for served in served_models(recipe).values():
        if recipe.cost_limit and served.model.hour_price and fixed_endpoints(served.model.name, machine.environment):
            held = "no server of the run holds devices for it"
            machine.tell(f"cost_limit counts nothing of {served.model.name!r}, which answers already: {held}")
        try:
            _require(served, machine, serves_here)
            if served.model.replicas and not fixed_endpoints(served.model.name, machine.environment):
                lengths = [n for stage in served.stages for n in answer_lengths(recipe.step(stage), served.model.name)]
                require_possible(served.model, lengths, machine)
        except TracemillError:  # only then is it worth a look at all shards whether anybody asks it
            if store is None or not Demand(recipe, store, machine, served.stages).is_over():
                raise


def _require(served: ServedModel, machine: Resources, serves_here: bool) -> None:
    model = served.model
    endpoints = named_endpoints(model, machine)
    if endpoints and machine.transport is None:
        _require_answer(model, endpoints, machine)
    if not endpoints and model.is_folder and model.replicas:
        model.location(machine)
        if model.engine.lora:
            adapter_rank(model.name, adapter_folder(model, machine))
        if serves_here:
            require_fit(model, machine)


def _require_trainable(step: Train, machine: Resources, here: bool) -> None:
    if here:
        training_python(machine)
        if step.base is not None and step.base.is_folder:
            step.base.location(machine)


def _require_answer(model: Model, endpoints: list[Endpoint], machine: Resources) -> None:
    """One of a model's endpoints answers, and takes the key. Raises as `require_ready`."""
    import httpx

    away = ""
    for endpoint in endpoints:
        url = address(endpoint.url, "/v1/models")
        try:
            response = httpx.get(url, headers=_headers(endpoint, model), timeout=PATIENCE, trust_env=bool(model.api))
        except httpx.InvalidURL as error:
            raise RecipeError(f"model {model.name!r}: {endpoint.url} is no address: {error}") from error
        except httpx.HTTPError as error:
            away = f"{endpoint.url} does not answer ({_plain(error)})"
            continue
        if response.status_code in _REFUSED:
            said = response.text.strip()[:200]
            raise RecipeError(f"model {model.name!r}: {endpoint.url}: {_REFUSED[response.status_code]}: {said}")
        if response.status_code == 200 and isinstance(decoded(response.content), str):
            raise RecipeError(
                f"model {model.name!r}: what answers at {endpoint.url} is no model server: its list of models is "
                f"{response.text.strip()[:100]!r}. Correct the address (the API's base URL)"
            )
        _tell_unknown(model, endpoint, response, machine)
        return
    raise ServingError(f"model {model.name!r}: {away}: check the address in the recipe, and that the server is up")


def _headers(endpoint: Endpoint, model: Model) -> dict[str, str]:
    headers = dict(endpoint.headers)
    if model.api and model.api.takes == "anthropic" and endpoint.key:  # its list of models takes the key so
        headers |= {"x-api-key": endpoint.key.get_secret_value(), "anthropic-version": "2023-06-01"}
    return headers


def _tell_unknown(model: Model, endpoint: Endpoint, response: httpx.Response, machine: Resources) -> None:
    """Say when the endpoint lists models and this is not among them; some list only a part of what they serve."""
    try:
        listed: Any = response.json()
        names = [str(one["id"]) for one in listed["data"]] if response.status_code == 200 else []
    except (ValueError, KeyError, TypeError):
        return
    if names and endpoint.model not in names:
        machine.tell(f"{endpoint.url} lists no model {endpoint.model!r}{nearest(endpoint.model, names)}")


def _plain(error: Exception) -> str:
    return str(error) or type(error).__name__
