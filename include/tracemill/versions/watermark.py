"""Decides whether a refresh has anything to do: what was there when the last version was sealed, and what is there now.

The watermark is `versions/watermark.json`; it is written last, so a refresh that died is done again. Airflow keeps a
copy in its asset state store, for people to see.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from tracemill.engine.resources import Resources
from tracemill.engine.store import Store, canonical_digest
from tracemill.models.model import without
from tracemill.recipe import Recipe
from tracemill.versions.versions import FOLDER, latest

KEY = f"{FOLDER}/watermark.json"
# Where a model behind an API answers, at what price and how fast: none of it decides a row.
_API = {"url", "key", "profile", "price", "limit", "batch", "requests_per_minute", "tokens_per_minute"}


class Watermark(BaseModel):
    """What a version was made from: the digest of the recipe and of what each source held, by source name."""

    model_config = ConfigDict(frozen=True)
    recipe: str
    sources: dict[str, str]


def watermark_now(recipe: Recipe, resources: Resources) -> Watermark:
    """What the recipe and its sources hold now. Raises SourceError for a source that is missing."""
    machine = recipe.located(resources)
    states = {source.name: source.state(machine) for source in recipe.sources}
    decides = without(recipe.model_dump(mode="json"), of=_API, keys=_API)
    return Watermark(recipe=canonical_digest(decides), sources=states)


def remembered(store: Store) -> Watermark | None:
    """The watermark on the store; None before the first version and when it cannot be read (then all is done anew)."""
    try:
        return Watermark.model_validate_json(store.read_bytes(KEY))
    except (FileNotFoundError, ValidationError):
        return None


def remember(store: Store, mark: Watermark) -> None:
    """Note what the last version was made from. Call this last."""
    store.write_bytes(KEY, mark.model_dump_json(indent=1).encode())


def differences(before: Watermark | None, now: Watermark) -> list[str]:
    """What changed since, in words: [] when nothing did."""
    if before is None:
        return ["nothing was published yet"]
    known: Mapping[str, str] = before.sources
    changed = [f"source {name} changed" for name, state in now.sources.items() if known.get(name, state) != state]
    added = [f"source {name} is new" for name in now.sources if name not in known]
    gone = [f"source {name} left the recipe" for name in known if name not in now.sources]
    settings = ["the recipe changed"] if before.recipe != now.recipe else []
    return changed + added + gone + settings


def due(
    recipe: Recipe, store: Store, resources: Resources, known: Watermark | None = None
) -> tuple[Watermark, list[str]]:
    """What is there now, and why a refresh is due ([]: it is not). `known`: a watermark kept elsewhere, checked too."""
    now = watermark_now(recipe, resources)
    before = remembered(store) if latest(store) else None
    reasons = differences(before, now)
    return now, reasons or (differences(known, now) if known else [])
