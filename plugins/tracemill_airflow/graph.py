"""Turns the stages of a recipe into tasks: gather stages are tasks, the map stages between them a mapped task group.

Only the YAML is read here, because every parse of a DAG file and every task pays for what this imports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise, takewhile
from pathlib import Path
from typing import Any, NamedTuple

from airflow.sdk import Asset, task_group

from tracemill.text.unique_keys import read_yaml
from tracemill_airflow import queues
from tracemill_airflow.operators.ahead import AheadOperator
from tracemill_airflow.operators.asking import AskingOperator
from tracemill_airflow.operators.base import StageOperator
from tracemill_airflow.operators.beside import BESIDE, BESIDE_PROGRAMS, BesideOperator, BesideProgramsOperator
from tracemill_airflow.operators.plan import PlanOperator
from tracemill_airflow.operators.sandbox import SandboxOperator
from tracemill_airflow.operators.serve import SERVING, ServeOperator, ServersOperator
from tracemill_airflow.operators.stages import NEED_SANDBOX, IngestOperator, operator_of

RELEASES = Asset(name="tracemill_releases", uri="x-tracemill://releases")
BESIDE_TASKS = {BESIDE: BesideOperator, BESIDE_PROGRAMS: BesideProgramsOperator}
GROUP_NAMES = ("prepare", "refine")
AHEAD = "-ahead"  # ends the name of a task that asks ahead; no stage has a hyphen in its name


class Stage(NamedTuple):
    """One stage of a graph: its name in the recipe, the operator that runs it, whether it needs a model server, and
    the verify task beside it: "" for none, BESIDE, or BESIDE_PROGRAMS where its policy's verifiers need a sandbox.
    """

    name: str
    operator: type[StageOperator]
    asks: bool = False
    judged: str = ""


def stages_of(path: Path) -> tuple[Stage, ...]:
    """The stages of a recipe file after `plan`, in order. Raises KeyError for a kind of step that has no operator."""
    return stages_in(path.read_text(encoding="utf-8"))


def stages_in(text: str) -> tuple[Stage, ...]:
    """The same, of a recipe's text."""
    steps: Mapping[str, Mapping[str, Any]] = read_yaml(text)["steps"]
    return (Stage("ingest", IngestOperator), *(_stage(name, step) for name, step in steps.items()))


def _stage(name: str, step: Mapping[str, Any]) -> Stage:
    operator = operator_of(step)
    asks = issubclass(operator, AskingOperator) and operator.asks(step)
    return Stage(name, operator, asks, _judged(step) if asks else "")


def _judged(step: Mapping[str, Any]) -> str:
    """Which verify task the verdicts of a teacher's policy come from."""
    policy = (step.get("teacher") or {}).get("policy") or {}
    kinds = {verifier["kind"] for verifier in policy.get("verifiers", ())}
    return (BESIDE_PROGRAMS if kinds & NEED_SANDBOX else BESIDE) if kinds else ""


def fits(recipe: Sequence[Stage], graph: Sequence[Stage]) -> bool:
    """Whether the graph runs all stages of the recipe, in the recipe's order; those it lacks are skipped.

    A recipe that asks models needs a graph that serves them, whichever of its stages they are for; so with verdicts.
    """
    if (_asks(recipe) and not _asks(graph)) or _judged_by(recipe) - _judged_by(graph):
        return False
    rest = iter([(stage.name, stage.operator) for stage in graph])
    return all((stage.name, stage.operator) in rest for stage in recipe)


def _asks(stages: Sequence[Stage]) -> bool:
    return any(stage.asks for stage in stages)


def _judged_by(stages: Sequence[Stage]) -> set[str]:
    return {stage.judged for stage in stages} - {""}


def wire(stages: Sequence[Stage]) -> Any:
    """Make the tasks of these stages in the current DAG, `plan` first, and the model servers that they ask for.

    Returns the last task, or the mapped group of the last tasks.
    """
    parts = [list(run) for _, run in groupby(stages, key=lambda stage: stage.operator.gathers)]
    names = ("plan", *(stage.name for stage in stages))
    judges = sorted(_judged_by(stages))
    plan = PlanOperator(task_id="plan", stages=names, judges=judges, **_feeding(parts[0]))
    if _asks(stages):
        servers = ServersOperator(task_id="servers")
        serve = ServeOperator.partial(task_id="serve", **SERVING).expand(server=servers.output)
        plan >> servers >> serve
    for task in judges:
        plan >> BESIDE_TASKS[task](task_id=task)
    links: list[Any] = [plan]
    groups = iter([*GROUP_NAMES, *(f"refine_{n}" for n in range(2, len(stages) + 2))])
    for part, following in zip(parts, [*parts[1:], []], strict=True):
        if part[0].operator.gathers:
            feeding = [*[{}] * (len(part) - 1), _feeding(following)]
            tasks = [_gather(stage, **feeds) for stage, feeds in zip(part, feeding, strict=True)]
            _ask_ahead(part, [links[-1], *tasks])
            links += tasks
        else:
            links.append(_mapped(next(groups), part, links[-1].output))
    for earlier, later in pairwise(links):
        earlier >> later
    if queues.apart() and (BESIDE_PROGRAMS in _judged_by(stages) or any(s.operator.runs_programs for s in stages)):
        plan >> SandboxOperator(task_id="sandbox") >> links[2:3]  # beside the first group, which it does not hold up
    return links[-1]


def _feeding(part: Sequence[Stage]) -> dict[str, Any]:
    """What a task needs that says which batches the mapped stages after it work on."""
    feeds = [stage.name for stage in part if not stage.operator.gathers]
    return {"feeds": feeds, "shards_per_task": "{{ params.shards_per_task }}"} if feeds else {}


def _gather(stage: Stage, **feeding: Any) -> StageOperator:
    outlets = [RELEASES] if stage.operator.announces else []
    return stage.operator(task_id=stage.name, stage=stage.name, outlets=outlets, **feeding)


def _mapped(name: str, stages: Sequence[Stage], batches: Any) -> Any:
    """One mapped task group: within it a batch of shards goes from stage to stage and waits for no other batch."""

    @task_group(group_id=name)
    def group(shards: list[int]) -> None:
        tasks = [stage.operator(task_id=stage.name, stage=stage.name, shards=shards) for stage in stages]
        for earlier, later in pairwise(tasks):
            earlier >> later
        _ask_ahead(stages, [None, *tasks], shards=shards)

    return group.expand(shards=batches)


def _ask_ahead(stages: Sequence[Stage], tasks: Sequence[Any], **given: Any) -> None:
    """Make a task that asks ahead for each stage but the first of those whose models need not hear of one another.

    `tasks` are what stands before the first stage, which may be nothing, and the tasks of all of them.
    """
    for number, stage in enumerate(stages):
        beside = _beside(stages[: number + 1])
        if beside:
            ahead = AheadOperator(task_id=f"{stage.name}{AHEAD}", stage=stage.name, beside=beside, **given)
            before = tasks[number - len(beside)]
            if before is not None:
                before >> ahead
            ahead >> tasks[number + 1]


def _beside(stages: Sequence[Stage]) -> list[str]:
    """The stages right before the last one that ask as it does: how their models answer changes nothing for it."""
    *earlier, last = stages
    alike = takewhile(lambda one: one.operator is last.operator and one.asks, reversed(earlier))
    return [stage.name for stage in alike][::-1] if last.asks and last.operator.asks_beside else []
