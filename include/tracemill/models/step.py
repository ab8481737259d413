"""What steps that ask models have in common: their models by name, their identity, and a feed for each shard."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Step
from tracemill.models.model import Model, without_serving
from tracemill.models.sampling import Sampling
from tracemill.models.session import Feed


class AskingStep(Step):
    """Base of the steps that ask a model. Weights decide the fingerprint; where they lie and how they run does not."""

    def models(self) -> tuple[Model, ...]:
        """The models this step asks, found in its settings at any depth."""
        found = {model.name: model for model in _models_in(self)}
        return tuple(found.values())

    def served(self) -> tuple[Model, ...]:
        """Those of the models that are asked through a server; by default all."""
        return self.models()

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """The settings without `weights` and `serve` of any model."""
        stripped: dict[str, Any] = without_serving(super().settings(inputs))
        return stripped

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The identity of each model's weights."""
        return {f"model {model.name}": model.identity(resources, inputs.store) for model in self.models()}

    def feed(self, model: Model, resources: Resources, inputs: Inputs) -> Feed:
        """Asks for this shard. Its name in the sample store is the same for every copy and retry of the same work."""
        name = f"{inputs.store.root}|{getattr(self, 'kind', '')}|{model.name}|{inputs.index}"
        return Feed(model, inputs.store, resources, hashlib.sha256(name.encode()).hexdigest()[:16])


def _models_in(settings: BaseModel) -> list[Model]:
    if isinstance(settings, Model):
        return [settings]
    values = [value for _, value in settings]
    flat = [v for value in values for v in (value if isinstance(value, tuple) else (value,))]
    return [model for value in flat if isinstance(value, BaseModel) for model in _models_in(value)]


def answer_lengths(settings: BaseModel, model: str) -> list[int]:
    """The longest answers, in tokens, that these settings ask of a model by teachers, judges and labellers."""
    values = dict(settings)
    asked = values.get("model")
    sampling = values.get("sampling")
    found: list[int] = []
    if isinstance(asked, Model) and asked.name == model and isinstance(sampling, Sampling):
        found = [length for length in (sampling.max_tokens, values.get("continue_to")) if length]
    flat = [v for value in values.values() for v in (value if isinstance(value, tuple) else (value,))]
    return found + [n for value in flat if isinstance(value, BaseModel) for n in answer_lengths(value, model)]


def asked_models(steps: Iterable[Step]) -> dict[str, Model]:
    """The models that these steps ask through a server, by name."""
    asking = [step for step in steps if isinstance(step, AskingStep)]
    return {model.name: model for step in asking for model in step.served()}
