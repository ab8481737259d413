"""A pilot, whose task tells what it forecasts: in its log, and in its XCom for whoever looks at the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracemill_airflow.operators.asking import AskingOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.engine.store import Store
    from tracemill.recipe import Recipe


class ForecastingOperator(AskingOperator):
    """Pushes the XCom "forecast" when its stage is sealed, where that stage forecasts anything."""

    def fed(self, context: Context, recipe: Recipe, store: Store, summary: dict[str, Any]) -> Any:
        """As for every stage; before it, the forecast is told."""
        from tracemill.report.forecast import pushed

        if told := pushed(recipe, store, self.stage):
            context["ti"].xcom_push(key="forecast", value=told)
            self.log.info("forecast: %s", told)
        return super().fed(context, recipe, store, summary)
