"""Draws the four analysis figures of arXiv 2503.19633, appendix A: length, references, category, difficulty.

Same counts, same bytes: no date, no software version, matplotlib's own font, fixed size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tracemill.release.tally import LENGTH_BIN, LENGTH_TOP, UNLABELLED, Tally

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # heavy: only a process that draws pays for it

_INK, _BAR = "#22313f", "#2f7f79"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_FRAME = (0.24, 0.14, 0.72, 0.76)  # left, bottom, width, height of the axes as shares of the figure
_WIDE_FRAME = (0.10, 0.14, 0.86, 0.76)
_CATEGORIES_SHOWN = 12
_NAME_SHOWN = 21  # characters
DIFFICULTIES = ("very easy", "easy", "medium", "hard", "very hard")
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
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 4.0), dpi=120)
        FigureCanvasAgg(figure)
        axes = figure.add_axes(_FRAME)
        draw(axes, tally)
        figure.savefig(path, format="png", metadata={"Software": None})
    return path


def _length(axes: Axes, tally: Tally) -> None:
    """Histogram of entry lengths up to the longest; everything from LENGTH_TOP on shares the last bar."""
    axes.set_position(_WIDE_FRAME)
    last = max(tally.lengths, default=0)
    width = max(1, -(-(last + 1) // 64))
    bars: Counter[int] = Counter()
    for number, count in tally.lengths.items():
        bars[number // width] += count
    step = width * LENGTH_BIN
    axes.bar([b * step for b in bars], list(bars.values()), width=step * 0.94, align="edge", color=_BAR)
    longer = f" (the last bar: {LENGTH_TOP:,} or more)" if last >= LENGTH_TOP // LENGTH_BIN else ""
    _named(axes, f"Length of {tally.rows:,} entries", f"tokens of prompt and response{longer}", "entries")


def _reference(axes: Axes, tally: Tally) -> None:
    _shares(axes, AVAILABILITY, tally.availability, "Reference answers and test cases")


def _category(axes: Axes, tally: Tally) -> None:
    """The most frequent categories; the rest together, so that the bars add up to all entries."""
    named = [name for name, _ in sorted(tally.categories.items(), key=lambda item: (-item[1], item[0]))]
    shown, rest = named[:_CATEGORIES_SHOWN], named[_CATEGORIES_SHOWN:]
    counts = Counter({name: tally.categories[name] for name in shown})
    if rest:
        counts["other categories"] = sum(tally.categories[name] for name in rest)
    _shares(axes, list(counts), counts, "Categories")


def _difficulty(axes: Axes, tally: Tally) -> None:
    """The paper's five grades in their order, then grades that only a source uses, then entries without one."""
    named = sorted(set(tally.difficulties) - {*DIFFICULTIES, UNLABELLED})
    _shares(axes, [*DIFFICULTIES, *named, UNLABELLED], tally.difficulties, "Difficulty")


def _shares(axes: Axes, names: Sequence[str], counts: Counter[str], title: str) -> None:
    total = counts.total()
    bars = axes.barh(range(len(names)), [counts[name] for name in names], color=_BAR)
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.bar_label(bars, [f"{counts[n]:,} ({counts[n] / max(total, 1):.1%})" for n in names], padding=4, color=_INK)
    axes.invert_yaxis()
    axes.margins(x=0.22)
    _named(axes, f"{title} of {total:,} entries", "entries", "")


def _short(name: str) -> str:
    plain = " ".join(name.split())
    return plain if len(plain) <= _NAME_SHOWN else f"{plain[: _NAME_SHOWN - 1]}…"


def _named(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", color=_INK)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
