"""What answers of a recipe's stages were like so far on a root: the whole and its trials, from manifests alone."""

from __future__ import annotations

from dataclasses import dataclass

from tracemill.errors import StoreError
from tracemill.recipe import INGEST, PLAN, Recipe
from tracemill.runner import shard_count
from tracemill.shards import Store
from tracemill.steps.asking import AskingStep
from tracemill.trial import FOLDER

Asked = tuple[str, str]  # stage and model


@dataclass(frozen=True)
class Measured:
    """What answers of a stage were like: per row of the sources, and per answer."""

    rows: int
    answers: float
    prompt_tokens: float
    completion_tokens: float


def opened(root: str) -> Store | None:
    """The store there, None where there is none yet."""
    try:
        return Store.at(root)
    except StoreError:
        return None


def measured(recipe: Recipe, root: str) -> dict[Asked, Measured]:
    """What was paid before on this root, by stage and model: by the whole, else by its largest trial."""
    found: dict[Asked, Measured] = {}
    places = [root, *(f"{root.rstrip('/')}/{FOLDER}/{name}" for name in _trials(root))]
    for store in filter(None, map(opened, places)):
        for key, measured in _spent(recipe, store).items():
            if key not in found or found[key].rows < measured.rows:
                found[key] = measured
    return found


def _trials(root: str) -> list[str]:
    whole = opened(root)
    return whole.names(FOLDER) if whole else []


def _spent(recipe: Recipe, store: Store) -> dict[Asked, Measured]:
    if store.manifest(PLAN, 0) is None:
        return {}
    shards = range(shard_count(store))
    entered = {n: m.counts.entered for n in shards if (m := store.manifest(INGEST, n))}
    found: dict[Asked, Measured] = {}
    for name, step in recipe.pipeline().items():
        sealed = [(n, m) for n in entered if isinstance(step, AskingStep) and (m := store.manifest(name, n))]
        rows = sum(entered[n] for n, _ in sealed)
        for model in step.served() if isinstance(step, AskingStep) else ():
            facts = [m.made_with.get(f"model {model.name}", {}) for _, m in sealed]
            spent = {key: sum(one.get(key, 0) for one in facts) for key in _COUNTED}
            if spent["paid"] and rows:
                answers = (spent["paid"] + spent["reused"]) / rows
                tokens = (spent[key] / spent["paid"] for key in ("prompt_tokens", "completion_tokens"))
                found[name, model.name] = Measured(rows, answers, *tokens)
    return found


_COUNTED = ("paid", "reused", "prompt_tokens", "completion_tokens")
