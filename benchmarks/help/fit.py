"""Whether the rank-surprisal ratio orders teachers as students do after training (arXiv 2601.14249).

Eight teachers of the zoo, weakened by temperature, truncation and training, and two students (`fits.jsonl`, see
students.py). The picture is var/bench/rsr.png.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.help.students import ITEMS, known

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURE = Path("var/bench/rsr.png")


def figures() -> dict[str, float | int]:
    """`rsr_spearman`: the mean over students of the correlation of low ratio and high score; and what else orders."""
    rows = known("fits")
    if not rows:
        print("no table of fits: make it with `python -m benchmarks.help.students sample` and `count`")
        return {}
    found: dict[str, float | int] = {"teachers": len({row["teacher"] for row in rows})}
    orders: dict[str, list[float]] = {"rsr_spearman": [], "rsr_spearman_whole": [], "surprisal_spearman": []}
    for student in sorted({row["student"] for row in rows}):
        points = _points([row for row in rows if row["student"] == student])
        whole = [point for point in points if "cut" not in point["teacher"]]
        orders["rsr_spearman"].append(_order(points, "ratio"))
        orders["rsr_spearman_whole"].append(_order(whole, "ratio"))
        orders["surprisal_spearman"].append(_order(points, "surprisal"))
        found |= {f"rsr_spearman_{student}": _order(points, "ratio")}
    _drawn(rows)
    return found | {name: float(np.mean(each)) for name, each in orders.items()}


def _points(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One point a teacher: its ratio under the student, and the mean score of the students of all seeds."""
    by_teacher: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_teacher.setdefault(row["teacher"], []).append(row)
    return [
        {
            "teacher": teacher,
            "ratio": own[0]["ratio"],
            "surprisal": own[0]["surprisal"],
            "score": float(np.mean([sum(row["passed"]) for row in own])) / ITEMS,
        }
        for teacher, own in by_teacher.items()
    ]


def _order(points: list[dict[str, Any]], by: str) -> float:
    """Spearman's correlation of the score with a number that is to be low."""
    return float(spearmanr([-point[by] for point in points], [point["score"] for point in points]).statistic)


def _drawn(rows: list[dict[str, Any]]) -> None:
    from tracemill.release.drawing import drawn

    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    drawn(partial(_draw, rows=rows), PICTURE)


def _draw(figure: Figure, rows: list[dict[str, Any]]) -> None:
    students = sorted({row["student"] for row in rows})
    for axes, student in zip(figure.subplots(1, len(students), sharey=True, squeeze=False)[0], students, strict=True):
        points = _points([row for row in rows if row["student"] == student])
        axes.scatter([point["ratio"] for point in points], [100 * point["score"] for point in points])
        for point in points:
            axes.annotate(point["teacher"], (point["ratio"], 100 * point["score"]), fontsize=6)
        axes.set_title(student, loc="left")
        axes.set_xlabel("rank-surprisal ratio before (lower fits better)", fontsize=8)
    figure.axes[0].set_ylabel("score after training, per cent")
    figure.tight_layout()
