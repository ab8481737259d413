"""Ranks teachers by how well their released traces fit a student, where one was measured (`perplexity` with `rsr`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracemill.release.markdown import table

HEAD = ("student", "teacher", "traces", "rank-surprisal ratio (lower fits better)", "mean surprisal")
_CERTAIN = 0.2  # nats a token: among the zoo's models, at 0.03 to 0.2, the ratio ordered teachers the other way round


@dataclass
class Fits:
    """By student and teacher: traces, and the sums of their mean ranks and mean surprisals."""

    sums: dict[tuple[str, str], tuple[int, float, float]] = field(default_factory=dict)

    def add(self, teacher: str, measurements: Iterable[Mapping[str, Any]]) -> None:
        """Count a trace with its measurements."""
        known = {(one["measurer"], one["metric"]): one["value"] for one in measurements}
        for (student, metric), ratio in known.items():
            surprisal = known.get((student, "surprisal"))
            if metric == "rsr" and surprisal is not None:
                traces, ranks, surprisals = self.sums.get((student, teacher), (0, 0.0, 0.0))
                self.sums[student, teacher] = traces + 1, ranks + ratio * surprisal, surprisals + surprisal

    def section(self) -> str:
        """A table of the teachers, for each student the best fitting first; nothing where no student was asked.

        The ratio of a teacher is that of the sums over its traces (arXiv 2601.14249, appendix A.8): a mean of ratios
        would be that of a few traces which hardly surprise at all.
        """
        rows = [
            (student, teacher, traces, f"{ranks / surprisals:.3f}", f"{surprisals / traces:.3f}")
            for (student, teacher), (traces, ranks, surprisals) in self.sums.items()
        ]
        if not rows:
            return ""
        rows.sort(key=lambda row: (row[0], float(row[3]), row[1]))
        told = caution(surprisals / traces for traces, _, surprisals in self.sums.values())
        return f"### Fit to a student\n\n{table(HEAD, rows)}\n{told}"


def caution(surprisals: Iterable[float]) -> str:
    """What to know of a ratio where a student is hardly surprised, by its mean surprisals (nats); "" elsewhere."""
    if min(surprisals, default=_CERTAIN) >= _CERTAIN:
        return ""
    return (
        f"Below {_CERTAIN} nats of surprisal nearly each token is the student's first choice, and the ratio little but "
        "one over the surprisal: it says which traces are strange to the student then, not which fit it.\n"
    )
