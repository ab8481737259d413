"""What can be ticked off, and the recipe that is left then: the same steps, but for those that are asked about.

A recipe without a stage runs on what the whole recipe has sealed. Steps that ask nobody decide anew, about all rows;
those that ask a model repeat what they said, and what they were never asked about is left out by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tracemill.ablate.replaying import (
    Replayed,
    ReplayedProblems,
    ReplayedResponses,
    Ticked,
    TickedProblems,
    TickedResponses,
)
from tracemill.decontaminate.step import Decontaminate
from tracemill.dedup.unique import Unique
from tracemill.distill.pilot import Pilot
from tracemill.distill.step import Distill
from tracemill.engine.resources import Resources
from tracemill.engine.step import Step
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.evaluate.step import Evaluate
from tracemill.judge.annotate import Annotate
from tracemill.judge.judge import JudgeResponses
from tracemill.judge.perplexity import Perplexity
from tracemill.judge.reward import Reward
from tracemill.judge.score import Score
from tracemill.models.step import AskingStep
from tracemill.recipe import Recipe
from tracemill.release.exports.step import Export
from tracemill.release.step import Release
from tracemill.select.gate import Gate
from tracemill.select.intersect import Intersect
from tracemill.select.rules import Rules
from tracemill.select.select import Select
from tracemill.train.prove import Prove
from tracemill.train.train import Train
from tracemill.verify.step import Verify

Stage = Literal[
    "dedup",
    "decontamination",
    "rules",
    "verification",
    "judge",
    "reward",
    "perplexity",
    "selection",
    "student_fit",
]
STAGES: tuple[Stage, ...] = get_args(Stage)
KNOWN = "known_"  # how the step is called that passes on a verify step's old verdicts
_ALL = 1_000_000  # responses of a problem: more than any has
_OF_KIND: tuple[tuple[type[Step], Stage], ...] = (
    (Unique, "dedup"),
    (Decontaminate, "decontamination"),
    (Rules, "rules"),
    (Verify, "verification"),
    (JudgeResponses, "judge"),
    (Reward, "reward"),
    (Score, "reward"),
    (Perplexity, "perplexity"),
    (Select, "selection"),
)
_OF_METRIC: Mapping[str, Stage] = {
    "reward": "reward",
    "score": "reward",
    "perplexity": "perplexity",
    "rsr": "student_fit",
}
_JUDGES_OWN = ("judged_wrong", "unparsable")


@dataclass(frozen=True)
class Variant:
    """A recipe's steps up to what its release holds, some of them other ones; `again` are to be run, in this order."""

    recipe: Recipe
    steps: Mapping[str, Step]
    again: tuple[str, ...]

    @property
    def name(self) -> str:
        """The recipe's."""
        return self.recipe.name

    def pipeline(self) -> Mapping[str, Step]:
        """All steps by name, in order."""
        return self.steps

    def step(self, name: str) -> Step:
        """The step of that name. Raises RecipeError for one that there is not."""
        if name not in self.steps:
            raise RecipeError(f"recipe {self.name!r} has no step {name!r} here")
        return self.steps[name]

    def before(self, name: str) -> Iterator[tuple[str, Step]]:
        """The steps that run before that one, in order."""
        for earlier, step in self.steps.items():
            if earlier == name:
                return
            yield earlier, step

    def located(self, resources: Resources) -> Resources:
        """The machine, on which relative paths start at the recipe's folder."""
        return self.recipe.located(resources)

    def remember(self, store: Store) -> None:
        """Nothing: the store is the recipe's."""

    def followed_by(self, **steps: Step) -> Variant:
        """The same with more steps behind, which are the ones to be run."""
        return Variant(self.recipe, {**self.steps, **steps}, tuple(steps))


@dataclass(frozen=True)
class Training:
    """The steps that make a student of a recipe: the release, its proof, and the first training, by name."""

    release: tuple[str, Release]
    prove: tuple[str, Prove]
    train: tuple[str, Train]


def training(recipe: Recipe) -> Training:
    """Raises RecipeError where the recipe has no release that is proved and trained on from weights that it names."""
    found: dict[type[Step], tuple[str, Step]] = {}
    for name, step in recipe.steps.items():
        if isinstance(step, Release | Prove) and Train not in found:
            found[type(step)] = (name, step)
        elif isinstance(step, Train) and step.base is not None and Prove in found:
            found.setdefault(Train, (name, step))
    if not {Release, Prove, Train} <= found.keys():
        raise RecipeError(
            f"recipe {recipe.name!r} makes no student to ask: add steps of the kinds release, prove and train (with a "
            "base), as `student_demo` has them"
        )
    return Training(found[Release], found[Prove], found[Train])  # type: ignore[arg-type]


