"""Writes an evaluation in inspect_ai's log format (.eval, version 2), so that `inspect view` opens it.

A log is a zip archive of JSON: `header.json` with what was evaluated and what came of it, `summaries.json`, and a file
for every sample (inspect_ai, log/_recorders/eval.py). Samples are written as they are read, so memory does not grow
with their texts. An item is called by its problem's id; the verdict is C (passed), I (failed) or N (undecided).
A log in which some item has fewer samples than another is `cancelled`: of a `success` inspect_ai reads each sample of
each item, and raises IndexError for the first that there is not; of the former it says how to read the rest.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import ExitStack
from itertools import count as numbers
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from tracemill.engine.step import Inputs
from tracemill.models.finish import named

VERSION = 2  # of the format
SCORER = "tracemill"
_LONGEST = 80  # characters of a log's name
_SHOWN = 300  # characters of a prompt in the summaries
_STOPS = {"stop": "stop", "length": "max_tokens", "content_filter": "content_filter"}
_VALUES = {True: "C", False: "I", None: "N"}
_PROBLEM = ["id", "source", "native_id", "category", "prompt", "messages", "reference_answer", "published"]
_SCORE = ["generation_id", "problem_id", "teacher", "mode", "sample_index", "rule", "score", "passed", "reason"]
_TEXTS = [
    "id",
    "think_content",
    "answer_content",
    "raw",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "seconds",
]
Key = tuple[str, str, str | None]  # benchmark, teacher, mode


class Log:
    """One log under way: a benchmark and a model (`about`, a row of table `evaluations`)."""

    def __init__(self, path: Path, about: Mapping[str, Any], identity: str, created: str) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._about = about
        self._created = created
        self._identity = identity
        self._summaries: list[dict[str, Any]] = []
        self._usage = dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), 0)
        self._epochs = 0

    def add(self, sample: dict[str, Any]) -> None:
        """Write one sample."""
        self._write(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", sample)
        kept = {name: sample[name] for name in ("id", "epoch", "target", "scores", "metadata", "model_usage")}
        self._summaries.append({**kept, "input": _short(sample["input"]), "completed": True})
        for name, count in sample["output"]["usage"].items():
            self._usage[name] += count
        self._epochs = max(self._epochs, sample["epoch"])

    def close(self, items: pl.DataFrame) -> None:
        """Write what belongs to all samples: `items` are the rows of `evaluation_items` of this log."""
        spec = self._spec(items["problem_id"].to_list())
        plan = {"name": "plan", "steps": [{"solver": "generate", "params": {}, "params_passed": {}}], "config": {}}
        rates = items.filter(pl.col("decided") > 0).select("problem_id", pl.col("passed") / pl.col("decided"))
        means = [{"value": rate, "sample_id": problem} for problem, rate in rates.iter_rows()]
        self._write("_journal/start.json", {"version": VERSION, "eval": spec, "plan": plan})
        self._write("summaries.json", self._summaries)
        self._write("reductions.json", [{"scorer": SCORER, "reducer": "mean", "samples": means}])
        stats = {"started_at": self._created, "completed_at": self._created}
        usage = {self._about["teacher"]: self._usage}
        whole = len(self._summaries) == items.height * max(self._epochs, 1)
        head = {
            "version": VERSION,
            "status": "success" if whole else "cancelled",
            "eval": spec,
            "plan": plan,
            "results": self._results(),
        }
        self._write("header.json", {**head, "stats": {**stats, "model_usage": usage}})
        self._zip.close()

    def _spec(self, problems: Sequence[str]) -> dict[str, Any]:
        dataset = {
            "name": self._about["benchmark"],
            "samples": len(problems),
            "sample_ids": problems,
            "shuffled": False,
        }
        return {
            "eval_id": f"eval-{self._identity}",
            "run_id": f"run-{self._identity}",
            "task_id": f"task-{self._identity}",
            "created": self._created,
            "task": self._about["title"],
            "task_version": 0,
            "dataset": dataset,
            "model": self._about["teacher"],
            "config": {"epochs": max(self._epochs, 1), "epochs_reducer": ["mean"]},
            "metadata": {"mode": self._about["mode"], "made_by": "tracemill"},
        }

    def _results(self) -> dict[str, Any]:
        names = {"accuracy": "pass_at_1", "interval_low": "low", "interval_high": "high", "cut": "cut"}
        found = {name: self._about[key] for name, key in names.items() if self._about[key] is not None}
        metrics = {name: {"name": name, "value": value, "params": {}} for name, value in found.items()}
        undecided = self._about["asked"] - self._about["decided"]
        score = {
            "name": SCORER,
            "scorer": SCORER,
            "reducer": "mean",
            "params": {},
            "scored_samples": self._about["decided"],
            "unscored_samples": undecided,
            "metrics": metrics,
        }
        count = len(self._summaries)
        return {"total_samples": count, "completed_samples": count, "scores": [score]}

    def _write(self, name: str, value: Any) -> None:
        self._zip.writestr(name, json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def write_logs(
    inputs: Inputs, scores: pl.DataFrame, items: pl.DataFrame, folder: Path, identity: str, created: str
) -> list[Path]:
    """One log below `folder` for each row of `evaluations` that has a sample; `created` is a time in ISO 8601, UTC."""
    asked = [row for row in scores.iter_rows(named=True) if row["teacher"] is not None]
    paths: list[Path] = []
    with ExitStack() as opened:
        logs: dict[Key, Log] = {}
        for number, row in enumerate(asked):
            paths.append(folder / f"{_name(row, {path.stem.casefold() for path in paths})}.eval")
            log = Log(paths[-1], row, f"{identity[:16]}-{number}", created)
            opened.callback(log.close, _of(items, row))
            logs[row["benchmark"], row["teacher"], row["mode"]] = log
        for shard in inputs.shards():
            for key, sample in _samples(inputs, shard):
                logs[key].add(sample)
    return paths


def _name(row: Mapping[str, Any], taken: Set[str]) -> str:
    """A log's name, which no other has: as a file's `a/b` and `a-b` are one, and so are `a_b`, `c` and `a`, `b_c`."""
    parts = (row["benchmark"], row["teacher"], row["mode"])
    name = re.sub(r"[^\w.-]+", "-", "_".join(filter(None, parts)))[:_LONGEST]
    numbered = (f"{name}-{number}" for number in numbers(2))
    return name if name.casefold() not in taken else next(one for one in numbered if one.casefold() not in taken)


def _of(items: pl.DataFrame, row: Mapping[str, Any]) -> pl.DataFrame:
    same = [pl.col(name).eq_missing(row[name]) for name in ("benchmark", "teacher", "mode")]
    return items.filter(*same)


def _samples(inputs: Inputs, shard: int) -> Iterator[tuple[Key, dict[str, Any]]]:
    """The samples of a shard, in stored order, a few texts at a time."""
    problems = {row["id"]: row for row in inputs.table("problems", _PROBLEM, shard).to_pylist()}
    scores = {row["generation_id"]: row for row in inputs.table("scores", _SCORE, shard).to_pylist()}
    for batch in inputs.batches("generations", _TEXTS, shard):
        for row in pa.Table.from_batches([batch]).to_pylist():
            score = scores.get(row["id"])
            if score is not None:
                problem = problems[score["problem_id"]]
                yield (problem["source"], score["teacher"], score["mode"]), _sample(problem, score, row)


def _sample(problem: Mapping[str, Any], score: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    asked = [{"role": turn["role"], "content": turn["content"]} for turn in problem["messages"] or ()]
    said = {"role": "assistant", "content": _content(row), "source": "generate", "model": score["teacher"]}
    tokens = (row["prompt_tokens"] or 0, row["completion_tokens"] or 0)
    usage = dict(zip(("input_tokens", "output_tokens", "total_tokens"), (*tokens, sum(tokens)), strict=True))
    about = {"rule": score["rule"], "score": score["score"]}
    verdict = {
        "value": _VALUES[score["passed"]],
        "answer": (row["answer_content"] or "")[-_SHOWN:],
        "explanation": score["reason"] or "",
        "metadata": {name: value for name, value in about.items() if value is not None},
    }
    return {
        "id": problem["id"],
        "epoch": score["sample_index"] + 1,
        "input": asked or problem["prompt"],
        "target": problem["reference_answer"] or "",
        "messages": [*(asked or [{"role": "user", "content": problem["prompt"], "source": "input"}]), said],
        "output": {
            "model": score["teacher"],
            "choices": [{"message": said, "stop_reason": _STOPS.get(named(row["finish_reason"]), "unknown")}],
            "usage": usage,
            "time": row["seconds"] or 0.0,
        },
        "scores": {SCORER: verdict},
        "metadata": {
            "generation_id": row["id"],
            **{name: problem[name] for name in ("native_id", "category", "published") if problem[name] is not None},
        },
        "model_usage": {score["teacher"]: usage},
    }


def _content(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """Thinking and answer as parts; a response that could not be taken apart as it came."""
    if row["think_content"] is None:
        return [{"type": "text", "text": row["answer_content"] or row["raw"] or ""}]
    thought = {"type": "reasoning", "reasoning": row["think_content"]}
    return [thought, {"type": "text", "text": row["answer_content"] or ""}]


def _short(asked: str | list[dict[str, str]]) -> str | list[dict[str, str]]:
    if isinstance(asked, str):
        return asked[:_SHOWN]
    return [{**turn, "content": turn["content"][:_SHOWN]} for turn in asked]
