"""Shows how a metric was distributed over all responses, and where a `cut` step cut it: one figure each, one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tracemill.release.drawing import BAR, INK, MARK, drawn, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cut = Mapping[str, Any]  # a row of the table `cuts`
PANELS = 6  # distributions in one figure, those of the most responses first; the table lists all
HEAD = ("metric", "measured by", "group", "responses", "lowest", "median", "highest", "cut at")


def draw_distributions(cuts: Sequence[Cut], folder: Path) -> dict[str, Path]:
    """Write a PNG per metric below `folder`; returns them by their names in the release."""
    found = {}
    for metric in sorted({cut["metric"] for cut in cuts}):
        mine = sorted((cut for cut in cuts if cut["metric"] == metric), key=lambda cut: -cut["rows"])[:PANELS]
        name = f"figures/cut_{metric}.png"
        found[name] = drawn(partial(_panels, cuts=mine), folder / Path(name).name)
    return found


def cut_rows(cuts: Sequence[Cut]) -> list[tuple[Any, ...]]:
    """The lines of the card's table, under HEAD."""
    return [
        (
            *(cut[key] for key in ("metric", "measurer", "group", "rows")),
            *(f"{cut[key]:.4g}" for key in ("minimum", "median", "maximum")),
            cut_at(cut),
        )
        for cut in cuts
    ]


def cut_at(cut: Cut) -> str:
    """The threshold in words; a quantile says which."""
    if cut["threshold"] is None:
        return "nowhere"
    which = f" (quantile {cut['quantile']:g})" if cut["quantile"] is not None else ""
    return f"{cut['threshold']:.4g}{which}"


def _panels(figure: Figure, cuts: Sequence[Cut]) -> None:
    columns = 1 if len(cuts) == 1 else 2
    grid = figure.subplots(-(-len(cuts) // columns), columns, squeeze=False)
    for axes, cut in zip(grid.flat, cuts, strict=False):
        edges = cut["edges"]
        counts = cut["counts"]
        axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=BAR)
        if cut["threshold"] is not None:
            axes.axvline(cut["threshold"], color=MARK, linewidth=1.5)
        group = "" if cut["group"] == "*" else f", {short(cut['group'])}"
        title = f"{short(cut['measurer'])}{group}\n{cut['rows']:,} responses, cut at {cut_at(cut)}"
        axes.set_title(title, loc="left", color=INK, fontsize=8)
        axes.set_xlabel(cut["metric"], fontsize=8)
        axes.tick_params(labelsize=8)
    for axes in list(grid.flat)[len(cuts) :]:
        axes.set_axis_off()
    figure.tight_layout()
