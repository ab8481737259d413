"""Lists everything that a recipe can name by its `kind`, and the settings objects that stand inside those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from tracemill.distill import AnyTeacher
from tracemill.drafting.types import in_snake_case
from tracemill.embedders import AnyEmbedder
from tracemill.errors import RecipeError
from tracemill.ingest.plan import Plan
from tracemill.ingest.sources import AnySource
from tracemill.ingest.step import Ingest
from tracemill.judge.judges import AnyJudge
from tracemill.judge.rewards import AnyRewardModel
from tracemill.recipe import AnyStep, Recipe
from tracemill.sandbox.languages import all_languages
from tracemill.sandbox.languages.base import Language
from tracemill.text.spelling import nearest
from tracemill.verify import AnyVerifier

_BY_KIND: dict[str, tuple[Any, ...]] = {
    "source": (AnySource,),
    "step": (AnyStep, Plan, Ingest),
    "verifier": (AnyVerifier,),
    "judge": (AnyJudge,),
    "teacher": (AnyTeacher,),
    "reward model": (AnyRewardModel,),
    "embedder": (AnyEmbedder,),
}
LANGUAGE = "language"
SETTINGS = "settings"
FAMILIES = (*_BY_KIND, LANGUAGE, SETTINGS)


@dataclass(frozen=True)
class Kind:
    """One thing that can be named: its family, the name that a recipe gives it, and the class (or language) behind."""

    family: str
    name: str
    behind: type[BaseModel] | Language


@cache
def kinds() -> tuple[Kind, ...]:
    """Every kind, by family and name."""
    tagged = [
        Kind(family, name, model)
        for family, unions in _BY_KIND.items()
        for union in unions
        for model in models_in(union)
        for name in get_args(model.model_fields["kind"].annotation)
    ]
    known = {kind.behind for kind in tagged}
    plain = [Kind(SETTINGS, in_snake_case(model.__name__), model) for model in _reachable(Recipe) if model not in known]
    languages = [Kind(LANGUAGE, name, language) for name, language in all_languages().items()]
    return tuple(sorted([*tagged, *languages, *plain], key=lambda kind: (FAMILIES.index(kind.family), kind.name)))


def kinds_named(name: str) -> list[Kind]:
    """The kinds of that name: one, or one in each of several families. Raises RecipeError with the nearest name."""
    found = [kind for kind in kinds() if kind.name == name]
    if not found:
        known = list(dict.fromkeys(kind.name for kind in kinds()))
        raise RecipeError(f"there is no kind {name!r}{nearest(name, known)}")
    return found


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The pydantic models that a type names, wherever in unions, lists and mappings they stand."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not Literal:
        for inner in get_args(annotation):
            yield from models_in(inner)


def _reachable(model: type[BaseModel], known: set[type[BaseModel]] | None = None) -> set[type[BaseModel]]:
    """All models that a recipe's file can hold, the recipe itself among them."""
    found = set() if known is None else known
    if model not in found:
        found.add(model)
        for key in model.model_fields.values():
            for inner in models_in(key.annotation):
                _reachable(inner, found)
    return found
