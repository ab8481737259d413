"""Lays an evaluation out as a folder: page, picture, items, what math-verify says otherwise, and logs for viewers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tracemill.engine.objects import store_io
from tracemill.evaluate.inspect_log import write_logs
from tracemill.release.trainers.folder import replaced
from tracemill.report.evaluation import Evaluation
from tracemill.report.evaluation_page import page
from tracemill.report.evaluation_picture import draw_scores

MARK = "evaluation.json"  # what came of it as JSON; also marks the folder as ours


def lay_out(found: Evaluation, folder: Path) -> None:
    """Write README.md, evaluation.json, scores.png, items.jsonl, disagreements.jsonl and logs/ below `folder`.

    The folder takes its place when all is written; an earlier evaluation there is replaced. Raises StoreError where it
    holds other files or cannot be written.
    """
    created = datetime.now(UTC).isoformat(timespec="seconds")
    with replaced(folder, MARK) as place, store_io(f"cannot write {folder}"):
        (place / "logs").mkdir()
        write_logs(found.inputs, found.scores, found.items, place / "logs", found.identity, created)
        draw_scores(found, place / "scores.png")
        found.items.write_ndjson(place / "items.jsonl")
        found.opinions.write_ndjson(place / "disagreements.jsonl")
        (place / "README.md").write_text(page(found), encoding="utf-8")
        text = json.dumps(found.as_dict(), indent=1, ensure_ascii=False)
        (place / MARK).write_text(f"{text}\n", encoding="utf-8")
