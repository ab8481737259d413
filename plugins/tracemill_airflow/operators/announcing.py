"""What a stage does that makes a release: whoever waits for one hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracemill_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.engine.store import Store
    from tracemill.recipe import Recipe


class AnnouncingOperator(StageOperator):
    """Announces what it sealed as an asset event."""

    announces = True

    def fed(self, context: Context, recipe: Recipe, store: Store, summary: dict[str, Any]) -> Any:
        """Attach the release's place and size to the outlet's event; selections and exports may follow it."""
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = {"store": self.store_url, "rows": summary["kept"]}
        return super().fed(context, recipe, store, summary)
