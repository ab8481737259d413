"""Counts what a release holds while it is written, so that the card and the figures need no second pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracemill.release.fits import Fits
from tracemill.release.layout import response_source
from tracemill.release.licences import normalised_licence
from tracemill.release.rows import ReleasedRow

UNLABELLED = "not labelled"
LENGTH_BIN = 16  # tokens
LENGTH_TOP = 32_768  # tokens: the longest response that the paper's models give; longer ones share the last bin


@dataclass
class Evidence:
    """What one rule found against one benchmark: problems compared, removed, and the strongest match that was kept."""

    compared: int = 0
    removed: int = 0
    threshold: float | None = None
    strongest_kept: float = 0.0


@dataclass
class Tally:
    """Counters over released rows; `lengths` counts entries by length in bins of LENGTH_BIN tokens."""

    rows: int = 0
    tokens: int = 0
    problems: int = 0
    continued: int = 0
    licences: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    teachers: Counter[str] = field(default_factory=Counter)
    response_sources: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    difficulties: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    availability: Counter[str] = field(default_factory=Counter)
    verifiers: Counter[str] = field(default_factory=Counter)
    low_trust: int = 0  # rows whose only passes are of runs that program and tests shared
    lengths: Counter[int] = field(default_factory=Counter)
    evidence: dict[tuple[str, str], Evidence] = field(default_factory=dict)
    mutants: Counter[tuple[str, str]] = field(default_factory=Counter)
    mutants_caught: Counter[tuple[str, str]] = field(default_factory=Counter)
    opinions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    fits: Fits = field(default_factory=Fits)

    def add(self, rows: Sequence[ReleasedRow]) -> None:
        """Count released rows; a problem's rows must come in one shard."""
        for row in rows:
            self._add(row)

    def _add(self, row: ReleasedRow) -> None:
        self.rows += 1
        self.tokens += row.tokens
        self.licences[normalised_licence(row.problem["license"])] += 1
        self.sources[row.problem.get("released_as") or row.problem["source"]] += 1
        self.response_sources[response_source(row.generation)] += 1
        self.teachers[row.generation["teacher"]] += 1
        self.fits.add(row.generation["teacher"], row.measurements)
        self.categories[row.labels["category"] or UNLABELLED] += 1
        self.difficulties[row.labels["difficulty"] or UNLABELLED] += 1
        self.languages[row.labels["language"] or UNLABELLED] += 1
        self.topics.update([row.labels["topic"]] if row.labels["topic"] else [])
        self.continued += row.seam is not None
        self.availability[_availability(row.problem)] += 1
        self.lengths[min(row.tokens, LENGTH_TOP) // LENGTH_BIN] += 1
        passes = [v for v in row.verdicts if v["status"] == "pass"]
        self.verifiers.update({v["verifier"] for v in passes} or {"none"})
        self.low_trust += bool(passes) and all(v.get("trust") == "low" for v in passes)

    def add_mutants(self, rows: Iterable[dict[str, Any]]) -> None:
        """Count rows of the table that says what the contamination rules catch of changed benchmark items."""
        for row in rows:
            self.mutants[row["benchmark"], row["kind"]] += row["texts"]
            self.mutants_caught[row["benchmark"], row["kind"]] += row["caught"]

    def add_opinions(self, rows: Iterable[dict[str, Any]]) -> None:
        """Count what judges said of responses that verifiers had decided, released or not."""
        self.opinions.update((row["judge"], row["verified"], row["judged"]) for row in rows)

    def add_evidence(self, rows: Iterable[dict[str, Any]]) -> None:
        """Count rows of the contamination table, of released and of removed problems alike."""
        for row in rows:
            found = self.evidence.setdefault((row["benchmark"], row["rule"]), Evidence())
            found.compared += 1
            found.threshold = row["threshold"]
            if row["contaminated"]:
                found.removed += 1
            else:
                found.strongest_kept = max(found.strongest_kept, row["score"] or 0.0)


def _availability(problem: dict[str, Any]) -> str:
    """The paper's classes (appendix A.2), and one for problems that have both."""
    reference = problem["reference_answer"] is not None
    tests = problem["test_case"] is not None
    if reference and tests:
        return "both"
    return "reference answer" if reference else "test cases" if tests else "neither"
