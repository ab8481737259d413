"""A recipe: which sources, which steps, with which settings. Read from YAML, checked whole before anything runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from tracemill.curate.askable import Askable
from tracemill.curate.conflicts import Conflicts
from tracemill.curate.filter import Filter
from tracemill.curate.label import Label
from tracemill.curate.precheck import Precheck
from tracemill.curate.references import References
from tracemill.decontaminate.step import UNSIGNED, Decontaminate
from tracemill.dedup.cluster import Cluster
from tracemill.dedup.sign import Sign
from tracemill.dedup.unique import Unique
from tracemill.distill.order import require_order
from tracemill.distill.pilot import Pilot
from tracemill.distill.repair import Repair
from tracemill.distill.step import Distill
from tracemill.engine.pipeline import INGEST, PLAN
from tracemill.engine.resources import SHIPPED, Resources
from tracemill.engine.step import Step
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.evaluate.step import Evaluate
from tracemill.grade.step import Grade
from tracemill.ingest.plan import Plan
from tracemill.ingest.sources import AnySource
from tracemill.ingest.step import Ingest
from tracemill.judge.annotate import Annotate
from tracemill.judge.judge import JudgeResponses
from tracemill.judge.perplexity import Perplexity
from tracemill.judge.reward import Reward
from tracemill.judge.score import Score
from tracemill.models.budget import counted
from tracemill.models.step import asked_models
from tracemill.recipe_places import find_recipe, recipe_files, said_in, split_rows, stored_text, without_retired
from tracemill.release.exports.step import Export
from tracemill.release.step import Release
from tracemill.select.cut import CutStep
from tracemill.select.gate import Gate
from tracemill.select.intersect import Intersect
from tracemill.select.phrases.drop import DropPhrases
from tracemill.select.phrases.step import Phrases
from tracemill.select.rules import Rules
from tracemill.select.select import Select, require_measured
from tracemill.select.stage_one import StageOne
from tracemill.select.stage_two import StageTwo
from tracemill.text.spelling import explained, nearest
from tracemill.text.unique_keys import read_yaml
from tracemill.train.prove import Prove
from tracemill.train.train import Train
from tracemill.verify import AnyVerifier
from tracemill.verify.step import Verify

# The steps that a recipe can name. To add one: its file, an import above, its name here.
AnyStep = Annotated[
    Annotate
    | Askable
    | Cluster
    | Conflicts
    | CutStep
    | Decontaminate
    | Distill
    | DropPhrases
    | Evaluate
    | Export
    | Filter
    | Gate
    | Grade
    | Intersect
    | JudgeResponses
    | Label
    | Perplexity
    | Phrases
    | Pilot
    | Precheck
    | Prove
    | References
    | Release
    | Repair
    | Reward
    | Rules
    | Score
    | Select
    | Sign
    | StageOne
    | StageTwo
    | Train
    | Unique
    | Verify,
    Field(discriminator="kind"),
]

STORED = "recipe.json"
PLACED = "recipe-folder.json"


class Recipe(BaseModel):
    """What to build. `steps` run in the order written, after `plan` and `ingest`, which `sources` make.

    `cost_limit`: how much money all models together may cost, by the prices that the recipe gives; then the run pauses.
    `trial` is no key of a recipe's file: it is how many rows a recipe is tried on (see `tried_on`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]  # names the store and the release
    description: str  # for the lists and the card
    rows_per_shard: Annotated[int, Field(ge=1)] = 2000  # rows of a shard at most
    sources: Annotated[tuple[AnySource, ...], Field(min_length=1)]
    steps: Annotated[dict[str, AnyStep], AfterValidator(require_measured), AfterValidator(require_order)]
    cost_limit: Annotated[float | None, Field(gt=0, allow_inf_nan=False, exclude_if=lambda most: most is None)] = (
        None  # null: no limit
    )
    trial: Annotated[int | None, Field(ge=1, exclude_if=lambda rows: rows is None)] = None
    _folder: str | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _one_meaning_per_verifier(self) -> Self:
        """Refuse one verifier with two settings: verdicts go by its name, so the second would be skipped."""
        settings: dict[str, tuple[str, Any]] = {}
        for name, step in self.steps.items():
            for verifier in _verifiers(step):
                first, known = settings.setdefault(verifier.name, (name, verifier.settings()))
                if known != verifier.settings():
                    raise ValueError(f"steps {first!r} and {name!r} give verifier {verifier.name!r} different settings")
        return self

    @model_validator(mode="after")
    def _asks_for_sources_that_there_are(self) -> Self:
        known = [source.name for source in self.sources]
        for name, step in self.steps.items():
            for source in step.sources if isinstance(step, Distill) else ():
                if source not in known:
                    raise ValueError(f"step {name!r}: sources: there is no {source!r}{nearest(source, known)}")
        return self

    @model_validator(mode="after")
    def _lacks_nothing(self) -> Self:
        """Refuse a step whose material no step above it makes: it would fail, or take nothing, once all is paid."""
        above: list[Step] = []
        for name, step in self.steps.items():
            if absent := step.lacks(above):
                raise ValueError(f"step {name!r} {absent}")
            above.append(step)
        return self

    def pipeline(self) -> dict[str, Step]:
        """All steps by name, in the order they run."""
        first: dict[str, Step] = {
            PLAN: Plan(kind="plan", sources=self.sources, rows_per_shard=self.rows_per_shard, trial=self.trial),
            INGEST: Ingest(kind="ingest", sources=self.sources, trial=self.trial),
        }
        return {**first, **self.steps}

    @model_validator(mode="after")
    def _cost_can_be_counted(self) -> Self:
        counted(asked_models(self.steps.values()).values(), self.cost_limit)
        return self

    def located(self, resources: Resources) -> Resources:
        """The machine, on which the recipe's relative paths start at its own folder, and its money is counted."""
        cost = counted(asked_models(self.steps.values()).values(), self.cost_limit)
        base = resources.base if self._folder is None else Path(self._folder)
        return replace(resources, base=base, cost=cost)

    def tried_on(self, rows: int | None) -> Recipe:
        """The same recipe on so many rows of all sources together, those whose hash comes first (None: on all).

        Its release says so in its title; its store is a store of its own (see tracemill.engine.trial).
        """
        if rows is None:
            return self
        marked = {
            name: step.model_copy(update={"title": f"{step.title} (a trial on {rows:,} rows)"})
            for name, step in self.steps.items()
            if isinstance(step, Release)
        }
        return self.model_copy(update={"trial": rows, "steps": {**self.steps, **marked}})

    def step(self, name: str) -> Step:
        """The step of that name. Raises RecipeError with the nearest name there is."""
        pipeline = self.pipeline()
        if name not in pipeline:
            raise RecipeError(f"recipe {self.name!r} has no step {name!r}{nearest(name, pipeline)}")
        return pipeline[name]

    def before(self, name: str) -> Iterator[tuple[str, Step]]:
        """The steps that run before that one, in order."""
        for earlier, step in self.pipeline().items():
            if earlier == name:
                return
            yield earlier, step

    def remember(self, store: Store) -> None:
        """Write the recipe into the store, so that the reports need nothing but the store; and beside it, its folder.

        Raises RecipeError when the store belongs to another recipe, or to a trial of this one: each has a root of its
        own.
        """
        known = stored_text(store, STORED)
        text = self.model_dump_json(indent=1).encode()
        if known != text:
            _require_own(self, store, known)
            store.write_bytes(STORED, text)
        place = json.dumps({"folder": None if self._folder == str(SHIPPED) else self._folder}).encode()
        if self._folder is not None and place != (stored_text(store, PLACED) or b'{"folder": null}'):
            store.write_bytes(PLACED, place)


