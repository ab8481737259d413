"""Serve tasks: a model server lives as long as its Airflow task, and the task only while somebody needs the model.

A serve task that nobody asks for is deferred and holds neither worker nor GPU. So on a machine with one slot in the
pool `gpu` the models of a recipe take turns by themselves: each is started when its first client waits for it, and
leaves when its stages are sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracemill_airflow.endpoints import with_connections
from tracemill_airflow.operators.base import RETRY_THE_WORLD_ONLY, StageOperator
from tracemill_airflow.queues import GPU
from tracemill_airflow.run_state import have_ended, run_of, states
from tracemill_airflow.triggers import DemandTrigger, raise_if_failed

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.engine.resources import Resources
    from tracemill.engine.store import Store
    from tracemill.local.demand import ServedModel
    from tracemill.models.server.replica import Replica
    from tracemill.recipe import Recipe


# Given to `partial`, too: of a mapped task the scheduler sees nothing that its constructor sets.
SERVING: dict[str, Any] = {
    "pool": "gpu",
    "queue": GPU,
    "retry_policy": RETRY_THE_WORLD_ONLY,
    "map_index_template": "{{ server_name }}",
    "execution_timeout": None,  # a server lives as long as its stages, however long a task may take
}


def needed_servers(recipe: Recipe, store: Store, machine: Resources) -> list[ServedModel]:
    """The models that a run has to serve, in the order in which the recipe first asks them.

    None for a model whose stages are all sealed for today's settings, nor for one with an endpoint that is up.
    """
    from tracemill.local.demand import Demand, served_models
    from tracemill.models.endpoints import fixed_endpoints

    served = [s for s in served_models(recipe).values() if s.model.replicas]
    known = with_connections(machine, [s.model.name for s in served]).environment
    asked = [s for s in served if not fixed_endpoints(s.model.name, known)]
    return [s for s in asked if not Demand(recipe, store, machine, s.stages).is_over()]


class ServersOperator(StageOperator):
    """Lists the model servers that the run may need, one dict a replica: what `ServeOperator` is mapped over.

    Adapters of one base have one together.

    That is decided here, on the default queue: a server that nobody needs costs no task and no worker with a GPU.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(map_index_template=None, **kwargs)

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Model and replica number of each server that is needed, and which other models it serves."""
        from tracemill.models.sharing import families
        from tracemill.recipe import load_recipe

        recipe = load_recipe(self.recipe)
        served = needed_servers(recipe, self.open_store(), recipe.located(self.machine()))
        servers: list[dict[str, Any]] = []
        for first, *others in families(s.model for s in served):
            shared = {"others": [model.name for model in others]} if others else {}
            servers += [{"model": first.name, "replica": n, **shared} for n in range(first.replicas)]
        return servers


class ServeOperator(StageOperator):
    """Runs one replica of a model while it is needed; `server` is an item of ServersOperator's list.

    Ends when its models' stages are sealed. When nobody asked for a while it gives its place up and waits for the next
    one who does. A server that fails fails the task; Airflow tries again, and the clients meanwhile wait.
    """

    template_fields: Sequence[str] = (*StageOperator.template_fields, "server")
    ui_color = "#e8dcf4"

    def __init__(self, *, server: Any, **kwargs: Any) -> None:
        super().__init__(**{**SERVING, **kwargs})
        self.server = server
        self._replica: Replica | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Wait (deferred) until the model is wanted."""
        context["server_name"] = self._name  # type: ignore[typeddict-unknown-key]
        self._wait(context)
        return {}

    def serve(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Serve until the stages are sealed. Raises what the server's log says when it fails."""
        from tracemill.local.demand import Demand, asked_by, served_models
        from tracemill.local.limits import is_spent
        from tracemill.models.server.command import require_reachable
        from tracemill.models.server.replica import Replica
        from tracemill.recipe import load_recipe

        context["server_name"] = self._name  # type: ignore[typeddict-unknown-key]
        raise_if_failed(event)
        if event["state"] == "over":
            return {"why": "nobody needs it"}
        recipe = load_recipe(self.recipe)
        store = self.open_store()
        known = served_models(recipe)
        first, *others = (known[name].model for name in self._models)
        machine = recipe.located(self.machine())
        require_reachable(store, machine)
        stages = asked_by(recipe, self._models)
        demand = Demand(recipe, store, machine, stages)
        run = run_of(context)

        def nobody_needs_it() -> bool:
            return have_ended(states(run), stages) or demand.is_over()

        number = int(self.server["replica"])
        self._replica = Replica(first, number, store, machine, nobody_needs_it, others, lambda: is_spent(recipe, store))
        life = self._replica.serve()
        if life.why == "idle":
            self._wait(context)
        return {"why": life.why, "seconds": life.seconds, "generated_tokens": life.generated}

    def on_kill(self) -> None:
        """Leave no process behind."""
        if self._replica:
            self._replica.stop()

    @property
    def _models(self) -> tuple[str, ...]:
        """The names of the models that the server serves; one, but for adapters of one base."""
        return (self.server["model"], *self.server.get("others", ()))

    @property
    def _name(self) -> str:
        return f"{' + '.join(self._models)} {self.server['replica']}"

    def _wait(self, context: Context) -> None:
        first, *others = self._models
        trigger = DemandTrigger(self.store_url, self.recipe, first, run_of(context), others)
        self.defer(trigger=trigger, method_name="serve")
