"""Estimates what a recipe would take before it is run: rows, shards, requests, hours and money; and says from what.

What an answer costs is measured where the recipe or a trial of it ran on this root, else assumed. Numbers are upper
bounds where nobody knows better: every row is asked for, none is a duplicate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tracemill.distill.pilot import Pilot
from tracemill.distill.step import Distill
from tracemill.engine.objects import scratch_folder
from tracemill.engine.pipeline import PLAN
from tracemill.engine.resources import Resources
from tracemill.engine.runner import inputs_for
from tracemill.engine.store import Store
from tracemill.ingest.plan import PLAN as TABLE
from tracemill.ingest.plan import slices_of
from tracemill.ingest.source import RowError, Slice
from tracemill.judge.annotate import Annotate
from tracemill.judge.perplexity import Perplexity
from tracemill.judge.reward import Reward
from tracemill.local.measured import Measured, measured
from tracemill.models.model import Model
from tracemill.models.prices import amount
from tracemill.models.step import AskingStep
from tracemill.recipe import Recipe

# The mean of DeepSeek-R1's traces over 1.89 M problems of all kinds (arXiv 2505.14464: 3,784.8 tokens).
TRACE_TOKENS = 3_800
SAID_TOKENS = 300  # of judges, labellers and others who answer shortly
CHARACTERS_A_TOKEN = 3.5  # of English with formulas; Chinese has fewer
LOOKED_AT = 50  # rows, for the length of problems
SPEED = 30.0  # tokens a second of one answer of a hosted model


@dataclass(frozen=True)
class Asking:
    """What one stage asks of one model: requests, tokens in and out, hours (None: nobody knows), money."""

    stage: str
    model: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    hours: float | None
    money: float | None
    currency: str
    basis: str


@dataclass(frozen=True)
class Estimate:
    """What a recipe would take."""

    recipe: str
    rows: int
    shards: int
    asking: tuple[Asking, ...]

    @property
    def money(self) -> dict[str, float]:
        """All that has a price, by currency; {} where nothing has."""
        total: dict[str, float] = {}
        for one in self.asking:
            if one.money is not None:
                total[one.currency] = total.get(one.currency, 0.0) + one.money
        return total

    @property
    def hours(self) -> float | None:
        """The stages one after the other; None where one of them is unknown."""
        known = [one.hours for one in self.asking if one.hours is not None]
        return sum(known) if len(known) == len(self.asking) else None

    def lines(self) -> list[str]:
        """The estimate in sentences."""
        said = [f"Recipe {self.recipe}: {self.rows:,} rows in {self.shards:,} shards."]
        said += [_sentence(one) for one in self.asking]
        if not self.asking:
            return [*said, "It asks no model, so it costs this machine's time alone. Nothing was made."]
        hours = "hours unknown (try it with --rows 50 first)" if self.hours is None else f"about {_time(self.hours)}"
        money = (
            " and ".join(f"{amount(sum_)} {currency}" for currency, sum_ in self.money.items()) or "no price is given"
        )
        requests = sum(one.requests for one in self.asking)
        return [*said, f"In all at most {requests:,} requests, {hours}, {money}. Nothing was made or paid."]


def estimated(recipe: Recipe, whole: Store | None, resources: Resources) -> Estimate:
    """Plan without writing, and count; `whole` is the store of the recipe as a whole, if there is one.

    Raises what the plan raises: SourceError for a source that cannot be used.
    """
    machine = recipe.located(resources)
    with scratch_folder("an estimate") as scratch:
        goes_on = whole is not None and recipe.trial is None
        store = whole if goes_on and whole else Store.at(str(scratch / "store"), create=True)
        output = recipe.step(PLAN).run(machine, inputs_for(recipe, store, PLAN, 0))
    slices = slices_of(output.tables[TABLE])
    rows = sum(part.stop - part.start for part in slices)
    rows = rows if recipe.trial is None else min(rows, recipe.trial)
    known = measured(recipe, whole) if whole else {}
    length = _prompt_tokens(recipe, slices, machine)
    asking = tuple(
        _asking(recipe, name, model, rows if measure else _asked(step, slices, rows), measure, length)
        for name, step in recipe.pipeline().items()
        if isinstance(step, AskingStep)
        for model in step.served()
        for measure in [known.get((name, model.name))]
    )
    return Estimate(recipe.name, rows, len(slices), asking)


def _asked(step: AskingStep, slices: list[Slice], rows: int) -> int:
    """The rows that a step may ask about: a pilot's, or those of its sources, where it names some."""
    if isinstance(step, Pilot):
        return min(rows, step.chosen_of(rows))
    if not (isinstance(step, Distill) and step.sources):
        return rows
    every = sum(part.stop - part.start for part in slices)
    own = sum(part.stop - part.start for part in slices if part.source in step.sources)
    return round(rows * own / every) if every else 0


