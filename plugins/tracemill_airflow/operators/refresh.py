"""Refresh: is anything new at all, and which version is what came of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowRuntimeError, DownstreamTasksSkipped

from tracemill_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.versions.versions import Cause
    from tracemill.versions.watermark import Watermark

SOURCES = Asset(name="tracemill_sources", uri="x-tracemill://sources")
NOTED = "watermark"
_log = logging.getLogger(__name__)


class ChangedOperator(StageOperator):
    """Compares the sources and the recipe with the watermark; skips the whole run when they are as they were.

    The watermark on the store decides; the copy in Airflow's asset state, under the store's URL, must agree where there
    is one. The parameter `anyway` runs it in any case.
    """

    stage_name = "changed"
    makes_store = True
    ui_color = "#e4e0f0"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(inlets=[SOURCES], map_index_template=None, **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Why a refresh is due, and the watermark to note at its end. Raises SourceError for a missing source."""
        from tracemill.recipe import load_recipe
        from tracemill.versions.watermark import due

        known = noted(context, self.store_url)
        now, reasons = due(load_recipe(self.recipe), self.open_store(), self.machine(), known)
        if reasons or context["params"].get("anyway"):
            self.log.info("A refresh is due: %s", "; ".join(reasons) or "it was asked for")
            return {"reasons": reasons, NOTED: now.model_dump()}
        self.log.info("Nothing is new: the sources and the recipe are what the last version was made from")
        context["ti"].xcom_push(key="return_value", value={"reasons": []})
        raise DownstreamTasksSkipped(  # type: ignore[no-untyped-call]
            tasks=[task.task_id for task in self.get_flat_relatives(upstream=False)]
        )


class VersionOperator(StageOperator):
    """Publishes the sealed release as a version with its diff; the watermark comes last, so a dead run is redone."""

    stage_name = "version"
    ui_color = "#e4e0f0"

    def __init__(self, *, cause: Cause = "refresh", **kwargs: Any) -> None:
        super().__init__(inlets=[SOURCES], map_index_template=None, **kwargs)
        self.cause = cause

    def execute(self, context: Context) -> dict[str, Any]:
        """The version's number and counts. Raises MissingInput and CorruptShard rather than publish half a release."""
        from tracemill.recipe import load_recipe
        from tracemill.versions.refresh import publish_version
        from tracemill.versions.watermark import Watermark, remember

        store = self.open_store()
        found = publish_version(load_recipe(self.recipe), store, self.machine(), self.cause)
        due = context["ti"].xcom_pull(task_ids=ChangedOperator.stage_name)
        if due:
            mark = Watermark.model_validate(due[NOTED])
            remember(store, mark)
            note(context, self.store_url, mark)
        version = found.version
        summary = {"version": version.number, "fresh": found.fresh, "rows": version.rows, **version.totals.model_dump()}
        self.log.info("%s: %s", "Published" if found.fresh else "No new version", summary)
        return summary


def noted(context: Context, store_url: str) -> Watermark | None:
    """The watermark in Airflow's asset state; None where it has none, or keeps no asset state (as in `dag.test`)."""
    from tracemill.versions.watermark import Watermark

    try:
        found = context["asset_state_store"][SOURCES].get(store_url)
    except (AirflowRuntimeError, KeyError):
        return None
    return Watermark.model_validate(found) if found else None


def note(context: Context, store_url: str, mark: Watermark) -> None:
    """Keep a copy of the watermark in Airflow's asset state, where people look for it; the store's own decides."""
    try:
        context["asset_state_store"][SOURCES].set(store_url, mark.model_dump())
    except (AirflowRuntimeError, KeyError) as error:
        _log.warning("Airflow keeps no asset state here (%s); the store has the watermark", error)
