"""Writes a comparison of teachers as a folder: a page with tables and pictures, and the same numbers as Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tracemill.engine.objects import store_io
from tracemill.models.prices import amount
from tracemill.release import fits
from tracemill.release.drawing import BAR, INK, MARK, drawn, short
from tracemill.release.markdown import table
from tracemill.report.compare import BIN, Comparison
from tracemill.report.forecast import HEAD, lines, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATES = ("teacher", "mode", "category", "problems", "responses", "verified", "90 % interval", "attempts for one")
FIT = fits.HEAD
FORM = ("teacher", "mode", "category", "tokens (mean)", "tokens (median)", "perplexity", "loops", "cut", "astray")
SPENT = ("teacher", "mode", "category", "tokens", "seconds", "device-seconds", "money")
_PALETTE = (BAR, MARK, INK, "#8a6fb0", "#c9a227", "#5b8fd6")
_FORECASTS = {
    **dict.fromkeys(("stage", "teacher", "quantity", "unit"), pl.String),
    **dict.fromkeys(("expected", "low", "high", "actual"), pl.Float64),
    "held": pl.Boolean,
}
_PANELS = 6  # categories in one picture, those of the most responses first


def write(found: Comparison, folder: Path, title: str) -> list[Path]:
    """Write README.md, {rates,lengths,turned_away,fits,forecasts}.parquet and two pictures; returns their paths.

    Raises StoreError where the folder cannot be written.
    """
    with store_io(f"cannot write {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        frames = {name: getattr(found, name) for name in ("rates", "lengths", "turned_away", "fits")}
        frames |= {"forecasts": _forecasts(found)}
        paths = [folder / f"{name}.parquet" for name in frames]
        for path, frame in zip(paths, frames.values(), strict=True):
            frame.write_parquet(path)
        paths += [drawn(partial(_draw_rates, found=found), folder / "rates.png")]
        if found.lengths.height:
            paths += [drawn(partial(_draw_lengths, found=found), folder / "lengths.png")]
        page = folder / "README.md"
        page.write_text(_page(found, title, [path.name for path in paths if path.suffix == ".png"]), encoding="utf-8")
    return [*paths, page]


def silence(found: Comparison) -> str:
    """The sentence about teachers without a response."""
    return f"The recipe names {', '.join(found.silent)}, of which there is no response: why, say their steps' ledgers."


def unlike(found: Comparison) -> str:
    """What is to be known where the teachers did not answer the same problems; "" where they did.

    A strong one that is asked where a cheap one failed seems to be the worse of them.
    """
    each = {name: problems for name, problems in found.answered.items() if name}
    both = found.answered[""]
    if all(problems == both for problems in each.values()):
        return ""
    told = ", ".join(f"{name} {problems:,}" for name, problems in each.items())
    return (
        f"They did not answer the same problems ({told}; {both:,} all of them): what differs below may be the problems "
        "and not the teachers. Ask each with `problems: all` to compare them."
    )


def rate_rows(found: Comparison) -> list[tuple[Any, ...]]:
    """The lines under RATES."""
    return [
        (
            *_named(row),
            row["problems"],
            row["responses"],
            f"{_share(row['pass_rate'])} of {row['decided']:,}",
            f"{_share(row['low'])} to {_share(row['high'])}" if row["low"] is not None else "",
            _number(row["attempts_per_accepted"], 2),
        )
        for row in found.rates.iter_rows(named=True)
    ]


def form_rows(found: Comparison) -> list[tuple[Any, ...]]:
    """The lines under FORM: how long and likely responses are, how many never ended, and which went astray."""
    medians = _medians(found.lengths)
    return [
        (
            *_named(row),
            _number(row["mean_tokens"], 0),
            _number(medians.get((row["teacher"], row["category"])), 0) if not row["mode"] else "",
            _number(row["mean_perplexity"], 2),
            _share(row["looped"] / row["responses"]),
            _share(row["cut"] / row["responses"]),
            _share(row["astray"] / row["told"]) if row["told"] else "",
        )
        for row in found.rates.iter_rows(named=True)
    ]


def spent_rows(found: Comparison) -> list[tuple[Any, ...]]:
    """The lines under SPENT: what one accepted response cost."""
    columns = (
        ("tokens_per_accepted", 0),
        ("seconds_per_accepted", 1),
        ("device_seconds_per_accepted", 2),
    )
    return [
        (*_named(row), *(_number(row[name], digits) for name, digits in columns), _money(row["money_per_accepted"]))
        for row in found.rates.iter_rows(named=True)
    ]


def fit_rows(found: Comparison) -> list[tuple[Any, ...]]:
    """The lines under FIT; none where no student measured anything."""
    return [
        (student, teacher, traces, f"{ratio:.3f}", f"{surprisal:.3f}")
        for student, teacher, traces, ratio, surprisal in found.fits.iter_rows()
    ]


def cautioned(found: Comparison) -> str:
    """What to know of the fits; "" where there is nothing."""
    return fits.caution(found.fits["mean_surprisal"].to_list())


def _named(row: dict[str, Any]) -> tuple[str, str, str]:
    category = "all" if row["category"] is None else row["category"] or "none"
    return row["teacher"], row["mode"], category


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _money(value: float | None) -> str:
    return "" if value is None else amount(value)


def _medians(lengths: pl.DataFrame) -> dict[tuple[str, str | None], float]:
    """The median length of verified responses by teacher and category, and by teacher, to half a bin."""
    whole = lengths.group_by("teacher", "tokens").agg(pl.col("responses").sum())
    every = pl.concat([lengths, whole.with_columns(pl.lit(None, pl.String).alias("category")).select(lengths.columns)])
    reached = pl.col("responses").cum_sum() * 2 >= pl.col("responses").sum()
    found = every.sort("tokens").group_by("teacher", "category").agg(pl.col("tokens").filter(reached).first())
    return {(teacher, category): first + BIN / 2 for teacher, category, first in found.iter_rows()}


def _page(found: Comparison, title: str, pictures: Sequence[str]) -> str:
    away = [
        tuple(row)
        for row in found.turned_away.sort("teacher", "step", "responses", descending=[False, False, True]).iter_rows()
    ]
    parts = [
        f"# {title}\n",
        f"{found.shared:,} of {found.problems:,} problems were solved by every teacher. A blank cell is what nobody "
        "counted: published responses have no tokens, models without a price in the recipe cost no money here, and "
        "what an earlier run's servers answered has its device-seconds there.\n",
        *((f"{silence(found)}\n",) if found.silent else ()),
        *((f"{said}\n",) if (said := unlike(found)) else ()),
        "## What was solved\n",
        "Verified: the share of decided responses whose verdicts together are a pass, with Jeffreys' interval over "
        "responses. Accepted: what no step turned away.\n",
        table(RATES, rate_rows(found)),
        "## Length and form\n",
        f"The median is that of verified responses, to {BIN // 2} tokens. Astray: the share that thinks in "
        "another language than its problem is put in.\n",
        table(FORM, form_rows(found)),
        "## What an accepted response cost\n",
        table(SPENT, spent_rows(found)),
        *(("## Fit to a student\n", table(FIT, fit_rows(found)), cautioned(found)) if found.fits.height else ()),
        *_foreseen(found),
        "## What was turned away\n",
        table(("teacher", "step", "reason", "responses"), away),
        *(f"![{name.removesuffix('.png')}]({name})\n" for name in pictures),
    ]
    return "\n".join(parts)


def _foreseen(found: Comparison) -> list[str]:
    """The section about pilots; nothing without any."""
    if not found.foreseen:
        return []
    told = [part for one in found.foreseen for part in (f"{sentence(one)}\n", table(HEAD, lines(one.quantities)))]
    return ["## What was forecast, and what came\n", *told]


def _forecasts(found: Comparison) -> pl.DataFrame:
    """The same, one row a teacher and quantity."""
    rows = [
        (
            *(one.stage, one.teacher, quantity.name, quantity.unit),
            *((quantity.total.expected, quantity.total.low, quantity.total.high) if quantity.total else (None,) * 3),
            *(quantity.actual, quantity.held),
        )
        for one in found.foreseen
        for quantity in one.quantities
    ]
    return pl.DataFrame(rows, schema=_FORECASTS, orient="row")


def _draw_rates(figure: Figure, found: Comparison) -> None:
    rows = [row for row in found.rates.iter_rows(named=True) if row["category"] is not None and row["low"] is not None]
    axes = figure.subplots()
    categories = list(dict.fromkeys(row["category"] for row in rows))
    models = list(dict.fromkeys((row["teacher"], row["mode"]) for row in rows))
    width = 0.8 / max(1, len(models))
    for number, model in enumerate(models):
        mine = {row["category"]: row for row in rows if (row["teacher"], row["mode"]) == model}
        places = [place for place, category in enumerate(categories) if category in mine]
        shown = [mine[categories[place]] for place in places]
        rates = np.array([row["pass_rate"] for row in shown])
        reach = [rates - [row["low"] for row in shown], [row["high"] for row in shown] - rates]
        at = np.array(places) + (number - (len(models) - 1) / 2) * width
        colour = _PALETTE[number % len(_PALETTE)]
        axes.bar(at, rates, width, yerr=np.clip(reach, 0, 1), color=colour, label=short(" ".join(model).strip()))
    axes.set_xticks(range(len(categories)), [short(one or "none") for one in categories])
    axes.set_ylim(0, 1)
    axes.set_ylabel("verified")
    if rows:
        axes.legend(frameon=False, fontsize=8)
    figure.tight_layout()


def _draw_lengths(figure: Figure, found: Comparison) -> None:
    most = (
        found.lengths.group_by("category").agg(pl.col("responses").sum()).sort("responses", "category", descending=True)
    )
    shown = most["category"].head(_PANELS).to_list()
    columns = 1 if len(shown) == 1 else 2
    grid = figure.subplots(-(-len(shown) // columns), columns, squeeze=False)
    for axes, category in zip(grid.flat, shown, strict=False):
        length_panel(axes, found.lengths.filter(pl.col("category") == category), found.teachers)
        axes.set_title(short(category or "none"), loc="left", color=INK, fontsize=8)
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_axis_off()
    grid[0, 0].legend(frameon=False, fontsize=7)
    figure.tight_layout()


def length_panel(axes: Axes, lengths: pl.DataFrame, teachers: Sequence[str]) -> None:
    """Draw the shares of a teacher's verified responses by length; the axis doubles, as lengths spread over decades.

    `lengths`: teacher, tokens (in bins of BIN, by the first), responses; not empty.
    """
    halves = np.ceil(2 * np.log2(lengths["tokens"].to_numpy().max() / BIN + 1))
    edges = BIN * 2.0 ** (np.arange(max(halves, 4) + 1) / 2)
    for number, teacher in enumerate(teachers):
        mine = lengths.filter(pl.col("teacher") == teacher)
        if mine.is_empty():
            continue
        weights = mine["responses"].to_numpy() / mine["responses"].sum()
        middles = mine["tokens"].to_numpy() + BIN / 2
        counts, _ = np.histogram(np.clip(middles, edges[0], edges[-1] - 1), edges, weights=weights)
        axes.stairs(counts, edges, color=_PALETTE[number % len(_PALETTE)], label=short(teacher))
    axes.set_xscale("log", base=2)
    axes.set_xticks(edges[::4], [f"{edge:,.0f}" for edge in edges[::4]])
    axes.minorticks_off()
    axes.set_xlabel("tokens", fontsize=8)
    axes.tick_params(labelsize=7)
