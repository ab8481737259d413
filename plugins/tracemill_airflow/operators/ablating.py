"""Ablation: the sets that are compared, a task for each student, and what came of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracemill_airflow.failing import ends_with_run
from tracemill_airflow.operators.base import RETRY_THE_WORLD_ONLY
from tracemill_airflow.operators.training import TellingOperator, TrainingOperator
from tracemill_airflow.queues import GPU

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from tracemill.ablate.settings import Ablation

COLOUR = "#e6e0ee"
# What the scheduler must see of a mapped task, which it does not construct.
TRAINING: dict[str, Any] = {
    "pool": "gpu",
    "queue": GPU,
    "retry_policy": RETRY_THE_WORLD_ONLY,
    "map_index_template": "{{ shard_name }}",
    "execution_timeout": None,
}
_FIELDS = ("evaluation", "stages", "seeds", "tokens", "rows_evaluated", "interval")


def asked(params: Mapping[str, Any]) -> Ablation:
    """The settings of the form. Raises RecipeError for what cannot be."""
    from tracemill.ablate.settings import settings_of

    given = {name: params[name] for name in _FIELDS}
    rows = given.pop("rows_evaluated") or None
    return settings_of({**given, "tokens": given["tokens"] or None, "rows": rows, "stages": given["stages"] or []})


class SetsOperator(TellingOperator):
    """Makes the set of each arm from what is sealed, and returns the students that are to be made: arm, seed, draw."""

    stage_name = "sets"
    ui_color = COLOUR

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(map_index_template=None, **kwargs)

    def execute(self, context: Context) -> list[list[Any]]:
        """Raises MissingInput before the recipe has run to its release, RecipeError for what cannot be compared."""
        from tracemill.ablate.running import begun
        from tracemill.recipe import load_recipe

        with ends_with_run(context):
            plan = begun(load_recipe(self.recipe), self.open_store(), asked(context["params"]), self.machine())
        for arm in plan.arms:
            self.log.info("%s", arm.as_dict())
        return [[unit.arm, unit.seed, str(unit.upto)] for unit in plan.units]  # JSON has no whole numbers of 64 bits


class StudentOperator(TrainingOperator):
    """Trains one student and evaluates it; a task that is tried again goes on where it was."""

    stage_name = "student"
    ui_color = COLOUR
    template_fields: Sequence[str] = (*TrainingOperator.template_fields, "unit")

    def __init__(self, *, unit: Any = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unit = unit

    def execute(self, context: Context) -> dict[str, Any]:
        """What the student passed of what it was asked."""
        from tracemill.ablate.arms import Unit
        from tracemill.ablate.unit import run_unit
        from tracemill.recipe import load_recipe

        arm, seed, upto = self.unit
        context["shard_name"] = f"{arm}, seed {seed}"  # type: ignore[typeddict-unknown-key]
        unit = Unit(str(arm), int(seed), int(upto))
        with ends_with_run(context):
            recipe = load_recipe(self.recipe)
            rows = run_unit(recipe, self.open_store(), asked(context["params"]), unit, self.machine())
        return {"arm": unit.arm, "seed": unit.seed, "passed": rows["passed"].sum(), "decided": rows["decided"].sum()}


class OutcomeOperator(TellingOperator):
    """Adds up what all students made of the items, and writes the page beside the sets: ROOT/ablations/outcome/."""

    stage_name = "outcome"
    ui_color = COLOUR

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(map_index_template=None, **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """The gains, the smallest that could be seen first."""
        from tracemill.ablate.arms import FOLDER
        from tracemill.ablate.page import first_line, lay_out
        from tracemill.ablate.running import carried_out
        from tracemill.recipe import load_recipe

        store = self.open_store()
        found = carried_out(load_recipe(self.recipe), store, asked(context["params"]), self.machine())
        self.log.info("%s", first_line(found))
        with tempfile.TemporaryDirectory(prefix="tracemill-") as scratch:
            folder = Path(scratch) / "outcome"
            lay_out(found, folder)
            for path in sorted(folder.iterdir()):
                store.put(path, f"{FOLDER}/outcome/{path.name}")
        return found.as_dict()
