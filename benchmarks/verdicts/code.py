"""Code verdicts: cases with a known right verdict, the conformance table, hanging programs, the supervisor's cost.

`code_cases_right` needs `cases/code.jsonl` beside the folder that TRACEMILL_DATA names; labelled files give the
agreement. Everything else is made here.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracemill.engine.resources import Resources
from tracemill.sandbox.base import CallSuite, Job, JobVerdict, Limits, SandboxSettings, StdioSuite, SuiteError
from tracemill.sandbox.conformance import cases as table
from tracemill.sandbox.conformance import missing_parts, run_table, summary
from tracemill.sandbox.pool import open_sandbox
from tracemill.verify.code import CodeVerifier
from tracemill.verify.statements import comparison_in
from tracemill.verify.verifier import Question

_WORKERS = 2
_HANGING = "while True:\n    pass\n"
_ONE_SECOND = Limits(cpu_seconds=1.0)
_WORDS = {"pass": "accepted", "fail": "rejected", "accepted": "accepted", "not accepted": "rejected"}
_BOUNDED = {"bounded", "NotLowerable, verdict", "verdict within 1 s"}


def _lines(name: str) -> Iterator[dict[str, Any]]:
    path = Path(os.environ.get("TRACEMILL_DATA", ""), name)
    if os.environ.get("TRACEMILL_DATA") and path.exists():
        with path.open() as file:
            yield from map(json.loads, file)


def _judged(jobs: list[Job]) -> dict[str, JobVerdict]:
    with open_sandbox(SandboxSettings(workers=_WORKERS)) as sandbox:
        return {verdict.id: verdict for verdict in sandbox.judge(jobs)}


def _case_words(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return what each case was called: accepted, rejected or unverifiable."""
    questions = [
        Question(row["id"], "p", "", None, row["input"]["test_case"], None, row["input"]["answer"])
        for row in rows
        if "test_case" in row["input"]
    ]
    verdicts = CodeVerifier().judge(questions, Resources(workers=_WORKERS))
    words = {v.generation_id: {"pass": "accepted", "fail": "rejected"}.get(v.status, v.status) for v in verdicts}
    jobs = []
    for row in rows:
        if "suite" in row["input"]:
            source, language, suite = (row["input"][key] for key in ("program", "language", "suite"))
            try:
                jobs.append(Job(id=row["id"], source=source, language=language, suite=suite, limits=_small()))
            except SuiteError:
                words[row["id"]] = "unverifiable"
    known = {"accepted", "unverifiable"}
    words |= {name: v.status.value if v.status.value in known else "rejected" for name, v in _judged(jobs).items()}
    return words


def _small() -> Limits:
    return Limits(memory_bytes=256 << 20)


def _case_figures() -> dict[str, float | int]:
    everything = list(_lines("../cases/code.jsonl"))
    rows = [row for row in everything if not _is_cut(row)]
    if not rows:
        print("no cases/code.jsonl beside TRACEMILL_DATA: code cases are not measured")
        return {}
    words = _case_words(rows)
    wrong = {row["id"]: words[row["id"]] for row in rows if not _right(row["right"], words[row["id"]])}
    for name, word in wrong.items():
        print(f"  {name}: {word}")
    return {
        "code_cases_right": 1 - len(wrong) / len(rows),
        "code_cases_wrong_passes": sum(word == "accepted" for word in wrong.values()),
        "code_cases_cut": len(everything) - len(rows),
    }


def _is_cut(row: dict[str, Any]) -> bool:
    """Whether the file holds only the beginning of a case's tests, which nobody can judge by."""
    try:
        json.loads(row["input"].get("test_case", "null"))
    except ValueError:
        return True
    return False


def _right(wanted: str, word: str) -> bool:
    if wanted in _BOUNDED:
        return True  # it came to a verdict at all
    return (
        word != "accepted"
        if wanted == "not accepted"
        else word == _WORDS.get(wanted, wanted) or (wanted not in (*_WORDS, "unverifiable") and word != "accepted")
    )


def _hanging_figures() -> dict[str, float | int]:
    many = StdioSuite(inputs=tuple(f"{n}\n" for n in range(20)), outputs=tuple(f"{n}\n" for n in range(20)))
    calls = CallSuite(fn_name="f", args=tuple((n,) for n in range(20)), expected=tuple(range(20)))
    jobs = [
        Job(id="stdio", source=_HANGING, suite=many, limits=_ONE_SECOND),
        Job(id="call", source="def f(n):\n    while True:\n        pass\n", suite=calls, limits=_ONE_SECOND),
        Job(id="once", source="n = int(input())\nwhile n == 0:\n    pass\nprint(n)\n", suite=many),
        Job(id="default", source=_HANGING, suite=many),
    ]
    verdicts = _judged(jobs)
    return {
        "hanging_cpu_s": max(verdicts["stdio"].detail["cpu"], verdicts["call"].detail["cpu"]),
        "hanging_cpu_s_default": verdicts["default"].detail["cpu"],
        "hangs_once_score": verdicts["once"].score,
    }


def _table_figures() -> dict[str, float | int]:
    settings = SandboxSettings(workers=_WORKERS)
    missing = missing_parts(settings)
    before = time.process_time()
    with open_sandbox(settings) as sandbox:
        rows = list(run_table(sandbox, table(), missing))
    counts = summary(rows)
    for row in rows:
        if not row.right:
            print(f"  {row.case.name}: {row.verdict and row.verdict.status.value}")
    return {
        "conformance_false_accepts": counts["breaches"],
        "conformance_false_rejects": counts["false_rejects"],
        "conformance_languages": len({row.case.language for row in rows if row.verdict is not None}),
        "supervisor_ms_per_program": 1000 * (time.process_time() - before) / max(1, len(rows)),
    }


def _statement_figures() -> dict[str, float | int]:
    said: Counter[str] = Counter()
    for name in ("codeforces", "code_contests"):
        for row in _lines(f"{name}.jsonl"):
            said["rows"] += 1
            said.update(comparison_in(row["problem"]).keys())
    if not said:
        return {}
    return {f"statements_{what}": said[what] / said["rows"] for what in ("several", "any_case")}


def figures() -> dict[str, float | int]:
    """Measure everything that this machine and its data allow."""
    return {**_case_figures(), **_hanging_figures(), **_table_figures(), **_statement_figures()}
