"""Writes the steps of a table of routes as a recipe has them: distil, verify, distil again where nothing passed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import yaml
from pydantic import BaseModel

from tracemill.distill.pilot import Forecast, Pilot
from tracemill.report.routes.pilots import Kind
from tracemill.report.routes.plans import Plan
from tracemill.report.routes.proposing import Route
from tracemill.report.routes.tried import Tried

Data = dict[str, Any]


def written(tried: Tried, routes: Sequence[Route], taken: frozenset[str] = frozenset()) -> tuple[str, list[str]]:
    """The steps as YAML, those of each round of a cascade before the next, and what they take that is in no total.

    "" where nobody is asked. `taken` are the names of steps that stay in the recipe.
    """
    written = _Writing(tried, {one.kind: one.teachers for one in routes}, taken)
    written.write()
    if not written.steps:
        return "", []
    said = yaml.dump(
        written.steps, Dumper=_Anchored, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None
    )
    return str(said), written.beside


class _Writing:
    """The steps while they are written: `plans` says whom each group asks."""

    def __init__(self, tried: Tried, plans: Mapping[Kind, Plan], taken: frozenset[str]) -> None:
        self.steps: dict[str, Data] = {}
        self.beside: list[str] = []
        self._plans = plans
        self._taken = taken
        self._pilots = {name: pilot for name, (_, pilot) in tried.pilots.items()}
        self._teachers = {name: said(pilot.teacher) for name, pilot in self._pilots.items()}
        self._is_narrow = any(_scope(pilot).where or _scope(pilot).unless for pilot in self._pilots.values())

    def write(self) -> None:
        """Write all rounds."""
        rounds = max(map(len, self._plans.values()), default=0)
        for turn in range(rounds):
            is_last = turn + 1 == rounds
            asked = sorted({plan[turn] for plan in self._plans.values() if len(plan) > turn})
            for name in asked:
                own = {kind for kind, plan in self._plans.items() if len(plan) > turn and plan[turn] == name}
                for where in _wheres(own, set(self._plans), self._is_narrow):
                    self._ask(name, where, turn, is_last)
            if not is_last:
                verifiers = list(_verifiers([self._pilots[name] for name in asked]))
                self._add(f"verify_round_{turn + 1}", {"kind": "verify", "verifiers": verifiers})

    def _ask(self, name: str, where: Data, turn: int, is_last: bool) -> None:
        """Add the step that asks a teacher one part of its groups, and before its first one the pilot that it needs."""
        pilot, teacher = self._pilots[name], self._teachers[name]
        scope = _scope_said(pilot, turn) | ({"where": where} if where else {})
        label = re.sub(r"[^a-z0-9]+", "_", name).strip("_")
        is_first = not any(step.get("teacher") is teacher for step in self.steps.values())
        if is_first and pilot.teacher.policy.needs_pilot:
            forecast = {**deepcopy(scope), "share": _scope(pilot).share}
            step = self._add(f"pilot_{label}", {**said(pilot), "teacher": teacher, "forecast": forecast})
            if Forecast.model_validate(forecast) != pilot.forecast:
                self.beside.append(
                    f"{step}: {name} stops by what its pilot finds, so those that it is asked now are tried anew: "
                    f"{pilot.problems:,} problems or {_scope(pilot).share:.0%}, {pilot.samples} samples of each, less "
                    "what is known of them. That is in no total."
                )
        refused = {} if is_last else {"refused": "keep"}
        self._add(f"distill_{label}", {"kind": "distill", "teacher": teacher, **scope, **refused})

    def _add(self, name: str, step: Data) -> str:
        free = _free(name, self.steps, self._taken)
        self.steps[free] = step
        return free


def _scope(pilot: Pilot) -> Any:
    assert pilot.forecast
    return pilot.forecast


def _scope_said(pilot: Pilot, turn: int) -> Data:
    """Whom a step asks, as its pilot did; in later rounds those that nobody before has solved."""
    scope = _scope(pilot)
    rules = list(scope.verified_by)
    if turn and "verdict" not in rules:
        rules = ["verdict", *rules]
    found: Data = {"problems": "unverified" if turn else scope.problems}
    if rules != ["verdict"]:
        found["verified_by"] = rules
    if scope.sources:
        found["sources"] = list(scope.sources)
    return found


def _wheres(own: set[Kind], every: set[Kind], is_narrow: bool) -> Iterator[Data]:
    """The `where` of each step that together take just these groups; {} for one that takes all there are.

    `is_narrow`: there are problems of other groups, which are not to be asked. A category whose difficulties all go the
    same way is named without them.
    """
    if own == every and not is_narrow:
        yield {}
        return
    by: defaultdict[tuple[str | None, ...], list[str | None]] = defaultdict(list)
    for category in _ordered({kind[0] for kind in own}):
        mine, all_of_it = ({kind[1] for kind in part if kind[0] == category} for part in (own, every))
        by[() if mine == all_of_it and not is_narrow else tuple(_ordered(mine))].append(category)
    for difficulties, categories in by.items():
        yield {"category": categories, **({"difficulty": list(difficulties)} if difficulties else {})}


def _ordered(values: set[str | None]) -> list[str | None]:
    return sorted(values, key=lambda value: (value is None, value or ""))


def _verifiers(pilots: Sequence[Pilot]) -> Iterator[Data]:
    """Those of the policies, each once."""
    found = {one.name: one for pilot in pilots for one in pilot.teacher.policy.judged_by}
    for name in sorted(found):
        yield said(found[name])


def _free(name: str, steps: Collection[str], taken: Collection[str]) -> str:
    """The name, or with the first number behind it that makes it one of its own."""
    number = 1
    free = name
    while free in steps or free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def said(model: BaseModel) -> Data:
    """What a recipe must say to have this part: its kind, and whatever is not the default."""
    whole = model.model_dump(mode="json")
    found: Data = {"kind": whole["kind"]} if "kind" in whole else {}
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if name != "kind" and value != info.get_default(call_default_factory=True, validated_data={}):
            found[name] = _said(value, whole.get(name))
    return found


def _said(value: Any, dumped: Any) -> Any:
    if isinstance(value, BaseModel) and isinstance(dumped, dict):
        return said(value)
    if isinstance(value, tuple | list) and isinstance(dumped, list):
        return [_said(one, plain) for one, plain in zip(value, dumped, strict=True)]
    if isinstance(value, dict) and isinstance(dumped, dict):
        return {name: _said(one, dumped[name]) for name, one in value.items()}
    return dumped


class _Anchored(yaml.SafeDumper):
    """Writes a teacher once, under its own name, and refers to it where it is asked again."""

    def generate_anchor(self, node: yaml.Node) -> str:
        """The name of the teacher's model as far as an anchor can have it, and one that no other has."""
        values = yaml.SafeLoader("").construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else {}
        name = str(values.get("model", {}).get("name", ""))
        word = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")
        return _free(word, (), [one for one in self.anchors.values() if one])
