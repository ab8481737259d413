"""Says what the teachers of a run will take, from its pilots, and beside it what they took once they are done.

Tokens, samples and time are what the tables `piloted` and `strata` say; money is what the recipe's price makes of the
tokens, today's price: a changed one makes no pilot anew. Of a price per GPU-hour it is the time that the servers
of the store used for such tokens so far; what they are held besides is in `tracemill cost`. Nothing is asked and
nothing written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import polars as pl

from tracemill.distill.forecasts import Tally, Total
from tracemill.distill.order import forecast_of
from tracemill.distill.pilot import Pilot
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Manifest, Store
from tracemill.errors import MissingInput, RecipeError
from tracemill.models.model import Model
from tracemill.recipe import Recipe
from tracemill.report.piloted import asked_today, is_todays, sealed_pilot, to_run
from tracemill.report.spending import Tariff, currency

HEAD = ("", "expected", "90 % between", "took", "held")
_FINE = ("hours", "money")
_TAKEN = ["prompt_tokens", "completion_tokens", "seconds"]
_HOUR = 3600.0


@dataclass(frozen=True)
class Quantity:
    """One line of a forecast: `total` is None where nobody can know, `actual` until all is done or where none counted.

    `unit` is the currency of money.
    """

    name: str
    unit: str
    total: Total | None
    actual: float | None = None

    @property
    def held(self) -> bool | None:
        """Whether what came lies between the ends; None while that is not known."""
        return None if self.total is None or self.actual is None else self.total.holds(self.actual)


@dataclass(frozen=True)
class Forecast:
    """What one distil step will take; `done` of its `shards` are sealed. `at_once`: requests in flight, for the hours.

    That is as many as the pilot could have had: one with fewer samples than the server has room for saw an emptier one.
    `unseen` problems are of categories of which the pilot tried none.
    """

    pilot: str
    stage: str
    teacher: str
    problems: int
    tried: int
    at_once: int
    done: int
    shards: int
    unseen: int
    quantities: tuple[Quantity, ...]


def forecasts(recipe: Recipe, store: Store) -> list[Forecast]:
    """One for each pilot that forecasts and is sealed as the recipe has it now, in the recipe's order.

    Raises RecipeError for a recipe without any, MissingInput where none has run.
    """
    wanted = _pilots(recipe)
    if not wanted:
        raise RecipeError(
            f"recipe {recipe.name!r} forecasts nothing: put a `pilot` step with `forecast: {{}}` and the teacher of "
            "the `distill` step before that step"
        )
    found = foreseen(recipe, store)
    if not found:
        raise MissingInput(
            f"no pilot of {store.root} has run yet with the settings that the recipe has now: "
            f"`{to_run(recipe, store, next(iter(wanted)))}` asks what a forecast needs, and distilling does not pay it "
            "again"
        )
    return found


def foreseen(recipe: Recipe, store: Store) -> list[Forecast]:
    """The same, and none where no pilot forecasts or has run."""
    found = (_forecast(recipe, store, name, pilot) for name, pilot in _pilots(recipe).items())
    return [one for one in found if one is not None]


def left_out(recipe: Recipe, store: Store, found: Sequence[Forecast]) -> list[str]:
    """The pilots of which nothing is forecast yet, each with what to do about it."""
    known = {one.pilot for one in found}
    return [
        f"{name}: has not run yet with the settings that the recipe has now, so its teacher is in no line above: "
        + to_run(recipe, store, name)
        for name in _pilots(recipe)
        if name not in known
    ]


def _pilots(recipe: Recipe) -> dict[str, Pilot]:
    return {name: step for name, step in recipe.steps.items() if isinstance(step, Pilot) and step.forecast}


def sentence(one: Forecast) -> str:
    """Who asks whom how much, and how far it is."""
    done = f"{one.done:,} of {one.shards:,} shards are done"
    unseen = f" It tried none of {one.unseen:,} problems of other categories: raise its `refit`." if one.unseen else ""
    return (
        f"{one.stage} asks {one.teacher} {one.problems:,} problems, of which {one.pilot} tried {one.tried:,}; hours "
        f"are of {one.at_once:,} requests at once; {done}.{unseen}"
    )


def lines(quantities: Sequence[Quantity]) -> list[tuple[str, ...]]:
    """The rows of a table under HEAD: counts whole, hours and money to a hundredth, or to three digits below one."""
    found: list[tuple[str, ...]] = []
    for one in quantities:
        total = one.total
        name = f"{one.name.replace('_', ' ')} {one.unit}".strip()
        between = "" if total is None else f"{_number(one.name, total.low)} and {_number(one.name, total.high)}"
        expected = "unknown" if total is None else _number(one.name, total.expected)
        took = "" if one.actual is None else _number(one.name, one.actual)
        found.append((name, expected, between, took, {True: "yes", False: "no", None: ""}[one.held]))
    return found


def _number(name: str, value: float) -> str:
    if name not in _FINE:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if value >= 1 else f"{value:.3g}"


def pushed(recipe: Recipe, store: Store, pilot: str) -> dict[str, Any]:
    """The forecast of one pilot as data that a task can push; {} where it makes none."""
    step = recipe.pipeline().get(pilot)
    found = _forecast(recipe, store, pilot, step) if isinstance(step, Pilot) and step.forecast else None
    if found is None:
        return {}
    totals = {f"{one.name} {one.unit}".strip(): one.total and asdict(one.total) for one in found.quantities}
    return {"teacher": found.teacher, "problems": found.problems, "tried": found.tried, **totals}


def together(found: Sequence[Forecast]) -> tuple[Quantity, ...]:
    """All teachers in one, what was forecast and what came: ends are added, as the pilots tried the same problems.

    Null where one of them is; money in one currency only.
    """
    names = [quantity.name for quantity in found[0].quantities]
    return tuple(_added([one.quantities[place] for one in found]) for place in range(len(names)))


def _added(parts: Sequence[Quantity]) -> Quantity:
    totals = [part.total for part in parts if part.total is not None]
    actuals = [part.actual for part in parts if part.actual is not None]
    alike = len(totals) == len(parts) and len({part.unit for part in parts}) == 1
    ends = (sum(getattr(total, end) for total in totals) for end in ("expected", "low", "high"))
    whole = Total(*ends) if alike else None
    return replace(parts[0], total=whole, actual=sum(actuals) if alike and len(actuals) == len(parts) else None)


def _forecast(recipe: Recipe, store: Store, name: str, pilot: Pilot) -> Forecast | None:
    sealed = sealed_pilot(store, name)
    if sealed is None or not is_todays(recipe, store, name, sealed):
        return None
    later = list(recipe.steps)[list(recipe.steps).index(name) + 1 :]
    asked = forecast_of(pilot, [recipe.steps[one] for one in later])
    stage = next(one for one in later if recipe.steps[one] is asked)
    piloted, strata = (pl.DataFrame(store.get_table(sealed.tables[table])) for table in ("piloted", "strata"))
    model = pilot.teacher.model
    at_once = max(1, min(model.serve.concurrency * max(1, model.replicas), int(piloted["samples"].sum())))
    shards = shard_count(store)
    done = asked_today(recipe, store, stage)
    tally = Tally(piloted, strata)
    taken = _taken(store, done) if len(done) == shards else {}
    price = _Price(currency(model), Tariff(recipe, store).per_token(model.name))
    quantities = tuple(_quantities(model, price, tally, at_once, taken))
    counts = (tally.problems, tally.tried, at_once, len(done), shards, tally.unseen)
    return Forecast(name, stage, model.name, *counts, quantities)


class _Price(NamedTuple):
    """The money for a token that a model reads, and for one that it writes; None where nobody can know."""

    currency: str
    tokens: tuple[float, float] | None


def _quantities(
    model: Model, price: _Price, tally: Tally, at_once: int, taken: dict[str, float | None]
) -> Iterator[Quantity]:
    for name in ("samples", "prompt_tokens", "completion_tokens"):
        yield Quantity(name, "", tally.total(name), taken.get(name))
    seconds = None if model.api and model.api.batch else taken.get("seconds")
    hours = None if seconds is None else seconds / at_once / _HOUR
    yield Quantity("hours", "", _hours(model, tally, at_once), hours)
    if price.tokens is None:
        yield Quantity("money", "", None)
        return
    read, wrote = price.tokens
    prompt, completion = taken.get("prompt_tokens"), taken.get("completion_tokens")
    paid = None if prompt is None or completion is None else prompt * read + completion * wrote
    cost = pl.col("prompt_tokens") * read + pl.col("completion_tokens") * wrote
    yield Quantity("money", price.currency, tally.total(cost), paid)


def _hours(model: Model, tally: Tally, at_once: int) -> Total | None:
    """As long as the requests take, so many at once, and no shorter than a provider's rates allow.

    A batch is answered when its provider likes.
    """
    api = model.api
    if api and api.batch:
        return None
    tokens = pl.col("prompt_tokens") + pl.col("completion_tokens")
    parts = [tally.total(pl.col("seconds") / (at_once * _HOUR))]
    if api and api.requests_per_minute:
        parts.append(tally.total(pl.col("samples") / (api.requests_per_minute * 60)))
    if api and api.tokens_per_minute:
        parts.append(tally.total(tokens / (api.tokens_per_minute * 60)))
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    ends = (max(getattr(part, end) for part in known) for end in ("expected", "low", "high"))
    return Total(*ends)


def _taken(store: Store, sealed: Sequence[Manifest]) -> dict[str, float | None]:
    """What the step's responses took; None where a server did not count it of one of them."""
    found: dict[str, float | None] = {"samples": 0.0, **dict.fromkeys(_TAKEN, 0.0)}
    for manifest in sealed:
        rows = _with_again(store, manifest)
        found["samples"] = (found["samples"] or 0.0) + rows.height
        for name in _TAKEN:
            known = found[name]
            found[name] = None if known is None or rows[name].null_count() else known + float(rows[name].sum())
    return found


def _with_again(store: Store, manifest: Manifest) -> pl.DataFrame:
    """What each response of a shard took; to continue one its prompt and its beginning were read once more."""
    rows = pl.DataFrame(store.get_table(manifest.tables["generations"], ["id", *_TAKEN]))
    if "continuations" not in manifest.tables:
        return rows
    seams = pl.DataFrame(store.get_table(manifest.tables["continuations"], ["generation_id", "tokens"]))
    begun = seams.select(pl.col("generation_id").alias("id"), "tokens", pl.lit(True).alias("is_continued"))
    again = pl.when(pl.col("is_continued")).then(pl.col("prompt_tokens") + pl.col("tokens")).otherwise(0)
    return rows.join(begun, on="id", how="left").with_columns(pl.col("prompt_tokens") + again)
