"""Makes the sets that are compared: the whole recipe's, those without a stage, and a random one; equal in tokens.

ROOT/ablations/ARM/           an overlay on the store ROOT: the shards of steps that decide otherwise without a stage
ROOT/ablations/ARM/SEED/      an overlay on that: the release of one draw, its proof and its student
ROOT/ablations/students/ID/   an ordinary store: the evaluation of one student
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tracemill.ablate.overlay import Overlay
from tracemill.ablate.replaying import CANNOT_TELL, UNJUDGED, CountTokens
from tracemill.ablate.settings import Ablation
from tracemill.ablate.stages import Variant, present, training, variant
from tracemill.engine.draws import draws
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shards_of
from tracemill.engine.step import Step
from tracemill.engine.store import Manifest, Store
from tracemill.engine.tables.ablation import ABLATION_TOKENS
from tracemill.errors import MissingInput, RecipeError
from tracemill.recipe import Recipe
from tracemill.release.proof.wanted import Proof

FOLDER = "ablations"
FULL = "full"  # the control: what the whole recipe releases
RANDOM = "random"  # the other control: nothing was turned away
WITHOUT = "without_"
COUNTED = "count_tokens"


class Unit(NamedTuple):
    """One student: of an arm, by a seed; `upto` is the last draw of its set."""

    arm: str
    seed: int
    upto: int


@dataclass(frozen=True)
class Arm:
    """One set. `rows` and `tokens` of it, of which `back` are not in the recipe's own release and `gone` of that are
    not here; by step, how many rows were left out since nobody could tell (`left_out`), or stay unjudged.
    """

    name: str
    rows: int
    tokens: int
    back: int
    gone: int
    left_out: dict[str, int]
    unjudged: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """The arms, and the students that are to be made of each: all on `tokens`, up to a row."""

    arms: tuple[Arm, ...]
    units: tuple[Unit, ...]
    tokens: int


def arm_variant(recipe: Recipe, ablation: Ablation, arm: str) -> Variant:
    """The steps that make an arm's set, the count of its tokens last."""
    every = ablation.ticked(recipe)
    off = () if arm == FULL else present(recipe) if arm == RANDOM else [s for s in every if arm == f"{WITHOUT}{s}"]
    found = variant(recipe, off)
    proof = training(recipe).prove[1]
    counting = CountTokens(proof=Proof(template=proof.template, tokenizer=proof.tokenizer))
    counted: dict[str, Step] = {COUNTED: counting}
    return Variant(recipe, {**found.steps, **counted}, (*found.again, COUNTED))


def arm_names(recipe: Recipe, ablation: Ablation) -> list[str]:
    """The controls, then one arm a stage."""
    return [FULL, RANDOM, *(f"{WITHOUT}{stage}" for stage in ablation.ticked(recipe))]


def overlay(store: Store, arm: str) -> Overlay:
    """Where an arm's own shards lie."""
    return Overlay.below(store, f"{FOLDER}/{arm}")


def planned(recipe: Recipe, store: Store, ablation: Ablation, resources: Resources) -> Plan:
    """Make every arm's set and draw the rows of each student from it. What is sealed is not made again.

    Raises MissingInput before the recipe has run to its release, RecipeError for an arm without a row, and for more
    tokens than an arm has.
    """
    name = training(recipe).release[0]
    if store.manifest(name, 0) is None:
        raise MissingInput(f"step {name!r} has not run on {store.root}: run the recipe to its release first")
    Store(store.fs, f"{store.root}/{FOLDER}").opened(create=True)
    names = arm_names(recipe, ablation)
    for number, arm in enumerate(names, 1):
        resources.tell(f"{arm}: its set is made ({number} of {len(names)})")
        _made(arm_variant(recipe, ablation, arm), overlay(store, arm), resources)
    sets = {arm: _set(arm_variant(recipe, ablation, arm), overlay(store, arm)) for arm in names}
    arms = tuple(_arm(arm, sets, arm_variant(recipe, ablation, arm), overlay(store, arm)) for arm in names)
    tokens = _budget(arms, ablation)
    units = tuple(
        Unit(arm.name, seed, _upto(sets[arm.name], seed, tokens)) for seed in range(ablation.seeds) for arm in arms
    )
    return Plan(arms, units, tokens)


def _made(variant: Variant, store: Overlay, resources: Resources) -> None:
    for name in variant.again:
        for shard in shards_of(variant.step(name), store):
            run_shard(variant, store, name, shard, resources)


def _set(variant: Variant, store: Overlay) -> pl.DataFrame:
    """The responses of an arm with their tokens; memory: an id and a number a response."""
    manifests = _of(store, COUNTED, shards_of(variant.step(COUNTED), store))
    parts = [pl.DataFrame(store.get_table(manifest.tables[ABLATION_TOKENS.name])) for manifest in manifests]
    return pl.concat([pl.DataFrame(ABLATION_TOKENS.empty()), *parts])


def _arm(name: str, sets: dict[str, pl.DataFrame], variant: Variant, store: Overlay) -> Arm:
    own = sets[name]
    full = sets[FULL]
    left_out: dict[str, int] = {}
    unjudged: dict[str, int] = {}
    for step in variant.again:
        for manifest in _of(store, step, shards_of(variant.step(step), store)):
            if found := manifest.counts.quarantined.get(CANNOT_TELL):
                left_out[step] = left_out.get(step, 0) + found
            if manifest.settings.get("kind") == "replayed":
                kept = pl.DataFrame(store.get_table(manifest.tables["ledger"], ["reason"]))
                unjudged[step] = unjudged.get(step, 0) + kept.filter(pl.col("reason") == UNJUDGED).height
    back = own.join(full, on="generation_id", how="anti").height
    gone = full.join(own, on="generation_id", how="anti").height
    unjudged = {step: rows for step, rows in unjudged.items() if rows}
    return Arm(name, own.height, int(own["tokens"].sum()), back, gone, left_out, unjudged)


def _budget(arms: Sequence[Arm], ablation: Ablation) -> int:
    """The tokens that every arm has."""
    if empty := [arm.name for arm in arms if not arm.tokens]:
        raise RecipeError(f"no response is left in {', '.join(empty)}: nothing can be trained on it")
    least = min(arms, key=lambda arm: arm.tokens)
    if ablation.tokens is not None and ablation.tokens > least.tokens:
        raise RecipeError(f"tokens: {ablation.tokens:,} are asked for and {least.name} has {least.tokens:,}")
    return ablation.tokens or least.tokens


def _upto(rows: pl.DataFrame, seed: int, tokens: int) -> int:
    """The draw of the last row that fits: by the same seed every arm draws in the same order."""
    drawn = draws(rows["generation_id"], str(seed)).to_numpy()
    order = np.argsort(drawn, kind="stable")
    reached = np.cumsum(rows["tokens"].to_numpy()[order])
    taken = int(np.searchsorted(reached, tokens, side="right"))
    if not taken:
        raise RecipeError(f"tokens: the first row that is drawn has {reached[0]:,}, and {tokens:,} are asked for")
    return int(drawn[order[taken - 1]])


def _of(store: Store, step: str, shards: range) -> Iterator[Manifest]:
    for shard in shards:
        found = store.manifest(step, shard)
        if found is None:
            raise MissingInput(f"step {step!r} has not sealed shard {shard} below {store.root}: run `tracemill ablate`")
        yield found
