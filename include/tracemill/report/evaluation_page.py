"""The page of an evaluation, in Markdown: what was scored, how far it can be trusted, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from tracemill.evaluate.papers import beside
from tracemill.release.markdown import table
from tracemill.report.evaluation import Evaluation

Row = Mapping[str, Any]


def page(found: Evaluation) -> str:
    """The whole page."""
    parts = [_head(found), _scores(found), _known(found), _differences(found), _papers(found), _opinions(found)]
    return "\n".join(part for part in parts if part)


def per_cent(share: float | None, signed: bool = False) -> str:
    """A share in per cent with one decimal; nothing for none and for what is no number."""
    return "" if share is None or share != share else f"{100 * share:{'+' if signed else ''}.1f}"


def model(row: Row, name: str = "teacher", mode: str = "mode") -> str:
    """The model in the column `name`, with the mode in which it was asked."""
    return f"{row[name]} ({row[mode]})" if row[mode] else f"{row[name] or 'nobody'}"


def _head(found: Evaluation) -> str:
    return (
        f"# Evaluation by the recipe {found.recipe}\n\n"
        "pass@1 is the mean over items of the share of samples that pass, in per cent. Its interval "
        f"({found.level:.0%}) is over items and samples: other items of the kind, and other samples, would give a "
        "score within it. What could not be decided is in no score; *at least* and *at most* say what the score would "
        "be if all of it had failed, or passed. *Seen* is the smallest true difference to another model that such an "
        "evaluation finds four times in five. *Cut* is the share of samples that ran into the token limit.\n\n"
        "![Scores](scores.png)\n"
    )


def _scores(found: Evaluation) -> str:
    head = (
        "benchmark",
        "model",
        "pass@1",
        "interval",
        "seen",
        "cut",
        "at least",
        "at most",
        "items",
        "samples",
        "tokens",
    )
    return "## Scores\n\n" + table((*head, "math-verify"), (_line(row) for row in found.scores.iter_rows(named=True)))


def _line(row: Row) -> tuple[str, ...]:
    interval = f"{per_cent(row['low'])} to {per_cent(row['high'])}" if row["pass_at_1"] is not None else ""
    shares = (per_cent(row[name]) for name in ("visible", "cut", "at_least", "at_most"))
    items = f"{row['answered']:,} of {row['items']:,}"
    tokens = "" if row["tokens"] is None else f"{row['tokens']:,.0f}"
    counts = (items, f"{row['decided']:,} of {row['asked']:,}", tokens)
    return (row["title"], model(row), per_cent(row["pass_at_1"]), interval, *shares, *counts, per_cent(row["second"]))


def _known(found: Evaluation) -> str:
    """What the days say, of the models and of others that the step names: those that a student learned from."""
    rows = list(_rows(found.scores))
    lines = [f"- {row['title']}, {model(row)}: {_sentence(row, found.items)}" for row in rows]
    benchmarks = {row["benchmark"]: row for row in rows}.values()
    for name in sorted(found.released.keys() - {row["teacher"] for row in rows}):
        others = ({**row, "teacher": name, "mode": None, "released": found.released[name]} for row in benchmarks)
        lines += [f"- {row['title']}, {name} (a teacher): {_sentence(row, found.items)}" for row in others]
    told = (
        "An item that was out before a model may have been in its training data, and through a teacher in a student's."
    )
    return f"## What may have been known\n\n{told}\n\n" + "".join(f"{line}\n" for line in lines)


def _rows(frame: pl.DataFrame) -> Iterator[Row]:
    return (row for row in frame.iter_rows(named=True) if row["teacher"] is not None)


def _sentence(row: Row, items: pl.DataFrame) -> str:
    first, last, released = (row[name] for name in ("first", "last", "released"))
    days = first if first == last else f"{first} to {last}"
    if first is None:
        return "nobody said when its items came out (`published` of the source)."
    if released is None:
        return f"its items came out {days}; nobody said when the model did (`released` of the step)."
    if first > released:
        return f"its items came out {days}, after the model ({released}): it cannot have seen them."
    if last <= released:
        return f"its items came out {days}, not after the model ({released}): it may have seen all of them."
    own = items.filter(*(pl.col(name).eq_missing(row[name]) for name in ("benchmark", "teacher", "mode")))
    own = own if own.height else items.filter(benchmark=row["benchmark"]).unique("problem_id").with_columns(decided=0)
    parts = [own.filter(pl.col("published") <= released), own.filter(pl.col("published") > released)]
    told = [f"{part.height:,} items{_score(part)}" for part in parts]
    return f"its items came out {days}: {told[0]} not after the model ({released}), {told[1]} after it."


def _score(items: pl.DataFrame) -> str:
    """Their pass@1 in brackets; nothing where none was answered."""
    decided = items.filter(pl.col("decided") > 0)
    rates = decided["passed"] / decided["decided"]
    return f" ({per_cent(float(rates.sum()) / decided.height)} %)" if decided.height else ""


def _differences(found: Evaluation) -> str:
    if found.differences.is_empty():
        return ""
    rows = [
        (
            row["title"],
            f"{model(row)} less {model(row, 'other', 'other_mode')}",
            per_cent(row["difference"], True),
            f"{per_cent(row['low'], True)} to {per_cent(row['high'], True)}",
            per_cent(row["visible"]),
            "yes" if row["low"] > 0 or row["high"] < 0 else "no",
            row["items"],
        )
        for row in found.differences.iter_rows(named=True)
    ]
    head = ("benchmark", "models", "difference", "interval", "seen from", "beyond chance", "items")
    return "## Differences\n\nOn the items that both answered, drawn together.\n\n" + table(head, rows)


def _papers(found: Evaluation) -> str:
    titles = found.scores["title"].unique(maintain_order=True)
    rows = [
        (row.benchmark, row.model, f"{row.score:.1f}", row.samples or "not said", row.tokens, row.prompt, row.paper)
        for title in titles
        for row in beside(title)
    ]
    if not rows:
        return ""
    head = ("benchmark", "model", "pass@1", "samples", "tokens", "prompt", "paper")
    note = "Published scores have no intervals; all were sampled at temperature 0.6, top-p 0.95."
    return f"## Beside it: the papers\n\n{note}\n\n" + table(head, rows)


def _opinions(found: Evaluation) -> str:
    if found.opinions.is_empty():
        return "## Second opinion\n\nPlain math-verify says nothing else of any answer that it was asked about.\n"
    counts = found.opinions.group_by("benchmark", "ours", "second")
    rows = counts.len().sort(pl.all()).iter_rows()
    return (
        "## Second opinion\n\nWhere plain math-verify says something else; each answer is in `disagreements.jsonl`.\n\n"
        + table(("benchmark", "ours", "math-verify", "answers"), rows)
    )
