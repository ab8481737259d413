"""How often our verdicts on instructions differ from those of IFEval's official checkers, on mutated responses.

The official verdicts were made once (official_instructions.py) and are kept as characters; the checks are made again
from the files that TRACEMILL_DATA names.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

from benchmarks.verdicts.instruction_mutants import Check, checks, digest
from tracemill.verify.instructions.ifeval import followed, followed_loosely

OFFICIAL = Path(__file__).with_name("official_instructions.json")


def figures() -> dict[str, float | int]:
    """Disagreements among the decided checks, strict and loose, and the share of checks that are not decided."""
    data = os.environ.get("TRACEMILL_DATA")
    if not data:
        print("instructions: TRACEMILL_DATA is not set, so there are no responses to mutate")
        return {}
    found = list(checks(Path(data)))
    official = json.loads(OFFICIAL.read_text(encoding="utf-8"))
    if official["digest"] != digest(found):
        raise SystemExit(f"{OFFICIAL.name} was made for other checks: make it again, see official_instructions.py")
    differing, decided = compared(found, official)
    for check in differing[:20]:
        print(f"  {check.name} {check.arguments}: {check.response[:80]!r}")
    return {
        "ifeval_checks": len(found),
        "ifeval_disagreements": len(differing),
        "ifeval_undecided_share": 1 - decided / (2 * len(found)),
    }


def compared(found: list[Check], official: dict[str, str]) -> tuple[list[Check], int]:
    """The checks on which a decided verdict differs from an official one, and how many verdicts were decided."""
    differing: list[Check] = []
    decided: Counter[bool] = Counter()
    for kind, test in (("strict", followed), ("loose", followed_loosely)):
        for check, theirs in zip(found, official[kind], strict=True):
            ours = test(check.name, check.response, check.arguments)
            decided[ours is not None] += 1
            if ours is not None and theirs in "01" and ours != (theirs == "1"):
                differing.append(check)
    return differing, decided[True]
