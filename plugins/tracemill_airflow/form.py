"""The trigger form: what is built, where it lies and how it runs; and which recipe is run by which graph."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from airflow.sdk import Param

from tracemill.engine.connections import url_of
from tracemill.engine.resources import SHIPPED
from tracemill_airflow.graph import Stage, fits, stages_in, stages_of
from tracemill_airflow.operators.base import RETRY_THE_WORLD_ONLY, StageOperator
from tracemill_airflow.shelf import recipe_texts
from tracemill_airflow.watched import watched_task

STORE = os.environ.get("TRACEMILL_STORE", url_of(Path(__file__).resolve().parents[2] / "var" / "store"))
OWN = "Your own recipe"  # sections, closed at first; what has none is open
WHERE = "Where it lies"
HOW = "How it runs"
DEFAULTS: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": RETRY_THE_WORLD_ONLY,  # of a mapped task the scheduler does not see what a constructor sets
    "trigger_rule": "none_failed",  # a stage that the recipe lacks is skipped; the next one still runs
    **watched_task(),
}
# A key of an API that is neither ${NAME}, null nor empty: it would lie in the run's configuration for ever.
NO_KEY = r"""^(?![\s\S]*\bkey["']?\s*:\s*(?!["']?\$\{|null\b|~|["']{2}|[#\r\n]|$)\S)[\s\S]*$"""
_ID = re.compile(r"[\w.-]+")  # what a DAG's name may hold
# Tasks and groups that are no stage of a recipe.
_TAKEN = re.compile(r"plan|sandbox|servers|serve|beside|beside_programs|changed|version|prepare|refine(?:_\d+)?")
_log = logging.getLogger(__name__)


def place(recipes: Sequence[str], recipe: str | None = None) -> dict[str, Param]:
    """The fields that say which release is meant; the recipe is the first one unless named."""
    return {
        "recipe": Param(
            recipe or recipes[0],
            type="string",
            enum=list(recipes),
            title="Recipe",
            description="What to build: which problems, which steps, which models. A YAML file that you put into the "
            "folder TRACEMILL_RECIPES appears here within a minute.",
        ),
        "release": Param(
            "v1",
            type="string",
            pattern="^[A-Za-z0-9._-]+$",
            title="Release",
            description="A name. The same name again goes on with what is there and makes only what is missing.",
        ),
        "store": Param(
            STORE,
            type="string",
            pattern=r"^([a-z][a-z0-9+.-]*://|/)\S+$",
            title="Store",
            section=WHERE,
            description="Where all data lie: file:///folder, or s3://CONNECTION@bucket/prefix with a connection's key.",
        ),
        "recipe_yaml": Param(
            None,
            type=["null", "string"],
            format="multiline",
            pattern=NO_KEY,
            title="Recipe as text",
            section=OWN,
            description="A whole recipe in YAML, instead of the one chosen above. Write keys as ${NAME} of an "
            "environment variable, never themselves. Relative paths start at the folder TRACEMILL_RECIPES.",
        ),
    }


def trying() -> dict[str, Param]:
    """The fields that make a run a small or a dry one."""
    return {
        "rows": Param(
            0,
            type="integer",
            minimum=0,
            title="Try on so many rows",
            description="0 takes all. 50 tries the recipe on 50 rows chosen by hash, in a store of their own; answers "
            "that were paid for there are not paid for again.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Only say rows, shards, requests, hours and money: in the log of the task `plan`. Nothing is "
            "made or paid.",
        ),
    }


def spending() -> dict[str, Param]:
    """The field that says how much money a run may cost."""
    return {
        "cost_limit": Param(
            None,
            type=["null", "number"],
            exclusiveMinimum=0,
            title="Cost limit",
            section=HOW,
            description="The run pauses when so much is spent on this release in all, by the prices in the recipe; "
            "nothing is lost, and it goes on when the limit is raised. Empty: what the recipe says.",
        )
    }


def batching() -> dict[str, Param]:
    """The field that says how the shards are spread over tasks."""
    return {
        "shards_per_task": Param(
            0,
            type="integer",
            minimum=0,
            title="Shards a task works through",
            section=HOW,
            description="0 chooses: about eight, so that Airflow's own time for a task does not count.",
        )
    }


def graphs(
    main: str = "demo", having: type[StageOperator] | None = None
) -> dict[str, tuple[tuple[Stage, ...], list[str]]]:
    """By the end of a DAG's name: its stages, and the recipes it runs. "" has the stages of the recipe `main`.

    With `having` they are only the recipes with a stage of that operator. Without it a recipe whose stages cannot be
    read is offered by the main graph, too: its first task says what is wrong with it.
    """
    texts = recipe_texts()
    graph = stages_of(SHIPPED / f"{main}.yaml")
    files = {name: found for name, text in sorted(texts.items()) if (found := _stages(name, text)) is not None}
    if having is not None:
        files = {name: stages for name, stages in files.items() if having in [stage.operator for stage in stages]}
    main_first = sorted(texts if having is None else files, key=lambda name: (name != main, name))
    fitting = [name for name in main_first if _fits(files.get(name), graph)]
    return {"": (graph, fitting), **{f"_{name}": (files[name], [name]) for name in files.keys() - set(fitting)}}


def _fits(stages: Sequence[Stage] | None, graph: Sequence[Stage]) -> bool:
    return stages is None or fits(stages, graph)


def _stages(name: str, text: str) -> tuple[Stage, ...] | None:
    try:
        found = stages_in(text)
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        _log.warning("the stages of recipe %r cannot be read: %s: %s", name, type(error).__name__, error)
        return None
    names = [stage.name for stage in found]
    usable = all(isinstance(one, str) and _ID.fullmatch(one) and not _TAKEN.fullmatch(one) for one in names)
    return found if usable and _ID.fullmatch(name) and len(set(names)) == len(names) else None
