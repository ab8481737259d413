"""Draws an evaluation: each score with its interval, and the papers' scores of the same benchmark as marks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tracemill.evaluate.papers import beside
from tracemill.release.drawing import BAR, INK, MARK, drawn, short
from tracemill.report.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # heavy: only a process that draws pays for it

_FRAME = (0.34, 0.14, 0.62, 0.76)  # left, bottom, width, height of the axes as shares of the figure
_SHOWN = 16  # scores that a picture has room for


def draw_scores(found: Evaluation, path: Path) -> Path:
    """Write the picture as a PNG; of more scores than it has room for, the first."""
    return drawn(lambda figure: _draw(figure.add_axes(_FRAME), found), path)


def _draw(axes: Axes, found: Evaluation) -> None:
    rows = found.scores.filter(pl.col("pass_at_1").is_not_null()).head(_SHOWN).to_dicts()
    published = [[one.score for one in beside(row["title"]) if one.benchmark == row["title"]] for row in rows]
    for place, row in enumerate(rows):
        mean = 100 * row["pass_at_1"]
        reach = [[mean - 100 * row["low"]], [100 * row["high"] - mean]]
        axes.errorbar([mean], [place], xerr=reach, fmt="o", color=BAR, capsize=3, label="" if place else "here")
    marks = [(score, place) for place, scores in enumerate(published) for score in scores]
    if marks:
        axes.plot(*zip(*marks, strict=True), "|", color=MARK, markersize=10, label="published")
    axes.set_yticks(range(len(rows)), [_name(row) for row in rows])
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("pass@1, per cent")
    axes.set_title(f"Scores with their {found.level:.0%} intervals", loc="left", color=INK)
    if rows:
        axes.legend(frameon=False, loc="best", fontsize=8)


def _name(row: Mapping[str, Any]) -> str:
    mode = f" {row['mode']}" if row["mode"] else ""
    return f"{short(row['title'])}\n{short(row['teacher'] + mode)}"
