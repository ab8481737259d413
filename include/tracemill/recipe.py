"""A recipe: which sources, which steps, with which settings. Read from YAML, checked whole before anything runs."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tracemill.errors import RecipeError
from tracemill.shards import Store
from tracemill.sources import AnySource
from tracemill.steps import AnyStep
from tracemill.steps.base import Step
from tracemill.steps.decontaminate import UNSIGNED, Decontaminate
from tracemill.steps.ingest import Ingest
from tracemill.steps.plan import Plan
from tracemill.steps.verify import Verify

PLAN, INGEST = "plan", "ingest"
STORED = "recipe.json"
FOLDER = Path(__file__).resolve().parents[1] / "recipes"


class Recipe(BaseModel):
    """What to build. `steps` run in the order written, after `plan` and `ingest`, which `sources` make."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    description: str
    rows_per_shard: Annotated[int, Field(ge=1)] = 2000
    sources: Annotated[tuple[AnySource, ...], Field(min_length=1)]
    steps: dict[str, AnyStep]

    @model_validator(mode="after")
    def _one_meaning_per_verifier(self) -> Self:
        """Refuse one verifier with two settings: verdicts go by its name, so the second would be skipped."""
        settings: dict[str, tuple[str, Any]] = {}
        for name, step in self.steps.items():
            for verifier in step.verifiers if isinstance(step, Verify) else ():
                first, known = settings.setdefault(verifier.name, (name, verifier.settings()))
                if known != verifier.settings():
                    raise ValueError(f"steps {first!r} and {name!r} give verifier {verifier.name!r} different settings")
        return self

    def pipeline(self) -> dict[str, Step]:
        """All steps by name, in the order they run."""
        first: dict[str, Step] = {
            PLAN: Plan(kind="plan", sources=self.sources, rows_per_shard=self.rows_per_shard),
            INGEST: Ingest(kind="ingest", sources=self.sources),
        }
        return {**first, **self.steps}

    def step(self, name: str) -> Step:
        """The step of that name. Raises RecipeError with the nearest name there is."""
        pipeline = self.pipeline()
        if name not in pipeline:
            raise RecipeError(f"recipe {self.name!r} has no step {name!r}{_nearest(name, list(pipeline))}")
        return pipeline[name]

    def before(self, name: str) -> Iterator[tuple[str, Step]]:
        """The steps that run before that one, in order."""
        for earlier, step in self.pipeline().items():
            if earlier == name:
                return
            yield earlier, step


def load_recipe(name_or_path: str) -> Recipe:
    """Read a recipe by name (from the recipes folder) or by path. Raises RecipeError naming file, key and remedy."""
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        path = FOLDER / f"{name_or_path}.yaml"
        if not path.is_file():
            raise RecipeError(f"there is no recipe {name_or_path!r}{_nearest(name_or_path, recipe_names())}")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"{path}: cannot be read as YAML: {error}") from error
    recipe = parse_recipe(data, str(path))
    _check_signed(recipe, str(path))
    return recipe


def _check_signed(recipe: Recipe, where: str) -> None:
    for name, step in recipe.steps.items():
        needs_vectors = isinstance(step, Decontaminate) and step.embedding is not None
        if needs_vectors and not any("signatures" in earlier.writes for _, earlier in recipe.before(name)):
            raise RecipeError(f"{where}: steps.{name}: {UNSIGNED}")


def parse_recipe(data: Any, where: str) -> Recipe:
    """Check a recipe's data. Raises RecipeError listing every wrong key with its place."""
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        lines = [f"  {'.'.join(str(p) for p in e['loc']) or '(top)'}: {e['msg']}" for e in error.errors()]
        raise RecipeError(f"{where}: {len(lines)} problem(s); fix these keys:\n" + "\n".join(lines)) from None


def remember_recipe(recipe: Recipe, store: Store) -> None:
    """Write the recipe into the store, so that the reports need nothing but the store.

    Raises RecipeError when the store belongs to another recipe: two recipes may not share one root.
    """
    text = recipe.model_dump_json(indent=1).encode()
    try:
        known = store.read_bytes(STORED)
    except FileNotFoundError:
        known = b""
    if known == text:
        return
    name = _name_in(known)
    if name not in {None, recipe.name}:
        raise RecipeError(f"{store.root} holds recipe {name!r}, not {recipe.name!r}: give each its own root")
    store.write_bytes(STORED, text)


def _name_in(text: bytes) -> str | None:
    """The name in a stored recipe, also in one that an older tracemill wrote with other keys."""
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return data.get("name") if isinstance(data, dict) else None


def stored_recipe(store: Store) -> Recipe:
    """The recipe of the last run here. Raises FileNotFoundError when none ran, RecipeError when it cannot be read."""
    text = store.read_bytes(STORED)
    try:
        data = json.loads(text)
    except ValueError as error:
        raise RecipeError(f"{store.root}/{STORED} is not JSON: run the recipe again on this store") from error
    return parse_recipe(_without_retired(data), f"{store.root}/{STORED}")


# Settings that are gone, with the default that an older tracemill wrote out where the recipe said nothing.
_RETIRED: dict[str, dict[str, Any]] = {"serve": {"timeout": 3600.0}}


def _without_retired(data: Any, name: str = "") -> Any:
    """A stored recipe without settings that nobody wrote and nobody knows any more; what somebody wrote stays."""
    if isinstance(data, list):
        return [_without_retired(item) for item in data]
    if not isinstance(data, dict):
        return data
    gone = {key for key, default in _RETIRED.get(name, {}).items() if data.get(key) == default}
    return {key: _without_retired(item, key) for key, item in data.items() if key not in gone}


def recipe_names() -> list[str]:
    """The recipes that come with tracemill."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def _nearest(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {close[0]!r}? It has: {', '.join(names)}" if close else f"; there are: {', '.join(names)}"
