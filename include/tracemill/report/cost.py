"""What a run cost: what its servers held and used, what each stage asked for, and what a response cost by its fate.

Everything is added up shard by shard, so memory is that of one shard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tracemill.engine.pipeline import PLAN, first_of
from tracemill.engine.runner import inputs_of_shards, shard_count
from tracemill.engine.step import Inputs
from tracemill.engine.store import Manifest, Store
from tracemill.errors import MissingInput
from tracemill.models.costs import ServerLife
from tracemill.models.step import AskingStep
from tracemill.recipe import Recipe
from tracemill.report.spending import Tariff
from tracemill.report.turned_away import turned_away

FATE = ("teacher", "source", "category", "step", "reason")
_SERVERS = {
    **dict.fromkeys(("server", "model", "host", "unit"), pl.String),
    **dict.fromkeys(("replica", "devices"), pl.Int64),
    **dict.fromkeys(("held", "used", "attributed", "money"), pl.Float64),
    "currency": pl.String,
}
_STAGES = {
    **dict.fromkeys(("stage", "model"), pl.String),
    **dict.fromkeys(("answers", "prompt_tokens", "tokens"), pl.Int64),
    **dict.fromkeys(("device_seconds", "money"), pl.Float64),
    "currency": pl.String,
}
_COUNTED = {
    "responses": pl.len().cast(pl.Int64),
    "accepted": pl.col("accepted").sum().cast(pl.Int64),
    "counted": pl.col("completion_tokens").count().cast(pl.Int64),
    "tokens": pl.col("completion_tokens").cast(pl.Int64).sum(),
    "metered": pl.col("device_seconds").count().cast(pl.Int64),
    "device_seconds": pl.col("device_seconds").sum(),
    "priced": pl.col("money").count().cast(pl.Int64),
    "money": pl.col("money").sum(),
}


@dataclass(frozen=True)
class Cost:
    """What a run cost. `currency` is that of the prices; where there are several each row of money has its own.

    `servers`: one row a server's life: device-seconds held, used and attributed to answers, and the money for what it
    held. `stages`: what each stage's answers took of each model. `traces`: what models of the recipe wrote, by
    FATE (step and reason null for accepted ones), with how many of them are metered and priced; None while the run is
    not sealed up to its release.
    """

    servers: pl.DataFrame
    stages: pl.DataFrame
    traces: pl.DataFrame | None
    currency: str

    def by(self, *names: str) -> pl.DataFrame:
        """The traces added up by some columns of FATE, with what an accepted one cost: device-seconds and money over
        all of the group, null where those of one response are unknown, or nothing was accepted; so are tokens. Money of
        two currencies is not added up: it is null, too.
        """
        if self.traces is None:
            raise MissingInput("what a response cost is known once the run is sealed up to its release")
        alone = pl.when(pl.col("currency").n_unique() == 1).then(pl.col("currency").first()).alias("currency")
        sums = self.traces.group_by(*names).agg(pl.col(*_COUNTED).sum(), alone).sort(*names, nulls_last=True)
        per = 1 / pl.when(pl.col("accepted") > 0).then("accepted")
        metered = pl.when(pl.col("metered") == pl.col("responses")).then("device_seconds")
        is_one = pl.col("currency").is_not_null()
        priced = pl.when(pl.col("priced") == pl.col("responses"), is_one).then("money")
        return sums.with_columns(
            pl.when(pl.col("counted") == pl.col("responses")).then("tokens").alias("tokens"),
            metered.alias("device_seconds"),
            priced.alias("money"),
            (metered * per).alias("device_seconds_per_accepted"),
            (priced * per).alias("money_per_accepted"),
        )

    def unknown(self) -> int:
        """Of how many traces neither device-seconds nor money are known: no server of this store wrote them."""
        if self.traces is None:
            return 0
        return int(self.traces.select(pl.col("responses") - pl.max_horizontal("metered", "priced")).sum().item())


def cost(recipe: Recipe, store: Store) -> Cost:
    """Add up what is known of a run's cost, however far it is."""
    tariff = Tariff(recipe, store)
    asked = list(_asked(recipe, store))
    return Cost(_servers(tariff, asked), _stages(tariff, asked), _traces(recipe, store, tariff), tariff.currency)


def _asked(recipe: Recipe, store: Store) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Stage, model, and what a sealed shard's manifest says of asking it."""
    count = shard_count(store) if store.manifest(PLAN, 0) is not None else 0
    for stage, step in recipe.pipeline().items():
        if isinstance(step, AskingStep):
            shards = range(count if step.shape == "map" else 1)
            for manifest in store.manifests((stage, shard) for shard in shards):
                yield from ((stage, name, fact) for name, fact in _facts(manifest))


