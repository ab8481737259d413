"""Tries a teacher on a few problems: so that a policy knows what to expect of the others, and what they will take."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Annotated, Any, ClassVar, Literal, Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from tracemill.distill import AnyTeacher
from tracemill.distill.forecasts import Tally
from tracemill.distill.judging import QUESTION
from tracemill.distill.priors import Fit, fitted
from tracemill.distill.scope import Scope, existing
from tracemill.distill.stratified import still_there, stratified
from tracemill.distill.trying import Trying
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, kept_rows
from tracemill.engine.store import Manifest
from tracemill.engine.tables import columns_of
from tracemill.engine.tables.piloting import FORECASTS, PILOTED
from tracemill.errors import RecipeError
from tracemill.models.sending import progress
from tracemill.models.step import AskingStep

ASKED = "asked of"  # in the manifest: whose pass rates the prior is about
_COLUMNS = ["messages", "category", "difficulty", *QUESTION]
_LEAST = 300  # problems of a pilot that forecasts, unless the recipe says otherwise


class Forecast(Scope):
    """That a pilot says beforehand what the distil step of its teacher will take, over the same problems as that step.

    The pilot has `share` of them at least, and of each category and difficulty its part.
    """

    share: Annotated[float, Field(gt=0, le=1)] = 0.01


class Pilot(AskingStep):
    """Ask living problems before all others, so that it is known what to expect: nothing is paid again by `distill`.

    `teacher` is that of the distil step that follows, with its policy; write it once and name it there by a YAML
    anchor. Where its policy is `until_decided` without a `prior`, `samples` traces of each problem are judged by its
    verifiers, and the prior is fitted to them. With `forecast` the problems are asked as the policy says, 300 of them
    or `share`, and the tables `piloted`, `strata` and `forecasts` say what all of them will take; without, `problems`
    of all living ones are chosen by hash. A refresh keeps what was tried, as it keeps the plan, so that old shards stay
    sealed, but for problems that are gone since; another `refit` makes it anew from today's problems. `fit:
    mixture` makes the prior of several distributions: for rates that pile up at both ends, and a pilot of 200
    problems.
    """

    kind: Literal["pilot"]
    teacher: AnyTeacher
    problems: Annotated[int, Field(ge=10)] = 200  # at least so many are tried; 300 with a forecast
    samples: Annotated[int, Field(ge=2)] = 8
    refit: Annotated[int, Field(ge=1)] = 1
    fit: Annotated[Fit, Field(exclude_if=lambda fit: fit == "beta")] = "beta"
    forecast: Annotated[Forecast | None, Field(exclude_if=lambda wanted: wanted is None)] = None

    version: ClassVar[int] = 2
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "verdicts", "annotations", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("priors", "piloted", "strata", "forecasts")

    @model_validator(mode="before")
    @classmethod
    def _enough_to_forecast(cls, given: Any) -> Any:
        forecasts = isinstance(given, dict) and given.get("forecast") is not None
        return {"problems": _LEAST, **given} if forecasts else given

    @model_validator(mode="after")
    def _somebody_judges(self) -> Self:
        if not self.teacher.policy.judged_by and self.forecast is None:
            raise ValueError(
                f"the teacher's policy is {self.teacher.policy.kind}, which judges nothing, so nothing can be fitted: "
                "give it policy until_decided with its verifiers, ask for a `forecast`, or remove the pilot"
            )
        return self

    @property
    def fits(self) -> bool:
        """Whether a prior is fitted."""
        return self.forecast is None or self.teacher.policy.needs_pilot

    def chosen_of(self, problems: int) -> int:
        """How many of so many problems are tried, if there are enough."""
        return max(self.problems, ceil(problems * self.forecast.share) if self.forecast else 0)

    @property
    def requests(self) -> int:
        """The most samples of one problem."""
        fitted_to = self.samples * max(1, len(self.teacher.modes)) if self.fits else 0
        return max(fitted_to, self.teacher.requests if self.forecast else 0)

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """What decides the outcome: who is asked and how, and by whom it is judged.

        What a policy makes of that decides no prior, but how much is asked.
        """
        settings = super().settings(inputs)
        policy = self.teacher.policy.settings()
        decides = {"verifiers": policy["verifiers"]} if self.forecast is None else policy
        return {**settings, "teacher": {**settings["teacher"], "policy": decides}}

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """The problems and their fates, and of the other tables those that decide who is asked."""
        wanted = ("problems", "ledger", *(self.forecast.needs() if self.forecast else ()))
        return inputs.digests([name for name in self.reads if name in wanted])

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Try, or keep what was tried. Raises RecipeError when a prior is wanted and no sample could be judged."""
        alive = [inputs.alive("problem", shard) for shard in inputs.shards()]
        population = self._population(inputs, alive)
        made_with = {ASKED: dict(self.material(resources, inputs))}
        ledger = kept_rows("problem", pa.chunked_array(alive, pa.string()))
        kept = self._kept(inputs, made_with[ASKED])
        if kept:
            carried = {name: one for name, one in kept.tables.items() if name in ("priors", "piloted")}
            known = inputs.store.get_table(carried["piloted"]) if self.forecast else None
            piloted = None if known is None else _still(known, population)
            changed = {} if piloted is None or piloted.equals(known) else {"piloted": piloted}
            left = {name: one for name, one in carried.items() if name not in changed}
            return Output(ledger, {**changed, **self._foreseen(piloted, population)}, left, made_with=made_with)
        tried = self._tried(self._trying(resources, inputs, population))
        return Output(ledger, {**tried, **self._foreseen(tried.get("piloted"), population)}, made_with=made_with)

    def _kept(self, inputs: Inputs, asked: dict[str, str]) -> Manifest | None:
        """What a run before this one has tried, if it still holds."""
        previous = inputs.previous
        if previous is None or previous.settings != self.settings(inputs) or previous.made_with.get(ASKED) != asked:
            return None
        return previous

    def _population(self, inputs: Inputs, alive: list[pa.Array]) -> pl.DataFrame:
        """The problems that may be asked: id, category, difficulty; as one group where nothing is forecast."""
        columns = ["id", "category", "difficulty"]
        parts = [pl.DataFrame(schema=dict.fromkeys(columns, pl.String))]
        for shard, living in enumerate(alive):
            rows = pl.DataFrame(inputs.table("problems", columns, shard))
            gone = self._spared(inputs, shard)
            own = pl.col("id").is_in(pl.Series(living).implode()) & ~pl.col("id").is_in(gone.implode())
            parts.append(rows.filter(own))
        every = pl.concat(parts)
        if self.forecast:
            return every.unique("id", keep="first", maintain_order=True)
        return every.with_columns(pl.lit(None, pl.String).alias(name) for name in columns[1:])

    def _spared(self, inputs: Inputs, shard: int) -> pl.Series:
        """The problems of a shard that the distil step will not ask."""
        if self.forecast is None:
            return pl.Series([], dtype=pl.String)
        wanted = self.forecast.problems == "unverified"
        verified = existing(inputs, self.forecast.verified_by, shard)[1] if wanted else set[str]()
        return pl.Series(list(self.forecast.spared(inputs, verified, shard)), dtype=pl.String)

    def _trying(self, resources: Resources, inputs: Inputs, population: pl.DataFrame) -> Trying:
        ids = stratified(population, self.chosen_of(population.height))
        chosen = _rows(inputs, ids, once=self.forecast is not None)
        return Trying(self.teacher, chosen, self.feed(self.teacher.model, resources, inputs), resources, inputs.store)

    def _tried(self, trying: Trying) -> dict[str, pa.Table]:
        priors = pa.Table.from_pylist(list(self._priors(trying)) if self.fits else [], columns_of("priors"))
        if self.forecast is None:
            return {"priors": priors}
        modes = [mode for mode, _ in self.teacher.ways()]
        ruling = self.teacher.policy.ruling(priors, self.teacher.model.name, modes)
        return {"priors": priors, "piloted": PILOTED.of(trying.taken(ruling))}

    def _priors(self, trying: Trying) -> Iterator[dict[str, Any]]:
        teacher = self.teacher.model.name
        for mode, every in trying.by_mode(self.samples).items():
            tried = [one for one in every if one.decided]
            if not tried:
                raise RecipeError(
                    f"the pilot of teacher {teacher!r}{f' in mode {mode!r}' if mode else ''} tells nothing: of "
                    f"{trying.problems.num_rows} problems, {len(every)} can be judged by its verifiers, and no sample "
                    "of these could be told right or wrong. Name other verifiers, or give the policy a `prior`"
                )
            progress.info("pilot of %s: %d problems tell what to expect", teacher, len(tried))
            yield from ({**row, "teacher": teacher, "mode": mode} for row in fitted(tried, self.fit))

    def _foreseen(self, piloted: pa.Table | None, population: pl.DataFrame) -> dict[str, pa.Table]:
        """The tables `strata` and `forecasts`; none where nothing is forecast."""
        if piloted is None:
            return {}
        name = pl.lit(self.teacher.model.name).alias("teacher")
        sizes = population.group_by("category", "difficulty", maintain_order=True).agg(
            pl.len().cast(pl.Int64).alias("problems")
        )
        strata = sizes.select(name, *sizes.columns)
        tally = Tally(pl.DataFrame(piloted), strata)
        rows = [{"teacher": self.teacher.model.name, **row} for row in tally.rows()]
        for row in rows:
            if row["expected"] is not None:
                progress.info("pilot of %s: %s", self.teacher.model.name, told(row))
        return {"strata": strata.to_arrow().cast(columns_of("strata")), "forecasts": FORECASTS.of(rows)}


def _still(piloted: pa.Table, population: pl.DataFrame) -> pa.Table:
    return still_there(pl.DataFrame(piloted), population).to_arrow().cast(piloted.schema)


def told(row: dict[str, Any]) -> str:
    """A row of `forecasts` as a sentence."""
    what = "seconds of requests" if row["quantity"] == "seconds" else row["quantity"].replace("_", " ")
    between = f"{row['low']:,.0f} to {row['high']:,.0f}"
    return f"{row['expected']:,.0f} {what} expected of {row['problems']:,} problems, 90 % between {between}"


def _rows(inputs: Inputs, ids: pl.Series, once: bool) -> pa.Table:
    """The problems of these ids with what teachers and verifiers read; `once`: of equal ids the first."""
    wanted = ids.to_arrow().cast(pa.string())
    parts = [inputs.table("problems", _COLUMNS, shard) for shard in inputs.shards()]
    rows = pa.concat_tables([part.filter(pc.is_in(part["id"], value_set=wanted)) for part in parts])
    return rows.filter(pl.Series(rows["id"]).is_first_distinct().to_arrow()) if once else rows
