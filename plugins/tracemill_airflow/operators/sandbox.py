"""Sandbox: can the worker that is to run programs shut them in? Asked when a run begins, not when one is run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from tracemill_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class SandboxOperator(StageOperator):
    """Opens the sandboxes of a recipe on the queue `sandbox`, and lets a program try to break out of each.

    Raises SandboxUnavailable, which no retry mends, with what the worker lacks. Skipped by recipes without programs.
    """

    stage_name = "sandbox"
    runs_programs = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"map_index_template": None, **kwargs})

    def execute(self, context: Context) -> dict[str, Any]:
        """The grades of isolation."""
        from tracemill.local.sandboxes import try_sandboxes
        from tracemill.recipe import load_recipe

        recipe = load_recipe(self.recipe)
        began = time.time()
        grades = try_sandboxes(recipe)
        if not grades:
            raise AirflowSkipException(f"recipe {recipe.name!r} runs no programs")
        for grade in grades:
            self.log.info("programs are shut in here: %s", grade)
        return {"began": began, "ended": time.time(), "shards": 0, "computed": 0, "isolation": grades}
