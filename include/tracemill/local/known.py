"""Seals what needs no server any more: every answer lies in the sample store, from a killed run or from another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

from tracemill.engine.keys import samples_root
from tracemill.engine.pipeline import Pipeline
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import AnswersUnknown, VerdictsGone
from tracemill.models.samples import SampleStore
from tracemill.models.step import AskingStep

Made = TypeVar("Made")


@dataclass(frozen=True)
class Known(Generic[Made]):
    """What was `made` of a stage's first shards without any server, and what the next one `lacks`: "" where all are."""

    made: list[Made]
    lacks: Literal["", "answers", "verdicts"]


def from_store(
    pipeline: Pipeline,
    store: Store,
    stage: str,
    shards: Sequence[int],
    resources: Resources,
    make: Callable[[int, Resources], Made],
) -> Known[Made]:
    """What `make` makes of the stage's shards in their order, up to the first that lacks an answer or a verdict.

    `make` is given the shard and a machine that asks nobody. A stage whose models never answered here is not tried.
    Raises what `make` raises but for answers, and verdicts of a sampling policy, that nobody knows yet.
    """
    made: list[Made] = []
    if not _ever_answered(pipeline, store, stage, resources):
        return Known(made, "answers" if shards else "")
    alone = replace(resources, asks=False, away=0.0)
    try:
        for shard in shards:
            made.append(make(shard, alone))
    except AnswersUnknown:
        return Known(made, "answers")
    except VerdictsGone:
        return Known(made, "verdicts")
    return Known(made, "")


def _ever_answered(pipeline: Pipeline, store: Store, stage: str, resources: Resources) -> bool:
    step = pipeline.step(stage)
    machine = pipeline.located(resources)
    root = samples_root(store, machine)
    models = step.served() if isinstance(step, AskingStep) else ()
    return all(not SampleStore(root, model.identity(machine, store)).is_empty() for model in models)
