"""Release: everything that survived, in the layout that trainers load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracemill_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class ReleaseOperator(StageOperator):
    """Writes the dataset, its card, figures and funnel, and announces it as an asset event with the row count."""

    stage_name = "release"

    def execute(self, context: Context) -> dict[str, Any]:
        """Seal the release and attach its place and size to the outlet's event."""
        summary: dict[str, Any] = super().execute(context)
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = {"store": self.store_url, "rows": summary["kept"]}
        return summary
