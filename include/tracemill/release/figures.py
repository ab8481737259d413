"""Draws the four analysis figures of arXiv 2503.19633, appendix A: length, references, category, difficulty.
Where a model labelled the problems, the categories are its topics, as in the paper's figure 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tracemill.engine.ids import DIFFICULTIES
from tracemill.release.drawing import BAR, INK, drawn, short
from tracemill.release.tally import LENGTH_BIN, LENGTH_TOP, UNLABELLED, Tally

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # heavy: only a process that draws pays for it

_FRAME = (0.24, 0.14, 0.72, 0.76)  # left, bottom, width, height of the axes as shares of the figure
_WIDE_FRAME = (0.10, 0.14, 0.86, 0.76)
_CATEGORIES_SHOWN = 12
AVAILABILITY = ("reference answer", "test cases", "both", "neither")


def draw_figures(tally: Tally, folder: Path) -> dict[str, Path]:
    """Write the four PNG files below `folder`; returns them by their names in the release."""
    drawings: dict[str, Callable[[Axes, Tally], None]] = {
        "figures/length.png": _length,
        "figures/reference.png": _reference,
        "figures/category.png": _category,
        "figures/difficulty.png": _difficulty,
    }
    return {name: _drawn(draw, tally, folder / Path(name).name) for name, draw in drawings.items()}


def _drawn(draw: Callable[[Axes, Tally], None], tally: Tally, path: Path) -> Path:
    return drawn(lambda figure: draw(figure.add_axes(_FRAME), tally), path)


def _length(axes: Axes, tally: Tally) -> None:
    """Histogram of entry lengths up to the longest; everything from LENGTH_TOP on shares the last bar."""
    axes.set_position(_WIDE_FRAME)
    last = max(tally.lengths, default=0)
    width = max(1, -(-(last + 1) // 64))
    bars: Counter[int] = Counter()
    for number, count in tally.lengths.items():
        bars[number // width] += count
    step = width * LENGTH_BIN
    axes.bar([b * step for b in bars], list(bars.values()), width=step * 0.94, align="edge", color=BAR)
    longer = f" (the last bar: {LENGTH_TOP:,} or more)" if last >= LENGTH_TOP // LENGTH_BIN else ""
    _named(axes, f"Length of {tally.rows:,} entries", f"tokens of prompt and response{longer}", "entries")


def _reference(axes: Axes, tally: Tally) -> None:
    _shares(axes, AVAILABILITY, tally.availability, "Reference answers and test cases")


def _category(axes: Axes, tally: Tally) -> None:
    """The most frequent categories; the rest together, so that the bars add up to all entries."""
    every = tally.topics or tally.categories
    named = [name for name, _ in sorted(every.items(), key=lambda item: (-item[1], item[0]))]
    shown = named[:_CATEGORIES_SHOWN]
    rest = named[_CATEGORIES_SHOWN:]
    counts = Counter({name: every[name] for name in shown})
    if rest:
        counts["other categories"] = sum(every[name] for name in rest)
    _shares(axes, list(counts), counts, "Categories")


def _difficulty(axes: Axes, tally: Tally) -> None:
    """The paper's five grades in their order, then grades that only a source uses, then entries without one."""
    named = sorted(set(tally.difficulties) - {*DIFFICULTIES, UNLABELLED})
    _shares(axes, [*DIFFICULTIES, *named, UNLABELLED], tally.difficulties, "Difficulty")


def _shares(axes: Axes, names: Sequence[str], counts: Counter[str], title: str) -> None:
    total = counts.total()
    bars = axes.barh(range(len(names)), [counts[name] for name in names], color=BAR)
    axes.set_yticks(range(len(names)), [short(name) for name in names])
    axes.bar_label(bars, [f"{counts[n]:,} ({counts[n] / max(total, 1):.1%})" for n in names], padding=4, color=INK)
    axes.invert_yaxis()
    axes.margins(x=0.22)
    _named(axes, f"{title} of {total:,} entries", "entries", "")


def _named(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", color=INK)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
