"""What steps that give each response a number have in common: the fate of what could not be measured, and the cut."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Literal, Self

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, model_validator

from tracemill.engine.fate import Fate
from tracemill.engine.responses import Response
from tracemill.engine.tables import columns_of


class Cut(BaseModel):
    """Where a number is cut. A quantile of all shards needs a `cut` and a `gate` step instead."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    at_least: float | None = None  # lower numbers do not stay
    at_most: float | None = None  # higher numbers do not stay

    @model_validator(mode="after")
    def _lets_something_stay(self) -> Self:
        """Refuse bounds between which no number lies. Raises ValueError naming them."""
        for name, bound in (("at_least", self.at_least), ("at_most", self.at_most)):
            if bound is not None and isnan(bound):
                raise ValueError(f"{name} is no number")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least is {self.at_least:g}, at_most {self.at_most:g}: no number stays")
        return self

    def passes(self, value: float) -> bool:
        """Whether a number stays. NaN never does."""
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def bound(self, value: float) -> float | None:
        """The bound that decided about a number, for the ledger."""
        if self.at_least is not None and (self.at_most is None or value < self.at_least):
            return self.at_least
        return self.at_most


def measured(value: float, cut: Cut | None, reason: str) -> Fate:
    """The fate of a response with a number: rejected for `reason` beyond the cut."""
    if cut is None or cut.passes(value):
        return Fate("kept", None, value, cut.bound(value) if cut else None)
    return Fate("rejected", reason, value, cut.bound(value))


def unmeasured(reason: str, detail: str | None, policy: Literal["keep", "quarantine"]) -> Fate:
    """The fate of a response without a number: nothing was shown, so it is never rejected."""
    return Fate("kept" if policy == "keep" else "quarantined", reason, detail=detail)


def measurement_rows(
    responses: Sequence[Response], metric: str, measurer: str, values: Sequence[tuple[float, int] | None]
) -> pa.Table:
    """The measurements table: value and number of tokens of each response that has one."""
    rows = [
        {
            "generation_id": response.generation_id,
            "problem_id": response.problem_id,
            "metric": metric,
            "measurer": measurer,
            "value": found[0],
            "tokens": found[1],
        }
        for response, found in zip(responses, values, strict=True)
        if found is not None
    ]
    return pa.Table.from_pylist(rows, columns_of("measurements"))
