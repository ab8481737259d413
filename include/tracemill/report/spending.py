"""What each response of a shard cost: by its tokens where a model is hosted, else by its part of its server's time."""

from __future__ import annotations

import polars as pl

from tracemill.engine.responses import told_once
from tracemill.engine.step import Inputs
from tracemill.engine.store import Store
from tracemill.models.costs import ServerLife, lives, mean_time
from tracemill.models.model import Model
from tracemill.models.step import asked_models
from tracemill.recipe import Recipe

_PRICES = {"teacher": pl.String, "input": pl.Float64, "output": pl.Float64, "gpu_hour": pl.Float64}
_COSTS = ("device_seconds", "money")
_SAMPLE = ("teacher", "mode", "sample_index")
_TIMES = {"server": pl.String, "read": pl.Float64, "wrote": pl.Float64}


class Tariff:
    """The prices of a recipe's models, and what a token took at each server that there was on its store.

    `currency` is that of the prices, "" where there is none; several are joined.
    """

    def __init__(self, recipe: Recipe, store: Store) -> None:
        self.models = asked_models(recipe.pipeline().values())
        self.lives: dict[str, ServerLife] = {life.server: life for life in lives(store)}
        self._times = pl.DataFrame(
            [(name, *_per_token(life)) for name, life in self.lives.items()], schema=_TIMES, orient="row"
        )
        self._prices = pl.DataFrame([_priced(model) for model in self.models.values()], schema=_PRICES, orient="row")
        self.currency = " or ".join(sorted({price for model in self.models.values() if (price := currency(model))}))

    def costs(self, inputs: Inputs) -> pl.DataFrame:
        """One row a response of the shard: `id`, `device_seconds` and `money`.

        Device-seconds are null where no server of this store is known to have written it, money where nothing says
        what it cost. Of published responses, which nobody paid for here, both are. What a repaired problem was answered
        before its repair cost then, and nothing again; so did that of which a phrase was cut out.
        """
        rows = pl.DataFrame(inputs.table("generations", ["id", "teacher", "prompt_tokens", "completion_tokens"]))
        is_paid = pl.col("id").is_in(_answered_before(inputs).implode())
        timed = rows.join(self._taken(inputs), on="id", how="left").join(self._prices, on="teacher", how="left")
        timed = timed.join(_begun(inputs), on="id", how="left")
        again = pl.when(pl.col("is_continued")).then(pl.col("prompt_tokens") + pl.col("begun")).otherwise(0)
        by_token = (pl.col("prompt_tokens") + again) * pl.col("input") + pl.col("completion_tokens") * pl.col("output")
        money = pl.coalesce(by_token / 1e6, pl.col("device_seconds") / 3600 * pl.col("gpu_hour"))
        costs = timed.select("id", "device_seconds", money.alias("money"))
        is_rest = pl.col("id").is_in(_left_of_others(inputs).implode())
        return costs.with_columns(
            pl.when(is_rest | (is_paid & pl.col(one).is_not_null())).then(0.0).otherwise(one).alias(one)
            for one in _COSTS
        )

    def money(self, model: str, device_seconds: float) -> float | None:
        """What so many device-seconds of a model's servers cost; None without a price."""
        price = self.models[model].serve.price if model in self.models else None
        return price.of(device_seconds) if price else None

    @property
    def batched(self) -> list[str]:
        """The models that are asked in batches, of whose answers nobody knows how long each took."""
        return [name for name, model in self.models.items() if model.api and model.api.batch]

    def currency_of(self, model: str) -> str:
        """In what a model's price is; "" where it has none."""
        return currency(self.models[model]) if model in self.models else ""

    def per_token(self, model: str) -> tuple[float, float] | None:
        """The money for a token that a model reads, and for one that it writes.

        None without a price, and while no server of this store has shown how long a token takes.
        """
        asked = self.models.get(model)
        if asked is None:
            return None
        if asked.api:
            return (asked.api.paid.input / 1e6, asked.api.paid.output / 1e6) if asked.api.paid else None
        time = mean_time(life for life in self.lives.values() if model in life.models)
        hour = asked.serve.price
        return (hour.of(time.read), hour.of(time.wrote)) if hour and time else None

    def _taken(self, inputs: Inputs) -> pl.DataFrame:
        """The device-seconds of each response that servers of the store wrote, all its requests together."""
        usage = pl.DataFrame(inputs.table("usage")).join(self._times, on="server", how="left")
        seconds = pl.col("prompt_tokens") * pl.col("read") + pl.col("completion_tokens") * pl.col("wrote")
        each = usage.select(pl.col("generation_id").alias("id"), seconds.alias("seconds"))
        whole = pl.when(pl.col("seconds").is_not_null().all()).then(pl.col("seconds").sum())
        return each.group_by("id").agg(whole.alias("device_seconds"))


def _answered_before(inputs: Inputs) -> pl.Series:
    """The responses to repaired problems that are those to the problem before: one request, and two rows."""
    repairs = pl.DataFrame(inputs.table("repairs", ["problem_id", "repaired_as"])).drop_nulls()
    if repairs.is_empty():
        return pl.Series([], dtype=pl.String)
    rows = pl.DataFrame(inputs.table("generations", ["id", "problem_id", *_SAMPLE]))
    before = rows.join(repairs, on="problem_id").select(pl.col("repaired_as").alias("problem_id"), *_SAMPLE)
    return rows.join(before, on=["problem_id", *_SAMPLE], how="semi", nulls_equal=True)["id"]


def _left_of_others(inputs: Inputs) -> pl.Series:
    """The responses that are what is left of others, of which a phrase was cut out."""
    table = inputs.table("generations", ["id", "problem_id", *_SAMPLE])
    rows = pl.DataFrame(told_once(inputs, table))
    former = pl.DataFrame(table).join(rows, on="id", how="anti")
    return rows.join(former, on=["problem_id", *_SAMPLE], how="semi", nulls_equal=True)["id"]


def _begun(inputs: Inputs) -> pl.DataFrame:
    """The responses that were continued: a second request reads the prompt and what was `begun` once more."""
    seams = pl.DataFrame(inputs.table("continuations", ["generation_id", "tokens"]))
    return seams.select(
        pl.col("generation_id").alias("id"), pl.col("tokens").alias("begun"), pl.lit(True).alias("is_continued")
    )


def currency(model: Model) -> str:
    """In what a model's price is; "" where it has none."""
    price = model.token_price or model.hour_price
    return price.currency if price else ""


def _priced(model: Model) -> tuple[str, float | None, float | None, float | None]:
    tokens = model.token_price
    hour = model.hour_price
    return (
        model.name,
        tokens.input if tokens else None,
        tokens.output if tokens else None,
        hour.gpu_hour if hour else None,
    )


def _per_token(life: ServerLife) -> tuple[float, float]:
    time = life.token_time()
    return time.read, time.wrote
