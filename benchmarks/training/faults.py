"""Six planted faults: each is to be found in its row, by id, and none in any other."""

from __future__ import annotations

from benchmarks.training.rows import KINDS, released
from tests.build.planted import planted
from tracemill.release.proof.batch import Line
from tracemill.release.proof.proving import Plan, prove
from tracemill.release.proof.templates import template

_PLAIN = [one for place, one in enumerate(KINDS) if place not in (2, 5)]  # neither two turns nor over 1,024 tokens


def figures() -> dict[str, int]:
    """`planted_missed`: faults not found in their row. `planted_elsewhere`: found where none was planted."""
    faults = planted("\n\n", "think_content")
    rows = [row for pair in zip(_PLAIN * 2, faults.values(), strict=False) for row in pair]
    wanted = {(f"g{2 * k + 1}", fault) for k, fault in enumerate(faults)}
    lines: list[Line] = []
    with released(rows) as (found, tokenizer):
        plan = Plan(template("qwen2_5", tokenizer), "am", None, 1024)
        prove(found.rows("train"), plan, 1, lambda _: None, lines.append)
    said = {(line.id, one.fault) for line in lines for one in line.found}
    return {"planted_missed": len(wanted - said), "planted_elsewhere": len(said - wanted)}
