"""Which verify tasks a recipe needs beside the stages that ask its models: one seat for each set of verifiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tracemill.distill.pilot import Pilot
from tracemill.distill.step import Distill
from tracemill.engine.pipeline import Pipeline
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.local.demand import Demand
from tracemill.models.lease import live_leases
from tracemill.recipe import Recipe
from tracemill.verify.companion import Seat
from tracemill.verify.parts import lease_name, who


@dataclass(frozen=True)
class Seated:
    """A set of verifiers, and the stages of the recipe whose sampling policies wait for their verdicts."""

    seat: Seat
    stages: tuple[str, ...]

    @property
    def runs_programs(self) -> bool:
        """Whether any of them needs a sandbox."""
        return any(verifier.needs_sandbox for verifier in self.seat.verifiers)


def seats(recipe: Pipeline, resources: Resources, programs: bool | None = None) -> list[Seated]:
    """The seats of a recipe; with `programs` only those that run programs, or only the others."""
    machine = recipe.located(resources)
    stages = defaultdict[str, list[str]](list)
    found: dict[str, Seat] = {}
    for stage, step in recipe.pipeline().items():
        verifiers = step.teacher.policy.judged_by if isinstance(step, Distill | Pilot) else ()
        if verifiers and programs in (None, any(one.needs_sandbox for one in verifiers)):
            bench = who(verifiers, machine)
            found[bench] = Seat(verifiers, bench)
            stages[bench].append(stage)
    return [Seated(seat, tuple(stages[bench])) for bench, seat in found.items()]


def vacant(recipe: Pipeline, store: Store, stage: str, shards: Sequence[int], resources: Resources) -> dict[str, str]:
    """The leases, by name and identity, without which a stage would wait for verdicts; none where it is sealed."""
    from tracemill.local.pending import is_sealed

    machine = recipe.located(resources)
    own = [one.seat.bench for one in seats(recipe, machine) if stage in one.stages]
    missing = {lease_name(b): b for b in own if not live_leases(store, lease_name(b), b)}
    return missing if missing and not all(is_sealed(recipe, store, stage, n, machine) for n in shards) else {}


def demand(recipe: Recipe, store: Store, resources: Resources, seated: Sequence[Seated]) -> Demand:
    """What says when nobody needs these seats any more."""
    return Demand(recipe, store, resources, [stage for one in seated for stage in one.stages])
