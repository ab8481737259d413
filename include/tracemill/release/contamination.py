"""Says on the card what a release was compared with and how: always from the settings, also where nothing came near."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tracemill.engine.tables.dedup import CONTAMINATION_RULES, TEMPLATES
from tracemill.release.markdown import table
from tracemill.release.revocations import Revocation
from tracemill.release.tally import Evidence, Tally

Recalled = Mapping[str, Sequence[Revocation]]
_NONE = "The recipe has no step of kind `decontaminate`: this release was not compared with any benchmark when made.\n"


def compared_with(settings: Mapping[str, Any], tally: Tally, recalled: Recalled) -> list[str]:
    """The names of all benchmarks that a step or a later recall compared the problems with."""
    return sorted({benchmark for benchmark, _ in _comparisons(settings, tally)} | set(recalled))


def contamination_section(settings: Mapping[str, Any], tally: Tally, recalled: Recalled) -> str:
    """What was compared, by which rule at which threshold, what was found, and what the rules catch; then recalls."""
    return "\n".join(part for part in (_compared(settings, tally), _taken_back(recalled)) if part)


def _compared(settings: Mapping[str, Any], tally: Tally) -> str:
    comparisons = _comparisons(settings, tally)
    if not comparisons:
        return _NONE
    order = {rule: place for place, rule in enumerate(CONTAMINATION_RULES)}
    rows = [
        (*pair, found.compared, _limit(found.threshold), found.removed, _strongest(found))
        for pair, found in sorted(comparisons.items(), key=lambda item: (item[0][0], order.get(item[0][1], 99)))
    ]
    head = ("benchmark", "rule", "matches looked at", "threshold", "problems over it", "strongest match under it")
    removed = f"{table(head, rows)}\nA problem over any threshold was removed; one problem can be over several.\n"
    return f"{removed}\n{_measured(tally)}"


def _taken_back(recalled: Recalled) -> str:
    """The benchmarks that became known after a release, and what each took out; nothing where none was recalled."""
    if not recalled:
        return ""
    rows = [(name, _problems(lines), _by_rule(lines)) for name, lines in sorted(recalled.items())]
    listed = table(("benchmark", "problems taken out", "by rule"), rows)
    return f"""Recalled later: these benchmarks were compared with what had been released, and with every row since. \
What gives an item away is left out for good; what only has an item's form is left out once a person says so.

{listed}"""


def _problems(lines: Iterable[Revocation]) -> int:
    return len({line.problem_id for line in lines})


def _by_rule(lines: Sequence[Revocation]) -> str:
    rules = sorted({line.rule for line in lines})
    return ", ".join(f"{rule} {_problems(line for line in lines if line.rule == rule):,}" for rule in rules)


def _comparisons(settings: Mapping[str, Any], tally: Tally) -> dict[tuple[str, str], Evidence]:
    """Benchmark and rule → what was found: an empty finding for each that the settings name, over it the evidence."""
    planned = {
        (str(benchmark["name"]), rule): Evidence(threshold=1.0 if rule == "exact" else step.get(rule))
        for step in _steps(settings)
        for benchmark in step["benchmarks"]
        for rule in CONTAMINATION_RULES
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
    """What the rules catch, as this run measured it on the benchmarks' own items and on exercises of tracemill's."""
    if not tally.mutants:
        return "What the rules catch was not measured in this run.\n"
    own = [key for key in sorted(tally.mutants) if key[0] != TEMPLATES]
    told = [key for key in tally.mutants if key[0] == TEMPLATES]
    measured = table(("benchmark", "change", "texts", "caught"), [_caught(tally, *key) for key in own])
    text = f"""Measured in this run by the same rules on items of the benchmarks themselves, changed as leaks are: the \
share caught of each kind (recall), and of texts spliced from four different items, which are none (false positives).

{measured}"""
    if not told:
        return text
    retold = table(("made from", "kind", "texts", "caught"), [_caught(tally, *key) for key in told])
    return f"""{text}
No rule makes translations and rewordings of an item. These are school exercises made from templates of tracemill's, \
not from the benchmark, of which one telling was the item and another the row. Rows with other numbers are not the \
item; rows with another question have its situation and its numbers, but not what it asks for.

{retold}"""


def _caught(tally: Tally, benchmark: str, kind: str) -> tuple[str, str, int, str]:
    texts = tally.mutants[benchmark, kind]
    return benchmark, kind.replace("_", " "), texts, f"{tally.mutants_caught[benchmark, kind] / texts:.1%}"


def _strongest(found: Evidence) -> str:
    return f"{found.strongest_kept:.3f}" if found.strongest_kept else "none near"


def _limit(threshold: float | str | None) -> str:
    """A number, or the word that a recipe gives in its place ("calibrated") where nothing came near enough to tell."""
    return f"{threshold:.4g}" if isinstance(threshold, int | float) else str(threshold or "")
