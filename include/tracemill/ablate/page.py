"""Lays an ablation out as a folder: a page that says first what could be seen at all, a picture, and Parquet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tracemill.ablate.outcome import ALL_STAGES, Outcome
from tracemill.engine.objects import store_io
from tracemill.release.drawing import BAR, INK, MARK, drawn, short
from tracemill.release.markdown import table
from tracemill.release.trainers.folder import replaced
from tracemill.report.evaluation_page import per_cent

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # heavy: only a process that draws pays for it

FILE = "ablation.json"  # what came of it as JSON; also marks the folder as ours
HEAD = ("stage", "benchmark", "gain", "interval", "p", "seen from", "says", "with", "without", "items")
ARMS = ("set", "responses", "tokens", "came back", "went", "could not be told", "unjudged")
_FRAME = (0.3, 0.14, 0.66, 0.76)  # left, bottom, width, height of the axes as shares of the figure
_SHOWN = 14  # gains that a picture has room for


def lay_out(found: Outcome, folder: Path) -> None:
    """Write README.md, gains.png, gains.parquet, items.parquet and ablation.json below `folder`.

    The folder takes its place when all is written; an earlier ablation there is replaced. Raises StoreError where it
    holds other files or cannot be written.
    """
    with replaced(folder, FILE) as place, store_io(f"cannot write {folder}"):
        found.gains.write_parquet(place / "gains.parquet")
        found.items.write_parquet(place / "items.parquet")
        drawn(partial(_draw, found=found), place / "gains.png")
        (place / "README.md").write_text(page(found), encoding="utf-8")
        (place / FILE).write_text(json.dumps(found.as_dict(), indent=1) + "\n", encoding="utf-8")


def page(found: Outcome) -> str:
    """The whole page."""
    seeds = found.ablation.seeds
    return f"""# Does each stage of {found.recipe} help?

{first_line(found)}

A gain is the score of students that were trained on what the whole recipe releases, less that of students without the
stage, in per cent; both on {found.plan.tokens:,} tokens (thinking and answer, up to a row), {seeds} seeds each. Its
interval ({found.ablation.interval:.0%}) is over seeds and items. *Seen from* is the smallest true gain that such a
comparison finds four times in five. *{ALL_STAGES}* is the recipe against rows drawn by hash from all that there are.
{_by_chance(found)}

{table(HEAD, gain_rows(found))}
![Gains](gains.png)

## What was compared

*Came back*: responses that the whole recipe's release lacks. *Went*: those of its release that are not here, since the
ones that came back took their place. *Could not be told*: rows about which a model that was not asked again would have
decided; they are left out. *Unjudged*: rows without a number that a step would have given, which decided nothing.

{table(ARMS, arm_rows(found))}"""


def first_line(found: Outcome) -> str:
    """The smallest difference that could be seen: it stands before any result."""
    if found.visible is None:
        return "Nothing varied between students: no difference could be seen at all."
    return (
        f"The smallest difference that this could see is {per_cent(found.visible)} points (four times in five, "
        f"{found.ablation.seeds} seeds). What is not told below may be there and smaller than that."
    )


def _by_chance(found: Outcome) -> str:
    tested = found.gains.height
    share = 1 - found.ablation.interval
    return f"Of {tested} comparisons about {tested * share:.1f} leave 0 out by chance alone."


def gain_rows(found: Outcome) -> list[tuple[Any, ...]]:
    """The lines under HEAD."""
    return [_line(row) for row in found.gains.iter_rows(named=True)]


def _line(row: Mapping[str, Any]) -> tuple[Any, ...]:
    interval = "" if row["low"] is None else f"{per_cent(row['low'], True)} to {per_cent(row['high'], True)}"
    p = "" if row["p"] is None else f"{row['p']:.3f}"
    scores = (per_cent(row["score_with"]), per_cent(row["score_without"]))
    visible = per_cent(row["visible"])
    return (
        row["stage"], row["benchmark"], per_cent(row["gain"], True), interval, p, visible, row["call"], *scores,
        row["items"],
    )  # fmt: skip


def arm_rows(found: Outcome) -> list[tuple[Any, ...]]:
    """The lines under ARMS."""
    return [
        (arm.name, arm.rows, arm.tokens, arm.back, arm.gone, _by_step(arm.left_out), _by_step(arm.unjudged))
        for arm in found.plan.arms
    ]


def _by_step(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{step} {rows:,}" for step, rows in counts.items())


def _draw(figure: Figure, found: Outcome) -> None:
    axes = figure.add_axes(_FRAME)
    rows = found.gains.filter(pl.col("gain").is_not_null()).head(_SHOWN).to_dicts()
    for place, row in enumerate(rows):
        gain = 100 * row["gain"]
        reach = [[gain - 100 * row["low"]], [100 * row["high"] - gain]]
        colour = INK if row["call"] == "not told" else BAR if row["gain"] > 0 else MARK
        axes.errorbar([gain], [place], xerr=reach, fmt="o", color=colour, capsize=3)
    if found.visible is not None:
        axes.axvspan(-100 * found.visible, 100 * found.visible, color=INK, alpha=0.08, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8)
    several = len({row["benchmark"] for row in rows}) > 1
    names = [short(row["stage"]) + (f"\n{short(row['benchmark'])}" if several else "") for row in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("points of the score; shaded: too small to be seen")
    axes.set_title("What each stage gains", loc="left", color=INK)
