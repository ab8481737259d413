"""`tracemill serve`: the serve task without Airflow, for one's own machine and for tests."""

from __future__ import annotations

import logging
import signal
from typing import Annotated

import typer

app = typer.Typer(help="Serve a recipe's models.", no_args_is_help=True)


@app.command("serve")
def serve(
    recipe: Annotated[str, typer.Argument(help="Recipe: a name or a YAML file.")],
    model: Annotated[str, typer.Argument(help="Name of a model in the recipe.")],
    root: Annotated[str, typer.Option(help="The store of the run: a path or any fsspec URL.")],
    replica: Annotated[int, typer.Option(help="Number of this server, from 0, when several serve one model.")] = 0,
) -> None:
    """Serve MODEL until no stage of RECIPE needs it on that store, or nobody asks any more. Ctrl-C ends it cleanly.

    The recipe's other adapters of the same base are served with it.
    """
    from tracemill.engine.resources import Resources
    from tracemill.engine.store import Store
    from tracemill.errors import RecipeError
    from tracemill.local.demand import Demand, asked_by, served_models
    from tracemill.local.limits import is_spent
    from tracemill.models.server.command import require_reachable
    from tracemill.models.server.replica import Replica
    from tracemill.models.sharing import families
    from tracemill.recipe import load_recipe
    from tracemill.text.spelling import nearest

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    loaded = load_recipe(recipe)
    store = Store.at(root)
    machine = loaded.located(Resources())
    served = served_models(loaded)
    if model not in served:
        raise RecipeError(f"recipe {loaded.name!r} asks no model {model!r}{nearest(model, served)}")
    require_reachable(store, machine)
    (family,) = (one for one in families(s.model for s in served.values()) if served[model].model in one)
    others = [one for one in family if one.name != model]
    demand = Demand(loaded, store, machine, asked_by(loaded, [one.name for one in family]))
    life = Replica(
        served[model].model, replica, store, machine, demand.is_over, others, lambda: is_spent(loaded, store)
    )
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: life.stop())
    life.serve()


if __name__ == "__main__":
    app()
