"""Lays the page of a student out as a folder with its pictures: funnel, grades, loss, and scores before and after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tracemill.engine.copies import copied
from tracemill.engine.objects import store_io
from tracemill.engine.tally import Stage
from tracemill.grade.grades import UNGRADED
from tracemill.release.drawing import BAR, INK, MARK, drawn, short
from tracemill.release.trainers.folder import replaced
from tracemill.report.evaluation_picture import draw_scores
from tracemill.report.student import StudentReport
from tracemill.report.student_page import FUNNEL, GRADES, SCORES, page
from tracemill.train.card import PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAGE = "README.md"
DATA = "student.json"  # the page's numbers for programs; also marks the folder as ours
_FRAME = (0.24, 0.14, 0.72, 0.76)  # left, bottom, width, height of the axes as shares of the figure
_COLOURS = {"hopeless": MARK, "usable": "#c9a227", "easy": BAR, UNGRADED: "#bbbbbb"}  # by grade


def lay_out(found: StudentReport, folder: Path, wall: Mapping[str, float] | None = None) -> Path:
    """Write README.md, student.json and the pictures below `folder`, and return the page's path.

    `wall`: by recipe, how many seconds its run took by the clock. The folder takes its place when all is written; an
    earlier page there is replaced. Raises StoreError where it holds other files or cannot be written.
    """
    with replaced(folder, DATA) as place, store_io(f"cannot write {folder}"):
        drawn(partial(_draw_funnel, stages=found.funnel.steps), place / FUNNEL)
        if found.grades.height:
            drawn(partial(_draw_grades, grades=found.grades), place / GRADES)
        copied(found.store, found.trained.files[PICTURE], place / PICTURE)
        draw_scores(found.scores, place / SCORES)
        (place / PAGE).write_text(page(found, wall or {}), encoding="utf-8")
        told = {**found.as_dict(), "wall_seconds": dict(wall or {})}
        (place / DATA).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder / PAGE


def _draw_funnel(figure: Figure, stages: list[Stage]) -> None:
    """A bar a step: what it kept, and behind it what it turned away."""
    axes = figure.add_axes(_FRAME)
    places = range(len(stages))
    kept = [stage.kept for stage in stages]
    away = [stage.entered - stage.kept for stage in stages]
    axes.barh(places, kept, color=BAR, label="kept")
    bars = axes.barh(places, away, left=kept, color=MARK, label="turned away")
    axes.bar_label(bars, [f"{stage.kept:,} {stage.unit}s" for stage in stages], padding=4, color=INK, fontsize=8)
    axes.set_yticks(places, [short(stage.step) for stage in stages])
    _finish(axes, "Where every row went", "rows")


def _draw_grades(figure: Figure, grades: pl.DataFrame) -> None:
    """A bar a teacher: how many problems it solved never, sometimes and always."""
    axes = figure.add_axes(_FRAME)
    models = [group for _, group in grades.group_by("teacher", "mode", maintain_order=True)]
    left = [0] * len(models)
    for grade, colour in _COLOURS.items():
        counts = [int(group.filter(grade=grade)["problems"].sum()) for group in models]
        if any(counts):
            bars = axes.barh(range(len(models)), counts, left=left, color=colour, label=grade)
            axes.bar_label(bars, [f"{count:,}" if count else "" for count in counts], label_type="center", fontsize=8)
        left = [before + count for before, count in zip(left, counts, strict=True)]
    names = [f"{group['teacher'][0]} {group['mode'][0] or ''}" for group in models]
    axes.set_yticks(range(len(models)), [short(name) for name in names])
    _finish(axes, "What each teacher solves of the problems", "problems")


def _finish(axes: Axes, title: str, x: str) -> None:
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.set_title(title, loc="left", color=INK)
    axes.set_xlabel(x)
    axes.legend(frameon=False, loc="best", fontsize=8)
