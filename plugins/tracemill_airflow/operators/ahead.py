"""Tasks that ask ahead: several teachers answer side by side, although their stages follow one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracemill_airflow.operators.asking import AskingOperator

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

    def needless(self, recipe: Recipe, store: Store, shards: Sequence[int], machine: Resources) -> str:
        """Why nothing is asked ahead: the stage has sealed the shards, or has to ask them itself."""
        from tracemill.local.ahead import asking_alike, stands_behind
        from tracemill.local.pending import is_open

        if not stands_behind(recipe, self.stage, self.beside):
            return f"{self.stage} stands right behind {', '.join(self.beside)} no more: it waits for all before it"
        if alike := asking_alike(recipe, self.stage, self.beside, machine):
            return f"{self.stage} asks the model of {', '.join(alike)}: it has its turn behind it"
        if not any(is_open(recipe, store, self.stage, shard, machine) for shard in shards):
            return f"{self.stage} is sealed: there is nothing to ask ahead"
        return ""

    def work(self, context: Context, event: dict[str, Any]) -> Any:
        """Ask. A server that did not come in time is the stage's to wait for."""
        if event["state"] == "late":
            return self.left(context, f"no server of {event['missing']} came; {self.stage} will wait for it itself")
        return super().work(context, event)

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
