"""Says on the card what a release was compared with and how: always from the settings, also where nothing came near."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tracemill.decontamination.matching import RULES
from tracemill.release.markdown import table
from tracemill.release.tally import Evidence, Tally

_NONE = "This release was not compared with any benchmark: its recipe has no step of kind `decontaminate`.\n"


def compared_with(settings: Mapping[str, Any], tally: Tally) -> list[str]:
    """The names of all benchmarks that a step compared the problems with."""
    return sorted({benchmark for benchmark, _ in _comparisons(settings, tally)})


def contamination_section(settings: Mapping[str, Any], tally: Tally) -> str:
    """What was compared, by which rule at which threshold, what was found, and what the rules catch."""
    comparisons = _comparisons(settings, tally)
    if not comparisons:
        return _NONE
    order = {rule: place for place, rule in enumerate(RULES)}
    rows = [
        (*pair, found.compared, _limit(found.threshold), found.removed, _strongest(found))
        for pair, found in sorted(comparisons.items(), key=lambda item: (item[0][0], order.get(item[0][1], 99)))
    ]
    head = ("benchmark", "rule", "matches looked at", "threshold", "problems over it", "strongest match under it")
    removed = f"{table(head, rows)}\nA problem over any threshold was removed; one problem can be over several.\n"
    return f"{removed}\n{_measured(tally)}"


def _comparisons(settings: Mapping[str, Any], tally: Tally) -> dict[tuple[str, str], Evidence]:
    """Benchmark and rule → what was found: an empty finding for each that the settings name, over it the evidence."""
    planned = {
        (str(benchmark["name"]), rule): Evidence(threshold=1.0 if rule == "exact" else step.get(rule))
        for step in _steps(settings)
        for benchmark in step["benchmarks"]
        for rule in RULES
        if rule == "exact" or step.get(rule) is not None
    }
    return planned | tally.evidence


def _steps(settings: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The settings of all decontaminate steps, one by one also where shards differ."""
    for given in settings.values():
        for step in given if isinstance(given, list) else [given]:
            if step.get("kind") == "decontaminate":
                yield step


def _measured(tally: Tally) -> str:
    """What the rules catch, as this run measured it on the benchmarks' own items."""
    if not tally.mutants:
        return "What the rules catch was not measured in this run.\n"
    rows = [
        (benchmark, kind.replace("_", " "), texts, f"{tally.mutants_caught[benchmark, kind] / texts:.1%}")
        for (benchmark, kind), texts in sorted(tally.mutants.items())
    ]
    measured = table(("benchmark", "change", "texts", "caught"), rows)
    return f"""Measured in this run by the same rules on items of the benchmarks themselves, changed as leaks are: the \
share caught of each kind (recall), and of texts spliced from four different items, which are none (false positives).

{measured}"""


def _strongest(found: Evidence) -> str:
    return f"{found.strongest_kept:.3f}" if found.strongest_kept else "none near"


def _limit(threshold: float | None) -> str:
    return "" if threshold is None else f"{threshold:.4g}"
