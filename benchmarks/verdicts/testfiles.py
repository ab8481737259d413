"""Test files: how often the sandbox says what plain pytest says, and what KodCode's published verdicts say of both.

`testfile_same` and `testfile_unverifiable` are shares of right and wrong programs of the corpus; false accepts and
rejects are counts. `hanging_cpu` is what a program that hangs costs, in CPU seconds.
"""

from __future__ import annotations

import json
import os
import resource
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.verdicts.idioms import Idiom, corpus
from benchmarks.verdicts.plain_pytest import passes
from tracemill.engine.resources import Resources
from tracemill.sandbox.base import Job, JobVerdict, PytestSuite, SandboxSettings
from tracemill.sandbox.pool import open_sandbox
from tracemill.text.think import split
from tracemill.verify.code import CodeVerifier
from tracemill.verify.verifier import Question

_DATA = Path(os.environ.get("TRACEMILL_DATA", "/nowhere"))
_HANGING = "def f(x):\n    while True:\n        pass\n"
_HANGING_TESTS = {
    "lowered": "from solution import f\n\ndef test_f():\n    assert f(1) == 2\n",
    "two slots": "from solution import f\n\ndef test_f():\n    xs = [f(n) for n in (1, 2)]\n    assert xs == [2, 3]\n",
    "one process": "from solution import f\n\ndef test_f(monkeypatch):\n    assert f(1) == 2\n",
}


def judged(pairs: list[tuple[str, str, str]]) -> dict[str, JobVerdict]:
    """The sandbox's verdicts on (id, program, tests)."""
    jobs = (Job(id=name, source=program, suite=PytestSuite(test_code=tests)) for name, program, tests in pairs)
    with open_sandbox(SandboxSettings(workers=2)) as sandbox:
        return {verdict.id: verdict for verdict in sandbox.judge(jobs)}


def compared(files: list[Idiom]) -> Iterator[tuple[str, bool, JobVerdict]]:
    """Name, plain pytest's word and the sandbox's verdict for the right and the wrong program of each file."""
    pairs = [(f"{file.name}: {word}", getattr(file, word), file.tests) for file in files for word in ("right", "wrong")]
    verdicts = judged(pairs)
    for name, program, tests in pairs:
        yield name, passes(program, tests), verdicts[name]


def _against_pytest() -> dict[str, float | int]:
    found: Counter[str] = Counter()
    for name, plain, verdict in compared(list(corpus())):
        status = verdict.status.value
        word = "unverifiable" if status == "unverifiable" else "same" if (status == "accepted") == plain else "other"
        word = {"other": "false_reject" if plain else "false_accept"}.get(word, word)
        found[word] += 1
        if word != "same":
            print(f"{name}: plain pytest {'passes' if plain else 'fails'}, here {status}: {verdict.reason[:150]}")
    total = sum(found.values())
    return {
        "testfiles": total // 2,
        "testfile_same": round(found["same"] / total, 4),
        "testfile_unverifiable": round(found["unverifiable"] / total, 4),
        "testfile_false_accepts": found["false_accept"],
        "testfile_false_rejects": found["false_reject"],
    }


def _hanging() -> dict[str, float | int]:
    verdicts = judged([(name, _HANGING, tests) for name, tests in _HANGING_TESTS.items()])
    return {"hanging_cpu": round(max(verdict.detail["cpu"] for verdict in verdicts.values()), 2)}


def questions() -> dict[str, tuple[Question, bool]]:
    """KodCode's traces that have a published verdict, and that verdict."""
    found = {}
    for n, line in enumerate((_DATA / "kodcode_r1.jsonl").read_text().splitlines()):
        row = json.loads(line)
        for k, (trace, label) in enumerate(zip(row["r1_generations"], row["r1_test_result"], strict=False)):
            if label in ("Pass", "Fail"):
                case = {"test_code": row["test_code"], "test_entry_point": row.get("test_entry_point")}
                answer = split(trace).answer or ""
                name = f"{n}.{k}"
                found[name] = Question(name, str(n), "", None, json.dumps(case), None, answer), label == "Pass"
    return found


def _against_kodcode() -> dict[str, float | int]:
    labelled = questions()
    before = _children_cpu()
    words: Counter[str] = Counter()
    for verdict in CodeVerifier().judge((question for question, _ in labelled.values()), Resources(workers=2)):
        label = labelled[verdict.generation_id][1]
        same = (verdict.status == "pass") == label
        words["unverifiable" if verdict.status == "unverifiable" else "same" if same else "other"] += 1
        words[f"trust {verdict.trust}"] += verdict.status == "pass"
    total = len(labelled)
    return {
        "kodcode_agreement": round(words["same"] / (words["same"] + words["other"]), 4),
        "kodcode_unverifiable": round(words["unverifiable"] / total, 4),
        "kodcode_low_trust": words["trust low"],
        "kodcode_cpu": round(_children_cpu() - before, 2),
    }


def _children_cpu() -> float:
    """CPU seconds of every process that this one started and that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def figures() -> dict[str, float | int]:
    """The figures of this module; those of KodCode only where its file is."""
    found = {**_against_pytest(), **_hanging()}
    if (_DATA / "kodcode_r1.jsonl").is_file():
        found |= _against_kodcode()
    return found