def _asking(recipe: Recipe, stage: str, model: Model, rows: int, known: Measured | None, length: float) -> Asking:
    known_or = known or _assumed(recipe, stage, length)
    requests = round(rows * known_or.answers)
    prompt = round(requests * known_or.prompt_tokens)
    completion = round(requests * known_or.completion_tokens)
    price = model.token_price
    return Asking(
        stage=stage,
        model=model.name,
        requests=requests,
        prompt_tokens=prompt,
        completion_tokens=completion,
        hours=_hours(model, requests, prompt, completion),
        money=price.of(prompt, completion) if price else None,
        currency=price.currency if price else "",
        basis=f"measured on {known.rows:,} rows" if known else "assumed",
    )


def _hours(model: Model, requests: int, prompt: int, completion: int) -> float | None:
    """As fast as the rates allow, and `concurrency` answers at once; how fast a server or a batch is nobody knows."""
    api = model.api
    if api is None or api.batch:
        return None
    minutes = [completion / (SPEED * model.serve.concurrency) / 60]
    minutes += [requests / api.requests_per_minute] if api.requests_per_minute else []
    minutes += [(prompt + completion) / api.tokens_per_minute] if api.tokens_per_minute else []
    return max(minutes) / 60


def _assumed(recipe: Recipe, stage: str, length: float) -> Measured:
    """At most so many answers a row, and what they are like if nothing was measured."""
    step = recipe.step(stage)
    if isinstance(step, Distill | Pilot):
        asked = step.requests if isinstance(step, Pilot) else step.teacher.requests
        return Measured(0, asked, length, _trace_tokens(step))
    if isinstance(step, Annotate):
        return Measured(0, 2, length + SAID_TOKENS, SAID_TOKENS)  # difficulty and category
    if step.unit == "problem":
        return Measured(0, 1, length + SAID_TOKENS, SAID_TOKENS)
    before = [one for _, one in recipe.before(stage) if isinstance(one, Distill)]
    trace = max(map(_trace_tokens, before), default=TRACE_TOKENS)
    said = 0 if isinstance(step, Reward | Perplexity) else SAID_TOKENS  # numbers cost no token
    return Measured(0, max(1, sum(one.teacher.requests for one in before)), length + trace, said)


def _trace_tokens(step: Distill | Pilot) -> int:
    """A trace of the usual length, or as long as the recipe allows."""
    return min(TRACE_TOKENS, step.teacher.continue_to or step.teacher.sampling.max_tokens or TRACE_TOKENS)


def _prompt_tokens(recipe: Recipe, slices: list[Slice], machine: Resources) -> float:
    """The mean length of the sources' problems, each source counting by its rows."""
    total = 0.0
    rows = 0
    for source in recipe.sources:
        own = [part for part in slices if part.source == source.name and part.stop > part.start]
        lengths = [length for part in own[:1] for length in islice(_lengths(source, machine, part), LOOKED_AT)]
        count = sum(part.stop - part.start for part in own)
        total = total + count * (sum(lengths) / len(lengths) if lengths else 0)
        rows = rows + count
    return total / rows / CHARACTERS_A_TOKEN if rows else 0.0


def _lengths(source: Any, machine: Resources, part: Slice) -> Iterator[int]:
    for raw in source.read(machine, part):
        if raw.error is None:
            try:
                yield len(source.understand(raw.value).prompt)
            except RowError:
                continue  # ingest quarantines it


def _sentence(one: Asking) -> str:
    money = "" if one.money is None else f", {amount(one.money)} {one.currency}"
    hours = "" if one.hours is None else f", about {_time(one.hours)}"
    return (
        f"{one.stage}: at most {one.requests:,} requests to {one.model}, {one.prompt_tokens:,} tokens in and "
        f"{one.completion_tokens:,} out{money}{hours} ({one.basis})"
    )


def _time(hours: float) -> str:
    return f"{hours:,.1f} hours" if hours >= 1 else f"{max(1, round(hours * 60))} minutes"
