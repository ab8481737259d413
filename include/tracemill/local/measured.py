"""What answers of a recipe's stages were like so far on a root: the whole and its trials, from manifests alone."""

from __future__ import annotations

from dataclasses import dataclass

from tracemill.engine.pipeline import INGEST, PLAN
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Store
from tracemill.engine.trial import FOLDER
from tracemill.models.step import AskingStep
from tracemill.recipe import Recipe

Asked = tuple[str, str]  # stage and model


@dataclass(frozen=True)
class Measured:
    """What answers of a stage were like: per row of the sources, and per answer."""

    rows: int
    answers: float
    prompt_tokens: float
    completion_tokens: float


def measured(recipe: Recipe, whole: Store) -> dict[Asked, Measured]:
    """What answers took before, by stage and model: those of the whole or of a trial, whichever saw more rows."""
    trials = sorted(whole.names(FOLDER))
    found: dict[Asked, Measured] = {}
    for store in (whole, *(Store(whole.fs, f"{whole.root}/{FOLDER}/{name}") for name in trials)):
        for key, one in _spent(recipe, store).items():
            if key not in found or found[key].rows < one.rows:
                found[key] = one
    return found


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
            answers = (spent["paid"] + spent["reused"]) / rows if rows else 0.0
            told = sum(one.get("paid", 0) + (one.get("reused", 0) if _REUSED in one else 0) for one in facts)
            if told and rows:
                tokens = ((spent[key] + spent[f"reused_{key}"]) / told for key in _TOKENS)
                found[name, model.name] = Measured(rows, answers, *tokens)
    return found


_REUSED = "reused_prompt_tokens"  # an older tracemill did not count what was found
_TOKENS = ("prompt_tokens", "completion_tokens")
_COUNTED = ("paid", "reused", *_TOKENS, *(f"reused_{key}" for key in _TOKENS))