def _facts(manifest: Manifest | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, fact in (manifest.made_with if manifest else {}).items():
        if name.startswith("model ") and isinstance(fact, Mapping):
            yield name.removeprefix("model "), fact


def _servers(tariff: Tariff, asked: list[tuple[str, str, Mapping[str, Any]]]) -> pl.DataFrame:
    given: dict[str, float] = {}
    for _, _, fact in asked:
        for server, (_, prompt, tokens) in fact.get("servers", {}).items():
            if server in tariff.lives:
                seconds = tariff.lives[server].token_time().of(prompt, tokens)
                given[server] = given.get(server, 0.0) + seconds
    rows = [
        {
            "server": life.server,
            "model": " + ".join(life.models),
            "host": life.host,
            "unit": life.unit,
            "replica": life.replica,
            "devices": life.devices,
            "held": life.held,
            "used": life.used,
            "attributed": given.get(life.server, 0.0),
            **_held(tariff, life),
        }
        for life in tariff.lives.values()
    ]
    return pl.DataFrame(rows, schema=_SERVERS)


def _held(tariff: Tariff, life: ServerLife) -> dict[str, Any]:
    """The money for what a server held: by today's price, or by that of its time where its model is asked no more."""
    model = life.models[0]
    if model not in tariff.models and life.price:
        return {"money": life.price.of(life.held), "currency": life.price.currency}
    return {"money": tariff.money(model, life.held), "currency": tariff.currency_of(model)}


def _stages(tariff: Tariff, asked: list[tuple[str, str, Mapping[str, Any]]]) -> pl.DataFrame:
    parts = pl.DataFrame([_stage_row(tariff, *one) for one in asked], schema=_STAGES)
    known = {name: pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()) for name in _SUMMED}
    counts = pl.col("answers", "prompt_tokens", "tokens").sum()
    of = pl.col("currency").first()
    return parts.group_by("stage", "model", maintain_order=True).agg(counts, **known, currency=of)


_SUMMED = ("device_seconds", "money")


def _stage_row(tariff: Tariff, stage: str, model: str, fact: Mapping[str, Any]) -> dict[str, Any]:
    """One shard's answers of a model, those that it found in the sample store among them."""
    servers = fact.get("servers", {})
    answers = fact.get("paid", 0) + fact.get("reused", 0)
    is_known = servers.keys() <= tariff.lives.keys() and sum(one[0] for one in servers.values()) == answers
    spent = (tariff.lives[name].token_time().of(one[1], one[2]) for name, one in servers.items()) if is_known else ()
    seconds = sum(spent, 0.0) if servers and is_known else None
    told = {name: fact.get(name, 0) + fact.get(f"reused_{name}", 0) for name in ("prompt_tokens", "completion_tokens")}
    return {
        "stage": stage,
        "model": model,
        "answers": answers,
        "prompt_tokens": sum(one[1] for one in servers.values()) if servers else told["prompt_tokens"],
        "tokens": sum(one[2] for one in servers.values()) if servers else told["completion_tokens"],
        "device_seconds": seconds,
        "money": _money_of(tariff, model, fact) if seconds is None else tariff.money(model, seconds),
        "currency": tariff.currency_of(model),
    }


def _money_of(tariff: Tariff, model: str, fact: Mapping[str, Any]) -> float | None:
    """What tokens cost: those paid for as it was paid, those that were found by today's price.

    A shard of an older tracemill does not say what it found.
    """
    paid: float | None = fact.get("money")
    if not fact.get("reused_prompt_tokens") and not fact.get("reused_uncounted"):
        return paid
    price = tariff.per_token(model)
    if paid is None or price is None or fact["reused_uncounted"]:
        return None
    found: float = fact["reused_prompt_tokens"] * price[0] + fact["reused_completion_tokens"] * price[1]
    return paid + found


def _traces(recipe: Recipe, store: Store, tariff: Tariff) -> pl.DataFrame | None:
    """The counts of all shards by FATE; None while a step before the release is not sealed, or there is no release."""
    name = first_of(recipe, "release")
    if name is None:
        return None
    try:
        shards = inputs_of_shards(recipe, store, name)
    except MissingInput:
        return None
    parts = [responses(inputs, tariff).group_by(FATE).agg(**_COUNTED) for inputs in shards]
    if not parts:
        return None
    sums = pl.concat(parts).group_by(FATE).agg(pl.all().sum()).sort(*FATE, nulls_last=True)
    currencies = {name: tariff.currency_of(name) for name in tariff.models}
    return sums.with_columns(pl.col("teacher").replace_strict(currencies, default="").alias("currency"))


def responses(inputs: Inputs, tariff: Tariff) -> pl.DataFrame:
    """One row a response of a shard that a model of the recipe wrote: FATE, whether it was accepted, and its cost."""
    rows = pl.DataFrame(inputs.table("generations", ["id", "problem_id", "teacher", "completion_tokens", "seconds"]))
    rows = rows.filter(pl.col("teacher").is_in(list(tariff.models)), pl.col("seconds").is_not_null())  # not published
    problems = pl.DataFrame(inputs.table("problems", ["id", "source", "category"])).rename({"id": "problem_id"})
    alive = pl.DataFrame({"id": inputs.alive("generation")}).with_columns(pl.lit(True).alias("accepted"))
    joined = rows.join(problems, on="problem_id", how="left").join(alive, on="id", how="left")
    joined = joined.join(tariff.costs(inputs), on="id", how="left")
    joined = joined.join(turned_away(inputs, "generation"), on="id", how="left")
    orphans = turned_away(inputs, "problem").rename({"id": "problem_id"})
    joined = joined.join(orphans, on="problem_id", how="left", suffix="_of_problem")
    gone = pl.col("accepted").is_null()
    return joined.with_columns(
        pl.col("accepted").fill_null(False),
        pl.col("category").fill_null(""),
        pl.when(gone).then(pl.coalesce("step", "step_of_problem")).alias("step"),
        pl.when(gone).then(pl.coalesce("reason", "reason_of_problem")).alias("reason"),
    ).drop("step_of_problem", "reason_of_problem")
