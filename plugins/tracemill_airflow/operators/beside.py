"""Verify tasks beside the stages that ask models: they give the verdicts by which sampling policies stop.

Like a serve task, one that nobody asks is deferred and holds no worker; a stage that waits for verdicts wakes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from tracemill_airflow.operators.base import StageOperator
from tracemill_airflow.run_state import have_ended, run_of, states
from tracemill_airflow.triggers import VerdictTrigger, raise_if_failed

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.verify.companion import Companion


BESIDE = "beside"  # task ids: of verifiers that run no programs ...
BESIDE_PROGRAMS = "beside_programs"  # ... and of those that do


class BesideOperator(StageOperator):
    """Judges what the stages with a sampling policy flush while they go on asking; ends when these are sealed.

    Only sets of verifiers that run no programs. Raises what a verifier raises; Airflow tries again, and the stages
    meanwhile wait.
    """

    ui_color = "#f4ecd8"
    stage_name = BESIDE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"map_index_template": None, "execution_timeout": None, **kwargs})
        self._companion: Companion | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Wait (deferred) until verdicts are wanted. Skipped by recipes without such a policy."""
        from tracemill.local.beside import seats
        from tracemill.recipe import load_recipe

        recipe = load_recipe(self.recipe)
        if not seats(recipe, self.machine(), self.runs_programs):
            raise AirflowSkipException(f"recipe {recipe.name!r} has no sampling policy that needs this task")
        self._wait(context)
        return {}

    def judge(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Judge until the stages are sealed."""
        from tracemill.local.beside import demand, seats
        from tracemill.recipe import load_recipe
        from tracemill.verify.companion import Companion

        raise_if_failed(event)
        if event["state"] == "over":
            return {"why": "nobody needs it"}
        recipe = load_recipe(self.recipe)
        store = self.open_store()
        machine = recipe.located(self.machine())
        seated = seats(recipe, machine, self.runs_programs)
        needed = demand(recipe, store, machine, seated)
        run = run_of(context)

        def nobody_needs_it() -> bool:
            return have_ended(states(run), needed.stages) or needed.is_over()

        self._companion = Companion([one.seat for one in seated], store, machine, nobody_needs_it)
        why = self._companion.serve()
        if why == "idle":
            self._wait(context)
        return {"why": why, "judged": self._companion.judged}

    def on_kill(self) -> None:
        """End soon; what is half judged is judged by the next."""
        if self._companion:
            self._companion.stop()

    def _wait(self, context: Context) -> None:
        trigger = VerdictTrigger(self.store_url, self.recipe, self.runs_programs, run_of(context))
        self.defer(trigger=trigger, method_name="judge")


class BesideProgramsOperator(BesideOperator):
    """The same for sets of verifiers that run programs, on the queue `sandbox`."""

    stage_name = BESIDE_PROGRAMS
    runs_programs = True
