"""Asks a model before its stage has its turn: stages whose models need not hear of one another ask side by side.

What is answered goes to the sample store, where the stage finds it; nothing else is kept. So the stage's shards are the
same, byte for byte, whether anybody asked ahead or not, and a kill at any moment loses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from tracemill.engine.objects import scratch_folder
from tracemill.engine.pipeline import Pipeline
from tracemill.engine.resources import Resources
from tracemill.engine.runner import inputs_for
from tracemill.engine.step import Step
from tracemill.engine.store import Store
from tracemill.models.model import Model
from tracemill.models.step import AskingStep


@dataclass(frozen=True)
class Without:
    """A pipeline as if it had not the stages `left_out`: nobody waits for them, and nothing of them is read."""

    whole: Pipeline
    left_out: Collection[str]

    @property
    def name(self) -> str:
        """What the whole is called."""
        return self.whole.name

    def pipeline(self) -> Mapping[str, Step]:
        """The steps that are left, by name, in order."""
        return {name: step for name, step in self.whole.pipeline().items() if name not in self.left_out}

    def step(self, name: str) -> Step:
        """The step of that name. Raises RecipeError for one that there is not."""
        return self.whole.step(name)

    def before(self, name: str) -> Iterator[tuple[str, Step]]:
        """The steps that are left before that one, in order."""
        return ((earlier, step) for earlier, step in self.whole.before(name) if earlier not in self.left_out)

    def located(self, resources: Resources) -> Resources:
        """The machine, as the whole says."""
        return self.whole.located(resources)

    def remember(self, store: Store) -> None:
        """Write the whole into the store."""
        self.whole.remember(store)


def stands_behind(pipeline: Pipeline, stage: str, others: Collection[str]) -> bool:
    """Whether nothing stands between the stage and the first of `others` but these, and all ask as it does.

    Else how these were answered decides what it asks, as in a recipe that became a cascade while it ran.
    """
    before = list(pipeline.before(stage))
    first = next((place for place, (name, _) in enumerate(before) if name in others), len(before))
    own = type(pipeline.step(stage))
    return all(name in others and type(step) is own for name, step in before[first:])


def asking_alike(pipeline: Pipeline, stage: str, others: Collection[str], resources: Resources) -> list[str]:
    """Those of the stages `others` that ask a model of this stage, whatever it is called there.

    They may ask it the same: at once both would pay, and one after the other the second finds the first one's answers.
    """
    machine = pipeline.located(resources)
    asked = {name: _asked(step, machine) for name, step in pipeline.pipeline().items() if name in others}
    own = _asked(pipeline.step(stage), machine)
    return [name for name, models in asked.items() if own & models]


def _asked(step: Step, machine: Resources) -> set[str]:
    return {_known_by(model, machine) for model in (step.served() if isinstance(step, AskingStep) else ())}


def _known_by(model: Model, machine: Resources) -> str:
    """What a recipe says of which model it is: of a folder where it lies, so that no weights are read for this."""
    if model.api:
        return model.api.identity()
    place = machine.path(model.weights or "").resolve() if model.is_folder else model.weights
    return f"{place} {model.revision} {model.engine.model_dump_json()}"


def ask_ahead(pipeline: Without, store: Store, stage: str, shard: int, resources: Resources) -> None:
    """Have the stage's model answer what it will ask of this shard. Raises what the stage itself would raise.

    Problems that a stage left out would turn away are asked all the same: their answers are then nobody's.
    """
    step = pipeline.step(stage)
    inputs = inputs_for(pipeline, store, stage, shard)
    with scratch_folder(f"step {stage!r}") as scratch:
        step.run(replace(pipeline.located(resources), scratch=scratch, made_with={}), inputs)
