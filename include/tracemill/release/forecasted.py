"""Says on the card what pilots forecast of the teachers, beside what these took."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow.compute as pc

from tracemill.engine.step import Inputs
from tracemill.engine.tables.piloting import FORECASTS
from tracemill.release.markdown import table

_HEAD = ("teacher", "", "expected", "90 % between", "took")
_TOKENS = ("prompt_tokens", "completion_tokens")


def forecast_section(inputs: Inputs) -> str:
    """A table of samples and tokens by teacher; nothing where no pilot forecast anything.

    Money and hours are left to `tracemill forecast`: prices and servers change, and a card does not.
    """
    rows = [row for row in inputs.table(FORECASTS.name).to_pylist() if row["expected"] is not None]
    rows = [row for row in rows if row["quantity"] in ("samples", *_TOKENS)]
    if not rows:
        return ""
    taken = _taken(inputs, {row["teacher"] for row in rows})
    lines = [
        (
            row["teacher"],
            row["quantity"].replace("_", " "),
            f"{row['expected']:,.0f}",
            f"{row['low']:,.0f} and {row['high']:,.0f}",
            "" if (took := taken[row["teacher"], row["quantity"]]) is None else f"{took:,}",
        )
        for row in rows
    ]
    tried = ", ".join(sorted({f"{row['tried']:,} of {row['problems']:,} problems ({row['teacher']})" for row in rows}))
    said = f"Before all problems were asked, a pilot tried {tried}."
    return f"### Forecast\n\n{said}\n\n{table(_HEAD, lines)}\n"


def _taken(inputs: Inputs, teachers: set[str]) -> dict[tuple[str, str], int | None]:
    """Samples and tokens of what distil steps wrote, by teacher; a response that a later step changed is not new.

    None where a server did not count the tokens of one of them.
    """
    taken = Counter[tuple[str, str]]()
    unknown = set[tuple[str, str]]()
    for shard in inputs.shards():
        for manifest in inputs.sealed[shard]:
            if manifest.settings.get("kind") == "distill" and "generations" in manifest.tables:
                rows = inputs.store.get_table(manifest.tables["generations"], ["teacher", *_TOKENS])
                for name in teachers:
                    own: Any = rows.filter(pc.equal(rows["teacher"], name))
                    taken[name, "samples"] += own.num_rows
                    taken.update({(name, one): pc.sum(own[one]).as_py() or 0 for one in _TOKENS})
                    unknown |= {(name, one) for one in _TOKENS if own[one].null_count}
    every = [(name, one) for name in teachers for one in ("samples", *_TOKENS)]
    return {one: None if one in unknown else taken[one] for one in every}
