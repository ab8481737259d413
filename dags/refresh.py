"""Brings a release up to its sources and publishes what is new as a version, with what was added, removed and why.

Runs daily, or when the asset `tracemill_sources` is updated; ends within seconds when nothing changed. Only new shards
are computed. A source that shrank or changed its schema stops the run: nothing is deleted and nothing published.
`refresh` runs the recipes that fit the recipe `demo`'s stages; another recipe has a DAG of its own, `refresh_RECIPE`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable, Param

from tracemill_airflow.form import DEFAULTS, HOW, batching, graphs, place
from tracemill_airflow.graph import Stage, wire
from tracemill_airflow.operators.refresh import SOURCES, ChangedOperator, VersionOperator
from tracemill_airflow.operators.stages import ReleaseOperator
from tracemill_airflow.places import MACROS
from tracemill_airflow.watched import watched

RECIPE = os.environ.get("TRACEMILL_REFRESH_RECIPE")  # what a scheduled run of `refresh` refreshes
CRON = os.environ.get("TRACEMILL_REFRESH_CRON", "0 3 * * *")


def refreshing(dag_id: str, stages: Sequence[Stage], recipes: Sequence[str]) -> DAG:
    """The DAG that refreshes a release with these stages, of any of these recipes."""
    form = {
        **place(recipes, RECIPE if RECIPE in recipes else None),
        **batching(),
        "accept_removed": Param(
            [],
            type=["array", "null"],
            items={"type": "string", "pattern": "^.+=[0-9]+$"},
            title="Accept removed rows",
            section=HOW,
            description="FILE=ROWS, one a line, as the failed run said it: rows that a source no longer has and that "
            "may go from the release.",
        ),
        "anyway": Param(
            False,
            type="boolean",
            title="Also when nothing changed",
            description="Without it the run ends at once when no source and no setting changed; other weights of a "
            "model or another benchmark file are not looked at then.",
        ),
    }
    with DAG(
        dag_id=dag_id,
        schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable(CRON, timezone="UTC"), assets=[SOURCES]),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=True,
        tags=["tracemill"],
        doc_md=__doc__,
        params=form,
        user_defined_macros=MACROS,
        default_args=DEFAULTS,
        **watched(),
    ) as dag:
        last = wire(stages)
        changed = ChangedOperator(task_id="changed")
        for first in dag.roots:
            if first is not changed:
                changed >> first
        last >> VersionOperator(task_id="version")  # of the release, and of the exports behind it
    return dag


for suffix, (stages, recipes) in graphs().items():
    if [stage.operator for stage in stages].count(ReleaseOperator) != 1:
        continue  # nothing to refresh: a version is of one release
    globals()[f"refresh{suffix}"] = refreshing(f"refresh{suffix}", stages, recipes)
