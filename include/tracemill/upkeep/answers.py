"""The paid answers of a store by model: what they weigh, what they cost, and how they are given up, by name only."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow.compute as pc

from tracemill.engine.keys import keys_below, remove, samples_root
from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.engine.store import Manifest, Store
from tracemill.errors import RecipeError, SourceError
from tracemill.local.demand import served_models
from tracemill.models.prices import Price
from tracemill.models.sample_parts import columns
from tracemill.models.samples import SampleStore
from tracemill.recipe import Recipe

_READERS = 8
_CURRENT = re.compile(r"\d{5}\.json")


@dataclass(frozen=True)
class Answers:
    """Answers of one model: how many, bytes on the store, tokens, and the money they cost where it is known."""

    model: str
    folders: tuple[str, ...]
    bytes: int
    answers: int
    prompt_tokens: int
    completion_tokens: int
    money: float | None
    currency: str


def identities(recipe: Recipe, store: Store, resources: Resources) -> dict[str, set[str]]:
    """What the answers of each model of the recipe are kept under: as sealed shards say, and by today's settings."""
    found: dict[str, set[str]] = defaultdict(set)
    for step in recipe.pipeline():
        for manifest in store.manifests((step, shard) for shard in sealed_shards(store, step)):
            for model, identity in asked_by(manifest).items():
                found[model].add(identity)
    for name, served in served_models(recipe).items():
        try:
            found[name].add(served.model.identity(recipe.located(resources), store))
        except (RecipeError, SourceError):
            continue  # its weights are not here; sealed shards say what they were
    return found


def asked_by(manifest: Manifest | None) -> dict[str, str]:
    """The models that a sealed shard asked, by name, with the identity that their answers are kept under."""
    facts = (manifest.made_with if manifest else {}).items()
    return {
        fact.removeprefix("model "): str(value.get("identity"))
        for fact, value in facts
        if fact.startswith("model ") and isinstance(value, dict)
    }


def sealed_shards(store: Store, step: str) -> list[int]:
    """The numbers of a step's shards that have a current manifest."""
    return sorted(int(name[:5]) for name in store.names(step) if _CURRENT.fullmatch(name))


def answers_of(model: str, recipe: Recipe, store: Store, resources: Resources) -> Answers:
    """What is kept of a model. Raises RecipeError for one that neither the recipe nor a sealed shard names."""
    known = identities(recipe, store, resources)
    if model not in known:
        raise RecipeError(f"{store.root} knows no model {model!r}: it knows {', '.join(sorted(known)) or 'none'}")
    place = samples_root(store, resources)
    folders = sorted(SampleStore(place, identity).folder for identity in known[model])
    parts = [key for folder in folders for key in keys_below(place, folder)]
    counted = ["prompt_tokens", "completion_tokens"]
    with ThreadPoolExecutor(_READERS) as readers:
        tables = list(readers.map(lambda part: columns(place, part, counted), parts))
    prompt, completion = (sum(pc.sum(table[name]).as_py() or 0 for table in tables) for name in counted)
    price = _price(model, recipe)
    return Answers(
        model=model,
        folders=tuple(folders),
        bytes=sum(place.size(key) or 0 for key in parts),
        answers=sum(table.num_rows for table in tables),
        prompt_tokens=prompt,
        completion_tokens=completion,
        money=price.of(prompt, completion) if price else None,
        currency=price.currency if price else "",
    )


def give_up(found: Answers, place: ObjectStore) -> Iterator[str]:
    """Remove a model's answers and tell each object. Killed half-way, the rest goes with the same command again."""
    for folder in found.folders:
        for key in [*keys_below(place, f"{folder}-index"), *keys_below(place, folder)]:
            remove(place, key)
            yield key


def _price(model: str, recipe: Recipe) -> Price | None:
    served = served_models(recipe).get(model)
    return served.model.token_price if served else None
