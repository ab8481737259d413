"""HumanEval's published samples: our verdicts against those of prompt, sample and tests run as one program."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tracemill.engine.resources import Resources
from tracemill.verify.code import CodeVerifier
from tracemill.verify.human_eval import DirectVerifier
from tracemill.verify.verifier import Question

_FILE = Path(os.environ.get("TRACEMILL_DATA", "/nowhere"), "humaneval_codegen16b_8.jsonl")


def questions() -> Iterator[Question]:
    """Every sample with its problem's tests."""
    for n, row in enumerate(map(json.loads, _FILE.read_text().splitlines())):
        case = json.dumps({key: row[key] for key in ("prompt", "test", "entry_point")})
        for k, sample in enumerate(row["samples"]):
            yield Question(f"{n}.{k}", str(n), row["prompt"], None, case, None, sample)


def figures() -> dict[str, float | int]:
    """Agreement among what was decided, and the share that was not, of what the plain run itself decides.

    Where a program imports what is not installed, neither says anything.
    """
    if not _FILE.is_file():
        print("no HumanEval samples in the folder that TRACEMILL_DATA names")
        return {}
    asked = list(questions())
    ours = {v.generation_id: v.status for v in CodeVerifier().judge(asked, Resources(workers=2))}
    plain = {v.generation_id: v.status for v in DirectVerifier().judge(asked, Resources(workers=2))}
    known = {name: status for name, status in plain.items() if status != "unverifiable"}
    words = Counter(
        "unverifiable" if ours[name] == "unverifiable" else "same" if ours[name] == status else "other"
        for name, status in known.items()
    )
    decided = words["same"] + words["other"]
    return {
        "humaneval_agreement": words["same"] / decided,
        "humaneval_unverifiable": words["unverifiable"] / len(known),
    }
