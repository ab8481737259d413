"""The page of a student, in Markdown: where its rows came from, how it learned, what it scores, and what all cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracemill.release.markdown import table
from tracemill.report.evaluation_page import per_cent
from tracemill.report.student import StudentReport
from tracemill.train.card import PICTURE as LOSS
from tracemill.train.telling import spoken

FUNNEL = "funnel.png"
GRADES = "grades.png"
SCORES = "scores.png"


def page(found: StudentReport, wall: Mapping[str, float]) -> str:
    """The whole page. `wall`: by recipe, the seconds from the start of its run to its end, where somebody looked."""
    parts = [_head(found), _gain(found), _funnel(found), _grades(found), _training(found), _cost(found, wall)]
    return "\n".join(part for part in parts if part)


def verdicts(found: StudentReport) -> list[str]:
    """What training was worth, a sentence a benchmark."""
    return [_sentence(found, row) for row in found.gains.iter_rows(named=True)]


def _head(found: StudentReport) -> str:
    told = "".join(f"- {line}\n" for line in verdicts(found))
    return f"# From problems to a student: {found.recipe}\n\n{told}"


def _sentence(found: StudentReport, row: Mapping[str, Any]) -> str:
    scores = {one["teacher"]: one for one in found.scores.scores.iter_rows(named=True) if one["title"] == row["title"]}
    before, after = (per_cent(scores[name]["pass_at_1"]) for name in (found.base, found.student))
    seen = "it is larger" if row["difference"] > (row["visible"] or 1.0) else "it is not larger"
    return (
        f"{row['title']}: {found.base} solves {before} %, trained on {found.trained.counts.kept:,} verified responses "
        f"{after} %. The difference is {per_cent(row['difference'], signed=True)} points "
        f"({found.scores.level:.0%} interval {per_cent(row['low'], signed=True)} to "
        f"{per_cent(row['high'], signed=True)}); such an evaluation sees differences from {per_cent(row['visible'])} "
        f"points on: {seen}."
    )


def _gain(found: StudentReport) -> str:
    rows = [
        (
            row["title"],
            row["teacher"],
            per_cent(row["pass_at_1"]),
            f"{per_cent(row['low'])} to {per_cent(row['high'])}",
            per_cent(row["cut"]),
            f"{row['answered']:,} of {row['items']:,}",
            f"{row['decided']:,} of {row['asked']:,}",
        )
        for row in found.scores.scores.iter_rows(named=True)
        if row["teacher"] in (found.base, found.student)
    ]
    head = ("benchmark", "model", "pass@1", f"{found.scores.level:.0%} interval", "cut", "items", "samples")
    note = "In per cent, with intervals over items and samples. *Cut* is the share that ran into the token limit."
    return f"## Before and after\n\n![Scores]({SCORES})\n\n{note}\n\n" + table(head, rows)


def _funnel(found: StudentReport) -> str:
    rows = [
        (stage.step, stage.unit, stage.entered, stage.kept, _reasons({**stage.rejected, **stage.quarantined}))
        for stage in found.funnel.steps
    ]
    note = "Each row that enters a step leaves it kept, or turned away with a reason."
    head = ("step", "unit", "entered", "kept", "turned away")
    return f"## Where every row went\n\n![Funnel]({FUNNEL})\n\n{note}\n\n" + table(head, rows)


def _reasons(away: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in away.items())


def _grades(found: StudentReport) -> str:
    if found.grades.is_empty():
        return ""
    rows = [(row["teacher"], row["mode"], row["grade"], row["problems"]) for row in found.grades.iter_rows(named=True)]
    note = (
        "What each teacher solved of the problems: none of its samples (hopeless), some (usable) or all (easy); "
        "ungraded where too few could be decided."
    )
    told = table(("teacher", "mode", "grade", "problems"), rows)
    return f"## How hard the problems were\n\n![Grades]({GRADES})\n\n{note}\n\n{told}"


def _training(found: StudentReport) -> str:
    made = found.trained.made_with
    losses = found.curve["loss"]
    rows = [
        ("rows trained on", found.trained.counts.kept),
        ("rows left out", sum(found.trained.counts.rejected.values())),
        ("steps", made["steps"]),
        ("tokens seen", made["tokens"]),
        ("of them in the loss", made["learned"]),
        ("loss of the first step", f"{losses[0]:.4f}"),
        ("loss of the last step", f"{losses[-1]:.4f}"),
        ("time of the training itself", spoken(made["seconds"])),
    ]
    return f"## The training\n\n![The loss, step by step]({LOSS})\n\n" + table(("what", "value"), rows)


def _cost(found: StudentReport, wall: Mapping[str, float]) -> str:
    rows = [
        (cost.recipe, cost.step, f"{cost.rows:,} {cost.unit}s", f"{cost.seconds:,.1f}", _count(cost.tokens))
        for cost in found.costs
    ]
    seconds = sum(cost.seconds for cost in found.costs)
    tokens = sum(cost.tokens or 0 for cost in found.costs)
    rows += [("all", "", "", f"{seconds:,.1f}", _count(tokens))]
    note = (
        "Seconds are the work of all shards, waiting for a model's server included; shards that ran side by side count "
        "each. Tokens are those that a teacher wrote, or that the training went through."
    )
    runs = "".join(f"- The run of {name} took {spoken(took)} by the clock.\n" for name, took in wall.items())
    told = table(("recipe", "step", "rows", "seconds", "tokens"), rows)
    return f"## What it cost\n\n{note}\n\n{told}" + (f"\n{runs}" if runs else "")


def _count(tokens: int | None) -> str:
    return "" if tokens is None else f"{tokens:,}"
