"""Says, before anything is paid, what a recipe would do that nobody can want, though it can be done."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence

from tracemill.distill.apart import asked_for_nothing
from tracemill.distill.repair import Repair
from tracemill.distill.step import Distill
from tracemill.engine.categories import named
from tracemill.engine.step import Step
from tracemill.grade.categories import RULE_OF
from tracemill.grade.step import Grade
from tracemill.recipe import Recipe
from tracemill.release.exports.sets import Distilled40M, Sft
from tracemill.release.exports.step import Export
from tracemill.select.graded import Graded
from tracemill.select.intersect import Intersect
from tracemill.select.phrases.step import Phrases
from tracemill.text.spelling import nearest

_NEAR = 0.75  # how alike a misspelt category is to what was meant: more than `biology` to any of the papers'


def misgivings(recipe: Recipe) -> Iterator[str]:
    """A sentence for each."""
    yield from asked_for_nothing(recipe.steps)
    yield from _of_nobody(recipe)
    yield from _ungraded(recipe)
    yield from _phrases_of_problems(recipe)
    yield from _misspelt(recipe)


def _of_nobody(recipe: Recipe) -> Iterator[str]:
    """A sentence for each teacher that is compared, votes or selects, and that no step asks; a source may publish it.

    Another one for each step that compares, or repairs by, verdicts that nobody gives before it.
    """
    asked = [step.teacher.model.name for step in recipe.steps.values() if isinstance(step, Distill)]
    published = [getattr(source, "teacher", "") for source in recipe.sources]
    known = [*asked, *(name for name in published if name)]
    is_judged = False
    for name, step in recipe.steps.items():
        if not is_judged and ((isinstance(step, Intersect) and step.verified) or isinstance(step, Repair)):
            yield f"step {name!r} goes by verdicts, and no step before it gives any: put a `verify` step there"
        is_judged = is_judged or "verdicts" in step.writes
        told = bool(asked) or all(published)  # else only its rows tell who wrote a source's responses
        for teacher in (one for one in _named(step, known) if told and one not in known):
            meant = nearest(teacher, asked or known)
            yield f"step {name!r}: no step asks {teacher!r}, so that only published responses are its{meant}"


def _ungraded(recipe: Recipe) -> Iterator[str]:
    """A sentence for each teacher of whom too few samples are drawn for a grade, and each mode that nobody has."""
    most = Counter[str]()
    modes = set[str]()
    is_judged = False
    for name, step in recipe.steps.items():
        is_judged = is_judged or not {"verdicts", "rewards"}.isdisjoint(step.writes)
        if isinstance(step, Grade) and not is_judged:
            yield f"step {name!r} grades by verdicts or rewards, and no step before it gives any: put a `verify` there"
        match step:
            case Distill():
                most[step.teacher.model.name] += step.teacher.most
                modes |= set(step.teacher.modes)
            case Grade():
                for teacher in (one for one, count in most.items() if count < step.least_decided):
                    yield (
                        f"step {name!r} asks for {step.least_decided} decided samples of a problem, and {teacher!r} "
                        f"draws {most[teacher]}: its problems stay ungraded; raise `samples` of the teacher"
                    )
            case Graded() if step.mode is not None and step.mode not in modes:
                yield f"step {name!r}: no teacher has a mode {step.mode!r}{nearest(step.mode, sorted(modes))}"


def _named(step: Step, asked: Sequence[str]) -> Sequence[str]:
    """The teachers without whose responses a step has nothing, each once."""
    match step:
        case Intersect():
            return step.teachers
        case Repair():
            return step.of
        case Graded():
            return (step.by,) if step.by else ()
        case Export():
            sets = step.sets.values()
            by = [one.by for one in sets if not isinstance(one, Distilled40M | Sft) and one.by]
            published = [
                one.models for one in sets if isinstance(one, Distilled40M) and not set(one.models) & set(asked)
            ]
            return list(dict.fromkeys([*by, *(teacher for models in published for teacher in models)]))
    return ()


def _misspelt(recipe: Recipe) -> Iterator[str]:
    """A sentence for each category with settings of its own that is nearly a known one; sources may have others."""
    known = list(RULE_OF)
    for name, step in recipe.steps.items():
        if isinstance(step, Grade):
            known += [named(category) for category in step.rules]
        if isinstance(step, Graded):
            for category in (one["category"] for one in step.limits() if one["category"] not in known):
                if near := difflib.get_close_matches(category, known, 1, _NEAR):
                    yield f"step {name!r} has settings for the category {category!r}; did you mean {near[0]!r}?"


def _phrases_of_problems(recipe: Recipe) -> Iterator[str]:
    """A sentence where a problem may have more responses than an n-gram may occur: most of them repeat the problem."""
    responses = 0
    for name, step in recipe.steps.items():
        if isinstance(step, Distill):
            responses += step.teacher.requests
        if isinstance(step, Phrases) and responses > step.limit:
            yield (
                f"step {name!r} takes for a phrase what occurs more than {step.limit} times, and a problem may have "
                f"{responses} responses, each of which may repeat its words: raise `limit`"
            )
