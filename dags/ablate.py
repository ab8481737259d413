"""Does each stage help? Students are trained without one stage at a time, on as many tokens, and evaluated.

Run it on a release that is there, of a recipe that trains (the DAG `train_student`). `sets` makes of what was turned
away the set that there would be without each stage, generates nothing, and draws the rows of every student. Each
`student` is trained and evaluated by a task of its own, in the pool of the GPUs; a task that is tried again goes on
where it was. `outcome` says what each stage gains, the smallest gain that could be seen first, and writes the page
below ROOT/ablations/outcome. `tracemill ablate` does the same from a shell.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import DAG, Param

from tracemill_airflow.building import by_form
from tracemill_airflow.form import HOW, graphs, place
from tracemill_airflow.operators.ablating import TRAINING, OutcomeOperator, SetsOperator, StudentOperator
from tracemill_airflow.operators.stages import TrainOperator

STAGES = (
    *("dedup", "decontamination", "rules", "verification", "judge", "reward", "perplexity", "selection"),
    "student_fit",
)


def _form(recipes: Sequence[str]) -> dict[str, Param]:
    """The fields of the form: which release, by which evaluation, and how sure it is to be."""
    return {
        **place(recipes),
        "evaluation": Param(
            "evaluate_demo",
            type="string",
            minLength=1,
            title="Evaluation",
            description="The recipe by which students are evaluated, in the place of the model that it asks last.",
        ),
        "stages": Param(
            [],
            type=["array", "null"],
            items={"type": "string", "enum": list(STAGES)},
            examples=list(STAGES),
            title="Stages",
            description="Those that are ticked off, one at a time. None: all that the recipe has.",
        ),
        "seeds": Param(5, type="integer", minimum=5, title="Seeds", description="Students of each set."),
        "tokens": Param(
            0,
            type="integer",
            minimum=0,
            title="Tokens",
            description="What each student is trained on. 0: as much as the smallest set has.",
        ),
        "rows_evaluated": Param(
            0,
            type="integer",
            minimum=0,
            title="Items",
            section=HOW,
            description="Evaluate on so many items, chosen by hash. 0: all.",
        ),
        "interval": Param(
            0.95,
            type="number",
            exclusiveMinimum=0,
            exclusiveMaximum=1,
            title="Interval",
            section=HOW,
            description="How sure the intervals are.",
        ),
    }


def ablating(dag_id: str, recipes: Sequence[str]) -> DAG:
    """The DAG that asks the stages of any of these recipes."""
    with by_form(dag_id, __doc__, _form(recipes)) as dag:
        sets = SetsOperator(task_id="sets")
        students = StudentOperator.partial(task_id="student", **TRAINING)
        students.expand(unit=sets.output) >> OutcomeOperator(task_id="outcome")
    return dag


ablate = ablating("ablate", [name for _, fitting in graphs("student_demo", TrainOperator).values() for name in fitting])
