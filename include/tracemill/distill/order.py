"""Checks a recipe's pilots and distil steps against each other: what one says beforehand the other must do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tracemill.distill.pilot import Forecast, Pilot
from tracemill.distill.scope import Scope
from tracemill.distill.step import Distill
from tracemill.engine.step import Step

Known = TypeVar("Known", bound=Step)


def require_order(steps: dict[str, Known]) -> dict[str, Known]:
    """The steps of a recipe. Raises ValueError for the first that cannot do what it says.

    That is a policy whose prior no pilot finds, a pilot whose forecast is of no distil step, and routes by labels that
    nobody gives.
    """
    before: list[Step] = []
    for name, step in steps.items():
        if isinstance(step, Distill):
            _require_prior(name, step, before)
        scope = step.scope if isinstance(step, Distill) else step.forecast if isinstance(step, Pilot) else None
        if scope:
            _require_labels(name, scope, before)
        before.append(step)
    for name, step in steps.items():
        if isinstance(step, Pilot) and step.forecast:
            _require_forecast(name, step, list(steps.values())[list(steps).index(name) + 1 :])
    return steps


def forecast_of(pilot: Pilot, later: Sequence[Step]) -> Distill | None:
    """The first distil step of the pilot's teacher among those after it."""
    name = pilot.teacher.model.name
    return next((one for one in later if isinstance(one, Distill) and one.teacher.model.name == name), None)


def _require_prior(name: str, step: Distill, before: Sequence[Step]) -> None:
    teacher = step.teacher.model.name
    tried = {one.teacher.model.name for one in before if isinstance(one, Pilot) and one.fits}
    if step.teacher.policy.needs_pilot and teacher not in tried:
        raise ValueError(
            f"step {name!r}: policy until_decided has no prior of teacher {teacher!r}: put a `pilot` step with this "
            "teacher before it, or give `prior: {alpha: 0.5, beta: 0.5}`"
        )


def _require_labels(name: str, scope: Scope, before: Sequence[Step]) -> None:
    if scope.labels == "annotator" and not scope.routes:
        raise ValueError(f"step {name!r}: labels says whose `where` and `unless` are: give one of them, or remove it")
    if scope.labels == "annotator" and not any("annotations" in one.writes for one in before):
        raise ValueError(f"step {name!r} routes by an annotator's labels: put an `annotate` step before it")


def _require_forecast(name: str, pilot: Pilot, later: Sequence[Step]) -> None:
    assert pilot.forecast
    asked = forecast_of(pilot, later)
    teacher = pilot.teacher.model.name
    if asked is None:
        raise ValueError(f"step {name!r} forecasts teacher {teacher!r}, which no `distill` step after it asks")
    said = _scope(pilot.forecast)
    if asked.teacher != pilot.teacher or asked.scope != said:
        what = "another teacher" if asked.teacher != pilot.teacher else "other problems"
        raise ValueError(
            f"step {name!r} would forecast {what} than the distil step of {teacher!r} asks: give both the same "
            "`teacher` (by a YAML anchor), and `forecast` the same problems, verified_by, sources, where, unless and "
            "labels as that step"
        )


def _scope(forecast: Forecast) -> Scope:
    return Scope.model_validate(forecast.model_dump(exclude={"share"}))