def _verifiers(step: Step) -> tuple[AnyVerifier, ...]:
    """Those by whose names a step says what responses are worth."""
    if isinstance(step, Distill | Pilot):
        return step.teacher.policy.judged_by
    return step.verifiers if isinstance(step, Verify) else ()


def load_recipe(reference: str) -> Recipe:
    """Read a recipe by name, path, URL or whole text (see recipe_places), perhaps as a trial.

    Raises RecipeError naming file, key and remedy.
    """
    bare, rows = split_rows(reference)
    written = find_recipe(bare)
    try:
        data = read_yaml(written.text)
    except yaml.YAMLError as error:
        raise RecipeError(f"{written.where}: cannot be read as YAML: {error}") from error
    if isinstance(data, dict) and "trial" in data:
        raise RecipeError(f"{written.where}: trial is no key of a recipe: say --rows where it is run")
    recipe = parse_recipe(data, written.where, written.folder)
    _check_signed(recipe, written.where)
    return recipe.tried_on(rows)


def _check_signed(recipe: Recipe, where: str) -> None:
    for name, step in recipe.steps.items():
        needs_vectors = isinstance(step, Decontaminate) and step.embedding is not None
        if needs_vectors and not any("signatures" in earlier.writes for _, earlier in recipe.before(name)):
            raise RecipeError(f"{where}: steps.{name}: {UNSIGNED}")


def parse_recipe(data: Any, where: str, folder: str | None = None) -> Recipe:
    """Check a recipe's data. Raises RecipeError listing every wrong key with its place.

    `folder` is where its relative paths start; None leaves that to `Resources.base`.
    """
    if not isinstance(data, dict):
        raise RecipeError(f"{where}: holds no recipe: write name, description, sources and steps, one key a line")
    try:
        recipe = Recipe.model_validate(data, context={"folder": folder})
    except ValidationError as error:
        lines = [f"  {line}" for line in explained(error, Recipe)]
        raise RecipeError(f"{where}: {len(lines)} problem(s); fix these keys:\n" + "\n".join(lines)) from None
    recipe._folder = folder
    return recipe


def _require_own(recipe: Recipe, store: Store, known: bytes) -> None:
    before = said_in(known)
    if before.get("name") not in {None, recipe.name}:
        raise RecipeError(f"{store.root} holds recipe {before['name']!r}, not {recipe.name!r}: give each its own root")
    if before and before.get("trial") != recipe.trial:
        raise RecipeError(
            f"{store.root} holds {_extent(before.get('trial'))}, not {_extent(recipe.trial)}: give each its own root"
        )


def _extent(trial: int | None) -> str:
    return "the whole recipe" if trial is None else f"a trial on {trial:,} rows"


def stored_recipe(store: Store) -> Recipe:
    """The recipe of the last run here. Raises FileNotFoundError when none ran, RecipeError when it cannot be read."""
    text = store.read_bytes(STORED)
    try:
        data = json.loads(text)
    except ValueError as error:
        raise RecipeError(f"{store.root}/{STORED} is not JSON: run the recipe again on this store") from error
    folder = said_in(stored_text(store, PLACED)).get("folder") or str(SHIPPED)
    return parse_recipe(without_retired(data), f"{store.root}/{STORED}", folder)


def recipe_names() -> list[str]:
    """The recipes that come with tracemill, and those of the folder or prefix that TRACEMILL_RECIPES names."""
    return list(recipe_files())
