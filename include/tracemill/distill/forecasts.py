"""How much all problems will take of a teacher, from what a stratified pilot of them took: totals with an interval.

The total is that of the problems that were tried, which is known, and for each stratum the mean of its tried problems
times those that were not. Its error is that of a stratified sample without replacement (Cochran, Sampling Techniques,
1977, chapter 5); the number of degrees of freedom is Satterthwaite's (ibid., 5.4). Lengths have a long tail, and so has
the mean of a few hundred: the interval is Student's on the logarithm of what is not known yet, which leaves more room
above than below. A stratum of few tried problems says too little of its spread and goes with its like.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t as student

ENOUGH = 10  # tried problems of a stratum that stands for itself: fewer seldom show the tail of its lengths
LEVEL = 0.90
UNSEEN = 0.05  # the share of problems whose categories nobody tried that may be forecast by the others
QUANTITIES = ("samples", "prompt_tokens", "completion_tokens", "seconds")
F64 = NDArray[np.float64]
_GROUP = ("category", "difficulty")


@dataclass(frozen=True)
class Total:
    """What is expected of a total, and its 90 % interval."""

    expected: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the interval does."""
        return self.low <= value <= self.high


class Tally:
    """The problems that were tried (table `piloted`) and all there are (`strata`), of one teacher.

    `unseen`: the problems of categories of which none was tried, as of a source that came later.
    """

    def __init__(self, piloted: pl.DataFrame, strata: pl.DataFrame) -> None:
        sizes = piloted.group_by(_GROUP).agg(pl.len().alias("tried"))
        every = strata.group_by(_GROUP).agg(pl.col("problems").sum())
        both = every.join(sizes, on=_GROUP, how="full", coalesce=True, nulls_equal=True).sort(_GROUP)
        both = both.with_columns(pl.col("problems", "tried").fill_null(0))
        both = both.with_columns(pl.max_horizontal("problems", "tried").alias("problems"))
        counts = both.select("category", "difficulty", "tried").rows()
        placed = both.with_columns(pl.Series("place", _merged(counts), pl.Int64))
        self._rows = piloted.join(placed.select(*_GROUP, "place"), on=_GROUP, how="left", nulls_equal=True)
        merged = placed.group_by("place").agg(pl.col("problems", "tried").sum()).sort("place")
        self._tried = merged["tried"].to_numpy().astype(float)
        self._all = merged["problems"].to_numpy().astype(float)
        seen = {category for category, _, tried in counts if tried}
        sizes_of = both.select("category", "problems").rows()
        self.unseen = sum(problems for category, problems in sizes_of if category not in seen)

    @property
    def tried(self) -> int:
        """How many problems were tried."""
        return self._rows.height

    @property
    def problems(self) -> int:
        """How many there are."""
        return int(self._all.sum())

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of `forecasts`, without their teacher."""
        for quantity in QUANTITIES:
            found = self.total(quantity)
            total = asdict(found) if found else dict.fromkeys(("expected", "low", "high"))
            yield {"quantity": quantity, "problems": self.problems, "tried": self.tried, **total}

    def total(self, quantity: pl.Expr | str) -> Total | None:
        """The total of a column, or of an expression of columns.

        None where it is unknown of a tried problem, and where more than UNSEEN of all are of categories that nobody
        tried: what is taken for mathematics says nothing of programs.
        """
        wanted = pl.col(quantity) if isinstance(quantity, str) else quantity
        found = self._rows.select("place", wanted.alias("value"))
        values = found.to_series(1)
        if values.null_count() or (self.problems and not self.tried) or self.unseen > UNSEEN * self.problems:
            return None
        return _total(values.to_numpy().astype(float), found["place"].to_numpy(), self._tried, self._all)


def _total(values: F64, places: NDArray[np.int64], tried: F64, every: F64) -> Total:
    """The total over strata, `every` of whose problems there are and `tried` of which have `values`."""
    count = len(tried)
    means = np.bincount(places, values, count) / np.maximum(tried, 1)
    squares = np.bincount(places, (values - means[places]) ** 2, count)
    variances = squares / np.maximum(tried - 1, 1)
    known = float(values.sum())
    ahead = float(((every - tried) * means).sum())
    errors = every * (every - tried) * variances / np.maximum(tried, 1)
    error = float(errors.sum())
    if not ahead or not error:
        return Total(known + ahead, known + ahead, known + ahead)
    freedom = error**2 / float((errors**2 / np.maximum(tried - 1, 1)).sum())
    reach = np.exp(float(student.ppf(0.5 + LEVEL / 2, freedom)) * np.sqrt(error) / ahead)
    return Total(known + ahead, known + ahead / float(reach), known + ahead * float(reach))


def _merged(strata: Sequence[tuple[str | None, str | None, int]]) -> list[int]:
    """The number of the group that each stratum (category, difficulty, tried) is counted in.

    Small ones go together within their category, and if they are few even so, over all categories; of a rest of fewer
    than ENOUGH each joins the largest group of its category, or where there is none, the largest of all.
    """
    members = defaultdict[tuple[object, ...], list[int]](list)
    of_category = defaultdict[str | None, int](int)
    for category, _, tried in strata:
        of_category[category] += tried if tried < ENOUGH else 0
    for place, (category, difficulty, tried) in enumerate(strata):
        alone = (category, difficulty) if tried >= ENOUGH else None
        members[alone or ((category,) if of_category[category] >= ENOUGH else ())].append(place)
    sizes = {key: sum(strata[place][2] for place in own) for key, own in members.items()}
    rest = members.pop((), [])
    if rest and members and sizes[()] < ENOUGH:
        for place in rest:
            alike = [key for key in members if key[0] == strata[place][0]] or list(members)
            members[max(alike, key=lambda key: sizes[key])].append(place)
    elif rest:
        members[()] = rest
    groups = [0] * len(strata)
    for number, own in enumerate(members.values()):
        for place in own:
            groups[place] = number
    return groups
