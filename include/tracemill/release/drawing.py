"""How every figure of a release looks. Same counts, same bytes: no date, no software version, matplotlib's own font."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # heavy: only a process that draws pays for it

INK = "#22313f"
BAR = "#2f7f79"
MARK = "#c0503a"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_NAME_SHOWN = 21  # characters


def drawn(draw: Callable[[Figure], None], path: Path) -> Path:
    """Have `draw` fill a figure of the fixed size, and save it as a PNG."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 4.0), dpi=120)
        FigureCanvasAgg(figure)
        draw(figure)
        figure.savefig(path, format="png", metadata={"Software": None})
    return path


def short(name: str) -> str:
    """A name on one line, cut where it would run out of the figure."""
    plain = " ".join(name.split())
    return plain if len(plain) <= _NAME_SHOWN else f"{plain[: _NAME_SHOWN - 1]}…"
