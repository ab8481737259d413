"""Tasks that ask ahead: several teachers answer side by side, although their stages follow one another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracemill_airflow.operators.asking import AskingOperator
from tracemill_airflow.operators.base import totals
from tracemill_airflow.operators.shards import span

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.engine.resources import Resources
    from tracemill.engine.runner import ShardResult
    from tracemill.engine.store import Store
    from tracemill.local.ahead import Without
    from tracemill.recipe import Recipe


class AheadOperator(AskingOperator):
    """Has the model of a stage answer while the stages `beside`, which stand right before it, still ask theirs.

    The answers go to the sample store, where the stage finds them when it has its turn: it seals the same shards, and
    asks nobody. Where no server comes in time, as on a machine with one GPU on which another model has much to do, the
    task leaves it to the stage; also where one of `beside` asks the same model, whose answers may be the stage's, too.
    """

    ui_color = "#eef5f1"

    def __init__(self, *, beside: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.beside = tuple(beside)
        self._answered: set[int] = set()  # shards that this process need not go through again

    def execute(self, context: Context) -> Any:
        """Ask for the shards that the stage has not sealed, deferred until its model has a server."""
        from tracemill.local.ahead import asking_alike, stands_behind
        from tracemill.local.pending import is_open

        recipe = self._recipe()
        store = self.open_store()
        machine = self._machine(recipe)
        if not stands_behind(recipe, self.stage, self.beside):
            self.log.info("%s stands right behind %s no more: it waits for all before it", self.stage, self.beside)
            return self._left(context)
        if alike := asking_alike(recipe, self.stage, self.beside, machine):
            self.log.info("%s asks the model of %s: it has its turn behind it", self.stage, ", ".join(alike))
            return self._left(context)
        if not any(is_open(recipe, store, self.stage, int(shard), machine) for shard in self.shards):
            self.log.info("%s is sealed: there is nothing to ask ahead", self.stage)
            return self._left(context)
        return super().execute(context)

    def work(self, context: Context, event: dict[str, Any]) -> Any:
        """Ask. A server that did not come in time is the stage's to wait for."""
        if event["state"] == "late":
            self.log.info("no server of %s came; %s will wait for it itself", event["missing"], self.stage)
            return self._left(context)
        return super().work(context, event)

    def _left(self, context: Context) -> dict[str, Any]:
        """What a task gives that leaves all to the stage, with what is wanted of every task: a label, and a time."""
        context["shard_name"] = span([int(shard) for shard in self.shards])  # type: ignore[typeddict-unknown-key]
        now = time.time()
        return {"began": now, "ended": now, **totals(self.stage, [])}

    def pipeline(self, recipe: Recipe) -> Without:
        """The stages without those that this task does not wait for."""
        from tracemill.local.ahead import Without

        return Without(recipe, self.beside)

    def after(self) -> list[str]:
        """The models of the stages right before it: on a machine with few places for servers they come first."""
        from tracemill.local.demand import served_models
        from tracemill.recipe import load_recipe

        served = served_models(load_recipe(self.recipe))
        return [name for name, one in served.items() if self.stage not in one.stages and {*self.beside} & {*one.stages}]

    def make(self, recipe: Recipe, store: Store, shard: int, machine: Resources) -> ShardResult | None:
        """Have the answers of one shard stored; the stage seals it."""
        from tracemill.local.ahead import ask_ahead
        from tracemill.local.pending import is_open

        if shard not in self._answered and is_open(recipe, store, self.stage, shard, machine):
            ask_ahead(self.pipeline(recipe), store, self.stage, shard, machine)
            self._answered.add(shard)
            self.log.info("shard %d of %s is answered", shard, self.stage)
        return None