def present(recipe: Recipe) -> tuple[Stage, ...]:
    """The stages of a recipe that can turn a response of its release away, or choose among them."""
    found = {stage for _, step in _before_release(recipe) if (stage := stage_of(step))}
    chosen = {step.by for _, step in _before_release(recipe) if isinstance(step, Select)}
    found |= {_OF_METRIC[by] for by in chosen & {"perplexity", "rsr"}}
    return tuple(stage for stage in STAGES if stage in found)


def stage_of(step: Step) -> Stage | None:
    """The stage that a step belongs to; None for what is never ticked off."""
    if isinstance(step, Gate):
        return _OF_METRIC[step.metric]
    if isinstance(step, Perplexity) and step.cut is None:
        return None  # it only measures
    return next((stage for kind, stage in _OF_KIND if isinstance(step, kind)), None)


def variant(recipe: Recipe, off: Collection[Stage]) -> Variant:
    """The recipe without these stages. Raises RecipeError for one that it does not have."""
    if lacking := [stage for stage in off if stage not in present(recipe)]:
        raise RecipeError(
            f"recipe {recipe.name!r} has no stage {', '.join(lacking)}: it has {', '.join(present(recipe))}"
        )
    steps: dict[str, Step] = {}
    again: list[str] = []
    for name, step in _before_release(recipe):
        left = dict(_left(name, step, off, bool(again)))
        steps |= left
        again += [one for one, now in left.items() if again or now != step]
    return Variant(recipe, steps, tuple(again))


def _before_release(recipe: Recipe) -> Iterator[tuple[str, Step]]:
    """The steps that decide what the release that is trained on holds."""
    last = training(recipe).release[0]
    for name, step in recipe.before(last):
        if not isinstance(step, Release | Export | Evaluate | Prove | Train):
            yield name, step


def _left(name: str, step: Step, off: Collection[Stage], changed: bool) -> Iterator[tuple[str, Step]]:
    """What stands in a step's place; `changed`: some step before it is another one."""
    stage = stage_of(step)
    if isinstance(step, Select | Intersect):
        yield name, _choosing(step, off)
    elif stage in off:
        yield name, _ticked(name, step)
    elif not changed:
        yield name, step
    elif isinstance(step, AskingStep) and step.models():
        if not isinstance(step, Pilot):  # it only says what to expect of a teacher that is not asked
            yield name, _replayed(name, step, off)
    else:
        if isinstance(step, Verify):
            yield f"{KNOWN}{name}", TickedResponses(of=name, known=("verdicts",))
        yield name, step


def _ticked(name: str, step: Step) -> Ticked:
    """Judgements on which later steps would still decide are out of sight; numbers stay, as others are by them."""
    kind = TickedProblems if step.unit == "problem" else TickedResponses
    known = () if isinstance(step, Verify | JudgeResponses | Reward) else step.writes
    return kind(of=name, known=tuple(table for table in known if table != "ledger"))


def _choosing(step: Select | Intersect, off: Collection[Stage]) -> Step:
    changes: dict[str, object] = {}
    if isinstance(step, Intersect):
        return step.model_copy(update={"verified": False}) if "verification" in off and step.verified else step
    if "selection" in off:
        changes["responses_per_problem"] = _ALL
    if "verification" in off:
        changes["unverified"] = "keep"
    if step.by in _OF_METRIC and step.by != "reward" and _OF_METRIC[step.by] in off:
        changes |= {"by": "reward", "measurer": None}
    return step.model_copy(update=changes) if changes else step


def _replayed(name: str, step: Step, off: Collection[Stage]) -> Replayed:
    kind = ReplayedProblems if step.unit == "problem" else ReplayedResponses
    own = _JUDGES_OWN if isinstance(step, JudgeResponses) and "verification" in off else ()
    return kind(of=name, unseen=_unseen(step), own=own)


def _unseen(step: Step) -> Literal["leave_out", "keep", "keep_passed"]:
    """What becomes of a row that a step was never asked about: it stays where the step could not have taken it out."""
    if isinstance(step, JudgeResponses):
        return "keep_passed" if step.only == "undecided" else "leave_out"
    measuring = isinstance(step, Reward | Score | Perplexity) and step.cut is None
    labelling = isinstance(step, Annotate) and not step.keep
    return "keep" if measuring or labelling or isinstance(step, Distill) else "leave_out"
