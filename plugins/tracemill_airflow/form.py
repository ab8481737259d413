"""The trigger form of the DAGs that keep a release alive, and which recipe is run by which graph."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Param

from tracemill_airflow.graph import RECIPES, Stage, fits, stages_of
from tracemill_airflow.operators.base import RETRY_THE_WORLD_ONLY

STORE = os.environ.get("TRACEMILL_STORE", (RECIPES.parents[1] / "var" / "store").as_uri())
DEFAULTS: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": RETRY_THE_WORLD_ONLY,  # of a mapped task the scheduler does not see what a constructor sets
    "trigger_rule": "none_failed",  # a stage that the recipe lacks is skipped; the next one still runs
}


def place(recipes: Sequence[str], recipe: str | None = None) -> dict[str, Param]:
    """The fields that say which release is meant; the recipe is the first one unless named."""
    return {
        "recipe": Param(recipe or recipes[0], type="string", enum=list(recipes), description="What the release is of"),
        "release": Param("v1", type="string", pattern="^[A-Za-z0-9._-]+$", description="Same name, same shards"),
        "store": Param(
            STORE, type="string", description="Where shards live: file:///..., s3://CONNECTION@bucket/prefix"
        ),
    }


def graphs() -> dict[str, tuple[tuple[Stage, ...], list[str]]]:
    """By the end of a DAG's name: its stages, and the recipes it runs. "" has the stages of `demo`."""
    files = {path.stem: stages_of(path) for path in sorted(RECIPES.glob("*.yaml"))}
    graph = files["demo"]
    fitting = ["demo", *(name for name in files if name != "demo" and fits(files[name], graph))]
    return {"": (graph, fitting), **{f"_{name}": (files[name], [name]) for name in files.keys() - set(fitting)}}
