"""Serves the models that a stage asks for as long as the stage runs, for those who have no scheduler to do it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import ServingError
from tracemill.local.demand import unserved
from tracemill.local.limits import require_money
from tracemill.models.lease import answering
from tracemill.models.model import Model
from tracemill.models.server.replica import Replica, Served
from tracemill.models.sharing import families
from tracemill.recipe import Recipe

LOOK_EVERY = 0.5  # seconds
FOR_EVER = 1e9  # seconds without a request: the end of the stage ends these servers, not silence
RESTARTS = 2  # of a server that was up and went; clients wait meanwhile
_log = logging.getLogger(__name__)


@contextmanager
def hosted(
    recipe: Recipe, store: Store, stage: str, shards: Sequence[int], resources: Resources
) -> Iterator[tuple[str, ...]]:
    """While the block runs, every model that the stage needs for these shards answers; gives the names served here.

    Models that have an endpoint or a live lease are left to it, and a stage that is sealed starts nothing. Raises what
    a server says that does not come up (RecipeError, ServingError), LimitSpent where no money is left for one.
    """
    resources = recipe.located(resources)
    models = unserved(recipe, store, stage, shards, resources)
    if models:
        require_money(recipe, store)
    replicas = [
        Replica(first, number, store, resources, lambda: False, others)
        for first, *others in families(map(_patient, models))
        for number in range(first.replicas)
    ]
    up = Event()
    with ThreadPoolExecutor(max(1, len(replicas))) as threads:
        serving = [threads.submit(_kept_up, replica, up) for replica in replicas]
        try:
            _await(models, serving, store, resources)
            up.set()
            yield tuple(model.name for model in models)
        finally:
            for replica in replicas:
                replica.stop()
    for served in serving:
        served.result()


def _patient(model: Model) -> Model:
    return model.model_copy(update={"serve": model.serve.model_copy(update={"idle": FOR_EVER})})


def _kept_up(replica: Replica, up: Event) -> Served:
    for left in reversed(range(RESTARTS + 1)):
        try:
            return replica.serve()
        except ServingError as error:
            if left == 0 or not up.is_set():
                raise
            _log.warning("starting it again: %s", error)
    raise AssertionError("the last attempt returns or raises")


def _await(models: Sequence[Model], serving: Sequence[Future[Served]], store: Store, resources: Resources) -> None:
    """Wait until every model has a lease. Raises what a server raised that ended before that."""
    waiting = {model.name: model.identity(resources, store) for model in models}
    while waiting:
        for ended in (future for future in serving if future.done()):
            raise ended.exception() or ServingError("a model server ended before anything was asked of it")
        waiting = {name: identity for name, identity in waiting.items() if not answering(store, name, identity)}
        time.sleep(LOOK_EVERY if waiting else 0)
