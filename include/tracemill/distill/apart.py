"""Refuses steps of a recipe whose responses nobody could tell apart, and names those that are asked for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from tracemill.distill.step import Distill
from tracemill.engine.step import Step
from tracemill.errors import RecipeError


def require_apart(steps: Mapping[str, Distill]) -> None:
    """Look at a recipe's distill steps, by name. Raises RecipeError with what to write instead.

    Responses go by teacher, mode and sample: two steps that have one teacher answer all problems of one source in one
    mode give two responses each of these, which a comparison would add up as one teacher's.
    """
    every = [(name, step) for name, step in steps.items() if step.problems == "all" and not _is_routed(step)]
    for (first, one), (second, other) in combinations(every, 2):
        if _is_asked_alike(one, other):
            raise RecipeError(
                f"steps {first!r} and {second!r} ask teacher {one.teacher.model.name!r} for all problems, and nobody "
                "could tell its responses apart: give the teacher `modes` in one step, or more `samples`"
            )


def _is_routed(step: Distill) -> bool:
    """Whether it asks for some groups only, which another step may leave out."""
    return step.where is not None or step.unless is not None


def _is_asked_alike(one: Distill, other: Distill) -> bool:
    """Whether both ask one teacher in one mode about problems of one source."""
    modes = {mode for mode, _ in one.teacher.ways()} & {mode for mode, _ in other.teacher.ways()}
    meet = not one.sources or not other.sources or bool(set(one.sources) & set(other.sources))
    return one.teacher.model.name == other.teacher.model.name and bool(modes) and meet


def asked_for_nothing(steps: Mapping[str, Step]) -> Iterator[str]:
    """A sentence for each step that asks what an earlier one has just answered, since nothing was verified between.

    Two teachers that are each to answer everything say so by `problems: all`.
    """
    unjudged: list[tuple[str, Distill]] = []
    for name, step in steps.items():
        if "verdicts" in step.writes:
            unjudged = []
        if not isinstance(step, Distill):
            continue
        before = [first for first, one in unjudged if _meet(one, step)] if step.problems == "unverified" else []
        if before:
            yield (
                f"step {name!r} asks for every problem that {before[0]!r} answers just before it, as nothing is "
                "verified between them: put a `verify` step there, or say `problems: all` if both are to be asked"
            )
        unjudged.append((name, step))


def _meet(one: Distill, other: Distill) -> bool:
    """Whether both may ask for the same problem; of two that are routed nobody knows before the problems are there."""
    shared = not one.sources or not other.sources or bool(set(one.sources) & set(other.sources))
    return shared and not _is_routed(one) and not _is_routed(other)
